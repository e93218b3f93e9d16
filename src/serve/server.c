#include "serve/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "http/media_type.h"
#include "io/listen.h"
#include "io/rlimit.h"
#include "serve/access_log.h"
#include "serve/admin_server.h"
#include "serve/forward.h"
#include "serve/refresh.h"
#include "serve/types.h"
#include "serve/worker.h"

#define BACKLOG        4096
#define WAIT_MOST_MS   3600000u
#define DRAIN_LOOK_MS  10   /* between two looks at whether all have ended */
#define DRAIN_QUIET_MS 1000 /* a drain that takes no longer needs no word */

struct server {
    const struct config_options *options;
    struct shared_config *config; /* the newest; one hold is the server's */
    struct worker_shared shared;
    struct worker *workers;
    unsigned running; /* workers whose threads were started */
    struct address *addresses;
    uint32_t address_count;
    int *fds; /* of worker w and address a at [w * address_count + a] */
    struct sites *sites;
    struct tls_tickets *tickets;
    uint32_t plain_count; /* of the addresses: they come first, ... */
    uint32_t tls_count;   /* ... those for TLS behind them, those of the forward proxy last */
    struct forward forward;
    struct admin_server admin;
};

/* What a crash left in the directories that are written to. They serve all the same when this fails. */
static void tidy(struct server *s)
{
    const struct config *config = s->config->config;

    for (uint32_t i = 0; i < config->site_count; i++)
        for (uint32_t r = 0; r < config->sites[i].route_count; r++) {
            const struct route *route = &config->sites[i].routes[r];
            int err = 0;

            if (route->resource == &file_resource && route->file.write)
                err = file_shared_tidy(s->shared.files, &route->file);
            if (err != 0)
                fprintf(stderr, "verdict: %s: cannot look for what a crash left: %s\n", route->file.root,
                        strerror(-err));
        }
}

/* Keys for tickets last longer than configurations; who speaks no TLS needs none. */
static bool tickets_make(struct server *s, const struct config *config)
{
    if (config->tls.listen_count == 0 || s->tickets != NULL)
        return true;
    s->tickets = tls_tickets_new();
    if (s->tickets == NULL)
        fprintf(stderr, "verdict: no memory, or no randomness, for the keys of session tickets\n");
    return s->tickets != NULL;
}

/* One hold on it is the caller's. */
static struct shared_config *shared_config_new(struct server *s)
{
    struct shared_config *shared = calloc(1, sizeof *shared);
    struct config_options options = *s->options;

    if (shared == NULL) {
        fprintf(stderr, "verdict: no memory for a configuration\n");
        return NULL;
    }
    options.admin_stays = s->admin.runs ? s->admin.address.text : NULL;
    shared->config = config_load(&options, stderr);
    if (shared->config == NULL || !tickets_make(s, shared->config) ||
        config_open(shared->config, s->tickets, stderr) != 0 || !forward_open(&s->forward, shared->config)) {
        config_release(&shared->config);
        free(shared);
        return NULL;
    }
    sites_number(s->sites, shared->config);
    atomic_init(&shared->holders, 1);
    return shared;
}

static int no_memory(void)
{
    fprintf(stderr, "verdict: no memory to start with\n");
    return 1;
}

static int cannot_listen(const struct address *a, int err)
{
    fprintf(stderr, "verdict: cannot listen on %s: %s\n", a->text, listen_advice(err));
    return 1;
}

/* A unix socket has one listener, which the workers share. */
static int listen_again(const struct address *a, int first, int *fd)
{
    int err = listen_open(a, BACKLOG, LISTEN_JOIN, fd);

    if (err != -EOPNOTSUPP)
        return err;
    *fd = dup(first);
    return *fd >= 0 ? 0 : -errno;
}

static int address_listen(struct server *s, uint32_t at)
{
    struct address *a = &s->addresses[at];
    int err = listen_open(a, BACKLOG, LISTEN_FIRST, &s->fds[at]);

    if (err == 0)
        err = address_of_socket(s->fds[at], a);
    for (unsigned w = 1; err == 0 && w < s->shared.workers; w++)
        err = listen_again(a, s->fds[at], &s->fds[(size_t)w * s->address_count + at]);
    return err == 0 ? 0 : cannot_listen(a, err);
}

static const char *listen_text(const struct config *config, uint32_t at)
{
    if (at < config->listen_count)
        return config->listen[at];
    at -= config->listen_count;
    return at < config->tls.listen_count ? config->tls.listen[at]
                                         : config->forward.listen[at - config->tls.listen_count];
}

static uint16_t port_of(const struct address *a)
{
    if (a->socket.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&a->socket)->sin_port);
    return a->socket.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&a->socket)->sin6_port) : 0;
}

static int listen_all(struct server *s)
{
    const struct config *config = s->config->config;

    s->plain_count = config->listen_count;
    s->tls_count = config->tls.listen_count;
    s->address_count = s->plain_count + s->tls_count + config->forward.listen_count;
    s->addresses = calloc(s->address_count, sizeof *s->addresses);
    s->fds = calloc((size_t)s->address_count * s->shared.workers, sizeof *s->fds);
    if (s->addresses == NULL || s->fds == NULL)
        return no_memory();
    for (size_t i = 0; i < (size_t)s->address_count * s->shared.workers; i++)
        s->fds[i] = -1;
    for (uint32_t a = 0; a < s->address_count; a++) {
        const char *why = "";

        if (address_parse(span_of(listen_text(config, a)), &s->addresses[a], &why) != 0) {
            fprintf(stderr, "verdict: %s: %s\n", listen_text(config, a), why);
            return 2;
        }
        if (address_listen(s, a) != 0)
            return 1;
    }
    if (s->tls_count > 0)
        s->shared.tls_port = port_of(&s->addresses[s->plain_count]);
    return 0;
}

static size_t tell_lost(void *context, uint64_t lines, char *to, size_t room)
{
    const struct server *s = context;

    return access_log_lost(s->shared.log_combined, lines, (int64_t)time(NULL), to, room);
}

static int log_open(struct server *s)
{
    const struct config *config = s->config->config;
    struct log_settings settings = {
        .path = config->log_file, .rings = s->shared.workers, .tell_lost = tell_lost, .context = s
    };
    int err = log_start(&settings, &s->shared.log);

    s->shared.log_combined = config->log_combined;
    if (err != 0)
        fprintf(stderr, "verdict: log: %s: %s: name a file that can be written, - or off\n", config->log_file,
                strerror(-err));
    return err == 0 ? 0 : 1;
}

/* calloc() does not align as much as a worker wants. */
static struct worker *workers_new(unsigned count)
{
    size_t bytes = count * sizeof(struct worker);
    struct worker *workers = aligned_alloc(alignof(struct worker), bytes);

    return workers != NULL ? memset(workers, 0, bytes) : NULL;
}

static int share(struct server *s)
{
    const struct config *config = s->config->config;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    s->shared.workers = config->workers > 0 ? config->workers : cores > 0 ? (unsigned)cores : 1;
    s->shared.connections_limit = (uint32_t)config->settings[SETTING_connections];
    s->shared.per_client_limit = (uint32_t)config->settings[SETTING_connections_per_client];
    if (getrandom(&s->shared.id_seed, sizeof s->shared.id_seed, 0) != sizeof s->shared.id_seed)
        s->shared.id_seed = (uint64_t)getpid() << 20;
    s->shared.clients = clients_new(s->shared.id_seed);
    s->shared.files = file_shared_new();
    s->shared.types = types_load();
    s->workers = workers_new(s->shared.workers);
    s->shared.admissions = s->forward.admissions;
    if (s->shared.clients != NULL && s->shared.files != NULL && s->shared.types != NULL && s->workers != NULL)
        return 0;
    return no_memory();
}

static int workers_start(struct server *s)
{
    for (unsigned w = 0; w < s->shared.workers; w++) {
        const struct worker_listen listen = { s->addresses, s->fds + (size_t)w * s->address_count, s->address_count,
                                              s->plain_count, s->tls_count };
        int err;

        if (!worker_remember(&s->workers[w], s->config->config)) {
            fprintf(stderr, "verdict: no memory to record exchanges in: lower record_bytes\n");
            return 1;
        }
        atomic_fetch_add(&s->config->holders, 1);
        err = worker_start(&s->workers[w], &s->shared, w, s->config, &listen);
        if (err != 0) {
            fprintf(stderr, "verdict: cannot start worker %u: %s\n", w, strerror(-err));
            return 1;
        }
        s->running++;
    }
    return 0;
}

static bool is_unix(const char *address)
{
    return strncmp(address, "unix:", 5) == 0;
}

static void announce_sites(const char *address, bool tls)
{
    if (is_unix(address))
        fprintf(stderr, "verdict: serving %s%s\n", address, tls ? " (TLS)" : "");
    else
        fprintf(stderr, "verdict: serving %s://%s/\n", tls ? "https" : "http", address);
}

static void announce(const struct server *s)
{
    for (uint32_t a = 0; a < s->plain_count + s->tls_count; a++)
        announce_sites(s->addresses[a].text, a >= s->plain_count);
    for (uint32_t a = s->plain_count + s->tls_count; a < s->address_count; a++)
        fprintf(stderr, "verdict: forward proxy %s%s\n", is_unix(s->addresses[a].text) ? "" : "http://",
                s->addresses[a].text);
    if (s->admin.runs && is_unix(s->admin.address.text))
        fprintf(stderr, "verdict: console %s\n", s->admin.address.text);
    else if (s->admin.runs)
        fprintf(stderr, "verdict: console http://%s/\n", s->admin.address.text);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_addresses(const char **a, uint32_t a_count, const char **b, uint32_t b_count)
{
    for (uint32_t i = 0; i < a_count && i < b_count; i++)
        if (!same_text(a[i], b[i]))
            return false;
    return a_count == b_count;
}

static void tell_waits(bool waits, const char *group, const char *name)
{
    if (waits)
        fprintf(stderr, "verdict: reload: %s%s: another value needs a new start: the old one stays in force\n", group,
                name);
}

/* What is set up once cannot change while the server runs. */
static void tell_what_waits(const struct config *old, const struct config *fresh)
{
    tell_waits(!same_addresses(old->listen, old->listen_count, fresh->listen, fresh->listen_count), "", "listen");
    tell_waits(!same_addresses(old->tls.listen, old->tls.listen_count, fresh->tls.listen, fresh->tls.listen_count),
               "tls.", "listen");
    tell_waits(!same_addresses(old->forward.listen, old->forward.listen_count, fresh->forward.listen,
                               fresh->forward.listen_count),
               "forward.", "listen");
    tell_waits(old->workers != fresh->workers, "", "workers");
    tell_waits(!same_text(old->admin.listen, fresh->admin.listen), "admin.", "listen");
    tell_waits(!same_text(old->log_file, fresh->log_file), "log.", "file");
    tell_waits(old->log_combined != fresh->log_combined, "log.", "format");
    for (unsigned s = 0; s < SETTINGS; s++) {
        bool limits = strcmp(setting_infos[s].group, "limits") == 0;

        tell_waits(!worker_reloads(s) && old->settings[s] != fresh->settings[s], limits ? "limits." : "times.",
                   setting_infos[s].name);
    }
}

/* Listeners stay until the next start, and who comes to one for TLS must be shown a certificate. */
static bool tls_accepts(const struct server *s, const struct config *config)
{
    if (s->tls_count == 0 || config->tls.store != NULL)
        return true;
    fprintf(stderr, "verdict: reload: tls: its listeners stay open: keep their certificates, or start anew\n");
    return false;
}

static bool accepts(const struct server *s, const struct config *config)
{
    uint32_t before = s->plain_count + s->tls_count;

    return admin_server_accepts(&s->admin, config) && tls_accepts(s, config) &&
           forward_accepts(s->addresses + before, s->address_count - before, config);
}

/* The old configuration goes on when the new one is wrong; each mistake has been told. */
static void reload(struct server *s)
{
    struct shared_config *fresh = shared_config_new(s);

    if (fresh == NULL || !accepts(s, fresh->config)) {
        shared_config_release(fresh);
        fprintf(stderr, "verdict: reload: the new configuration is not used: the old one stays in force\n");
        return;
    }
    tell_what_waits(s->config->config, fresh->config);
    atomic_fetch_add(&fresh->holders, s->shared.workers + s->admin.runs);
    for (unsigned w = 0; w < s->shared.workers; w++)
        if (!worker_reload(&s->workers[w], fresh))
            fprintf(stderr, "verdict: reload: no memory: worker %u goes on with the old configuration\n", w);
    if (s->admin.runs && !worker_reload(&s->admin.worker, fresh))
        fprintf(stderr, "verdict: reload: no memory: the admin listener goes on with the old configuration\n");
    shared_config_release(s->config);
    s->config = fresh;
    tidy(s);
    fprintf(stderr, "verdict: reload: the new configuration is in force\n");
}

static void signals_block(sigset_t *waited_for)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails, which is survivable */
    sigemptyset(waited_for);
    sigaddset(waited_for, SIGTERM);
    sigaddset(waited_for, SIGINT);
    sigaddset(waited_for, SIGHUP);
    sigaddset(waited_for, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, waited_for, NULL);
}

/* The next signal; 0: it is time to look at the files. */
static int signal_wait(const struct server *s, const sigset_t *waited_for)
{
    const struct config *config = s->config->config;
    uint64_t ms = refresh_wanted(config) ? config->settings[SETTING_certificate_check_ms] : WAIT_MOST_MS;
    const struct timespec look = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };
    int got = sigtimedwait(waited_for, NULL, &look);

    return got > 0 ? got : 0;
}

static void wait_for_end(struct server *s, const sigset_t *waited_for)
{
    for (;;) {
        int got = signal_wait(s, waited_for);

        if (got == 0) {
            refresh_all(s->config->config, s->tickets);
            continue;
        }
        if (got == SIGHUP)
            reload(s);
        else if (got == SIGUSR1)
            log_reopen(s->shared.log);
        else
            return;
    }
}

static bool all_ended(const struct server *s)
{
    for (unsigned w = 0; w < s->running; w++)
        if (!worker_ended(&s->workers[w]))
            return false;
    return true;
}

/* Whoever waits at a terminal should know for what, and how to be done with it. */
static void tell_drain(const struct server *s)
{
    uint64_t ms = s->config->config->settings[SETTING_drain_ms];
    uint32_t count = clients_total(s->shared.clients);
    bool whole = ms % 1000 == 0;

    fprintf(stderr, "verdict: stopping: waiting up to %ju %s for %u connection%s: again to stop now\n",
            (uintmax_t)(whole ? ms / 1000 : ms), whole ? "s" : "ms", count, count == 1 ? "" : "s");
}

/* Until the workers have let their connections end, or a second signal says not to wait. */
static void drain_wait(const struct server *s, const sigset_t *waited_for)
{
    const struct timespec look = { .tv_nsec = DRAIN_LOOK_MS * 1000000L };

    for (unsigned waited_ms = 0; !all_ended(s); waited_ms += DRAIN_LOOK_MS) {
        int got = sigtimedwait(waited_for, NULL, &look);

        if (got == SIGUSR1)
            log_reopen(s->shared.log);
        if (got == SIGTERM || got == SIGINT)
            break;
        if (waited_ms == DRAIN_QUIET_MS)
            tell_drain(s);
    }
    for (unsigned w = 0; w < s->running; w++)
        worker_stop(&s->workers[w]);
}

static void stop(struct server *s, const sigset_t *waited_for)
{
    for (unsigned w = 0; w < s->running; w++)
        worker_drain(&s->workers[w]);
    drain_wait(s, waited_for);
    for (unsigned w = 0; w < s->running; w++)
        worker_join(&s->workers[w]);
    admin_server_stop(&s->admin);
    for (unsigned w = 0; w < s->running; w++)
        worker_fini(&s->workers[w]);
    admin_server_fini(&s->admin);
    log_stop(&s->shared.log);
}

/* Listeners that no worker has taken over. */
static void listeners_close(const struct server *s)
{
    for (unsigned w = s->running; s->addresses != NULL && s->fds != NULL && w < s->shared.workers; w++)
        for (uint32_t a = 0; a < s->address_count; a++)
            if (s->fds[(size_t)w * s->address_count + a] >= 0)
                listen_close(&s->addresses[a], s->fds[(size_t)w * s->address_count + a]);
}

static void server_free(struct server *s)
{
    listeners_close(s);
    for (unsigned w = 0; s->workers != NULL && w < s->shared.workers; w++)
        worker_forget(&s->workers[w]);
    shared_config_release(s->config);
    tls_tickets_release(&s->tickets);
    sites_release(&s->sites);
    file_shared_release(&s->shared.files);
    clients_release(&s->shared.clients);
    types_release(&s->shared.types);
    forward_release(&s->forward);
    free(s->workers);
    free(s->addresses);
    free(s->fds);
}

static int start(struct server *s)
{
    int code = share(s);

    if (code == 0)
        code = listen_all(s);
    if (code == 0)
        code = admin_server_listen(&s->admin, s->config->config);
    if (code == 0)
        code = log_open(s);
    if (code == 0)
        code = workers_start(s);
    return code != 0 ? code : admin_server_start(&s->admin, &s->shared, s->workers, s->sites, s->config);
}

int server_run(const struct config_options *options)
{
    struct server s = { .options = options, .admin.fd = -1 };
    uint64_t files;
    sigset_t waited_for;
    int code;

    s.sites = sites_new();
    if (s.sites == NULL)
        return no_memory();
    s.config = shared_config_new(&s);
    if (s.config == NULL) {
        forward_release(&s.forward);
        tls_tickets_release(&s.tickets);
        sites_release(&s.sites);
        return 2;
    }
    signals_block(&waited_for);
    if (rlimit_raise_files(&files) != 0)
        fprintf(stderr, "verdict: the limit of open files could not be raised: %s\n", strerror(errno));
    code = start(&s);
    if (code == 0) {
        tidy(&s);
        announce(&s);
        wait_for_end(&s, &waited_for);
    }
    stop(&s, &waited_for);
    server_free(&s);
    return code;
}
