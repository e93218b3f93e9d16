#include "serve/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/listen.h"
#include "serve/exchange_host.h"
#include "serve/gateways.h"

#define ACCEPT_BATCH        64
#define ACCEPT_LAST_BATCHES 64 /* a whole backlog, and no more, however fast others come */
#define ACCEPT_PAUSE_MS     200

void shared_config_release(struct shared_config *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->holders, 1) > 1)
        return;
    config_release(&shared->config);
    free(shared);
}

static __attribute__((noinline)) void snapshot_free(struct snapshot *s)
{
    gateways_close(s);
    shared_config_release(s->shared);
    free(s);
}

void snapshot_leave(struct snapshot *s)
{
    s->holders--;
    if (s->is_old && s->holders == 0)
        snapshot_free(s);
}

static void listen_pause(struct worker *w)
{
    for (uint32_t i = 0; i < w->listener_count; i++)
        loop_unwatch(&w->loop, &w->listeners[i].watch);
    timer_set(&w->wheel, &w->accept_timer, w->loop.now_ms, ACCEPT_PAUSE_MS);
}

static void listen_resume(struct timer *t)
{
    struct worker *w = (struct worker *)((char *)t - offsetof(struct worker, accept_timer));

    for (uint32_t i = 0; i < w->listener_count; i++)
        if (w->listeners[i].watch.slot == 0 && w->listeners[i].watch.fd >= 0 &&
            loop_watch(&w->loop, &w->listeners[i].watch, EPOLLIN | EPOLLEXCLUSIVE) != 0)
            timer_set(&w->wheel, t, w->loop.now_ms, ACCEPT_PAUSE_MS);
}

static void spare_take(struct worker *w)
{
    if (w->spare_fd < 0)
        w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left: the spare one lets us tell one client at a time why. False: not even that. */
static bool accept_last(struct worker *w, int listener, enum wire_port port)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    struct conn *c;
    int fd;

    if (w->spare_fd < 0)
        return false;
    close(w->spare_fd);
    w->spare_fd = -1;
    fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    c = conn_open(&w->wire, fd, port, &peer, len);
    if (c != NULL)
        c->over_descriptors = true;
    return true;
}

/* True: there may be more. */
static bool accept_batch(struct worker *w, struct watch *watch)
{
    enum wire_port port = ((struct worker_listener *)watch)->port;

    spare_take(w);
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd = accept4(watch->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            conn_open(&w->wire, fd, port, &peer, len);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EAGAIN)
            return false;
        if ((errno != EMFILE && errno != ENFILE) || !accept_last(w, watch->fd, port))
            listen_pause(w);
        return false;
    }
    return true;
}

static void accept_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    accept_batch(((struct worker_listener *)watch)->worker, watch);
}

/* Who has connected by now is taken on: closing a listener resets what it has not handed out. */
static void listeners_close(struct worker *w)
{
    for (uint32_t i = 0; i < w->listener_count; i++) {
        int fd = w->listeners[i].watch.fd;

        for (unsigned n = 0; n < ACCEPT_LAST_BATCHES && accept_batch(w, &w->listeners[i].watch); n++)
            ;
        loop_unwatch(&w->loop, &w->listeners[i].watch);
        w->listeners[i].watch.fd = -1;
        listen_close(w->listeners[i].address, fd);
    }
    timer_drop(&w->accept_timer);
}

static void stop_now(struct timer *t)
{
    struct worker *w = (struct worker *)((char *)t - offsetof(struct worker, stop_timer));

    wire_stop(&w->wire);
}

static void drain_open(struct mail *m)
{
    struct worker *w = (struct worker *)((char *)m - offsetof(struct worker, drain_mail));
    const struct config *config = w->snapshot->shared->config;

    w->stopping = true;
    listeners_close(w);
    if (w->admin != NULL)
        admin_drain(w->admin);
    wire_drain(&w->wire);
    timer_set(&w->wheel, &w->stop_timer, w->loop.now_ms, config->settings[SETTING_drain_ms]);
}

static void stop_open(struct mail *m)
{
    struct worker *w = (struct worker *)((char *)m - offsetof(struct worker, stop_mail));

    wire_stop(&w->wire);
}

struct reload_mail {
    struct mail mail;
    struct worker *worker;
    struct shared_config *config;
    struct snapshot *snapshot;
};

static void snapshot_replace(struct worker *w, struct snapshot *s)
{
    struct snapshot *old = w->snapshot;

    w->snapshot = s;
    old->is_old = true;
    old->holders++;
    snapshot_leave(old);
}

/* What every use looks up anew. The limits of a head are not: buffers have their size from them. */
static void wire_times(struct wire_settings *wire, const uint64_t *set)
{
    wire->head_wait_ms = (uint32_t)set[SETTING_head_wait_ms];
    wire->content_wait_ms = (uint32_t)set[SETTING_content_wait_ms];
    wire->send_wait_ms = (uint32_t)set[SETTING_send_wait_ms];
    wire->keep_alive_ms = (uint32_t)set[SETTING_keep_alive_ms];
    wire->linger_ms = (uint32_t)set[SETTING_linger_ms];
    wire->tunnel_idle_ms = (uint32_t)set[SETTING_tunnel_idle_ms];
    wire->h2_streams = (uint32_t)set[SETTING_h2_streams];
    wire->h2_window_bytes = (uint32_t)set[SETTING_h2_window_bytes];
    wire->h2_connection_window_bytes = (uint32_t)set[SETTING_h2_connection_window_bytes];
    wire->h2_resets = (uint32_t)set[SETTING_h2_resets];
    wire->h2_control_frames = (uint32_t)set[SETTING_h2_control_frames];
    wire->h2_continuations = (uint32_t)set[SETTING_h2_continuations];
    wire->linger_bytes = set[SETTING_linger_bytes];
    wire->drain_bytes = set[SETTING_drain_bytes];
    wire->arena_bytes = (uint32_t)set[SETTING_exchange_memory_bytes];
}

/* What connections are told of the port that they came to. */
static void wire_ports(struct worker *w, const struct config *config)
{
    uint16_t tls_port = w->shared->tls_port;

    w->wire.plain = (struct transport){ .tls_port = tls_port };
    w->wire.plain_on_tls_port =
        (struct transport){ .on_tls_port = true, .port_redirects = config->tls.plain_redirects, .tls_port = tls_port };
    w->wire.proxy = (struct transport){ .proxy = true };
    w->wire.h2c = config->h2c;
}

bool worker_reloads(enum setting s)
{
    static const bool reloaded[SETTINGS] = {
        [SETTING_head_wait_ms] = true,
        [SETTING_content_wait_ms] = true,
        [SETTING_send_wait_ms] = true,
        [SETTING_keep_alive_ms] = true,
        [SETTING_linger_ms] = true,
        [SETTING_linger_bytes] = true,
        [SETTING_drain_bytes] = true,
        [SETTING_exchange_memory_bytes] = true,
        [SETTING_tunnel_idle_ms] = true,
        [SETTING_certificate_check_ms] = true,
        [SETTING_h2_streams] = true,
        [SETTING_h2_window_bytes] = true,
        [SETTING_h2_connection_window_bytes] = true,
        [SETTING_h2_resets] = true,
        [SETTING_h2_control_frames] = true,
        [SETTING_h2_continuations] = true,
        [SETTING_early_data_bytes] = true,
        [SETTING_websocket_message_bytes] = true,
        [SETTING_drain_ms] = true, /* of the newest configuration, when the time has come */
    };

    return reloaded[s];
}

static void reload_open(struct mail *m)
{
    struct reload_mail *r = (struct reload_mail *)m;

    *r->snapshot = (struct snapshot){ .shared = r->config };
    if (gateways_open(r->worker, r->snapshot) != 0) { /* the old one stays in use */
        shared_config_release(r->config);
        free(r->snapshot);
        free(r);
        return;
    }
    wire_times(&r->worker->wire_settings, r->config->config->settings);
    wire_ports(r->worker, r->config->config);
    if (r->worker->files != NULL)
        file_worker_forget(r->worker->files); /* the new configuration has roots of its own */
    snapshot_replace(r->worker, r->snapshot);
    free(r);
}

void worker_drain(struct worker *w)
{
    w->drain_mail.open = drain_open;
    mail_send(&w->mail, &w->drain_mail);
}

void worker_stop(struct worker *w)
{
    w->stop_mail.open = stop_open;
    mail_send(&w->mail, &w->stop_mail);
}

bool worker_ended(const struct worker *w)
{
    return atomic_load(&w->ended);
}

bool worker_reload(struct worker *w, struct shared_config *config)
{
    struct reload_mail *m = malloc(sizeof *m);
    struct snapshot *s = malloc(sizeof *s);

    if (m == NULL || s == NULL) {
        free(m);
        free(s);
        shared_config_release(config);
        return false;
    }
    *m = (struct reload_mail){ .mail.open = reload_open, .worker = w, .config = config, .snapshot = s };
    mail_send(&w->mail, &m->mail);
    return true;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    while (!w->stopping || w->wire.conn_count > 0) {
        int err = loop_round(&w->loop, wheel_wait_ms(&w->wheel, w->loop.now_ms));

        DIE_UNLESS(err >= 0);
        wheel_advance(&w->wheel, w->loop.now_ms);
    }
    atomic_store(&w->ended, true);
    return NULL;
}

static void wire_configure(struct worker *w, const struct config *config)
{
    const uint64_t *set = config->settings;

    w->wire_settings = (struct wire_settings){
        .head = { .target_bytes = (uint32_t)set[SETTING_target_bytes],
                  .field_bytes = (uint32_t)set[SETTING_field_bytes],
                  .head_bytes = (uint32_t)set[SETTING_head_bytes],
                  .fields = (uint8_t)set[SETTING_head_fields] },
    };
    wire_times(&w->wire_settings, set);
    w->wire = (struct wire){ .loop = &w->loop,
                             .wheel = &w->wheel,
                             .settings = &w->wire_settings,
                             .host = &worker_wire_host,
                             .exchange_host = &worker_exchange_host,
                             .worker = w };
    wire_ports(w, config);
}

static int files_start(struct worker *w, const struct config *config)
{
    const uint64_t *set = config->settings;
    struct file_worker_settings settings = {
        .cache_bytes = set[SETTING_cache_bytes],
        .cache_entries = (uint32_t)set[SETTING_cache_entries],
        .content_max_bytes = (uint32_t)set[SETTING_cache_file_bytes],
        .recheck_ms = (uint32_t)set[SETTING_cache_check_ms],
    };

    offload_init(&w->helpers, (unsigned)set[SETTING_file_threads], (unsigned)set[SETTING_file_jobs]);
    w->files = file_worker_new(&settings, &w->helpers, &w->mail, w->shared->types, w->shared->files);
    return w->files != NULL ? 0 : -ENOMEM;
}

static int admin_start(struct worker *w)
{
    w->admin = admin_new(w->shared->admin_source, &w->loop, &w->wheel);
    return w->admin != NULL ? 0 : -ENOMEM;
}

static enum wire_port port_of(const struct worker_listen *listen, uint32_t at)
{
    if (at < listen->plain)
        return WIRE_PLAIN;
    return at < listen->plain + listen->tls ? WIRE_TLS : WIRE_PROXY;
}

static int listeners_start(struct worker *w, const struct worker_listen *listen)
{
    w->listeners = calloc(listen->count, sizeof *w->listeners);
    if (w->listeners == NULL)
        return -ENOMEM;
    w->listener_count = listen->count;
    for (uint32_t i = 0; i < listen->count; i++) {
        int err;

        w->listeners[i] = (struct worker_listener){ .watch = { .fd = listen->fds[i], .ready = accept_ready },
                                                    .worker = w,
                                                    .address = &listen->addresses[i],
                                                    .port = port_of(listen, i) };
        err = loop_watch(&w->loop, &w->listeners[i].watch, EPOLLIN | EPOLLEXCLUSIVE);
        if (err != 0)
            return err;
    }
    return 0;
}

static int worker_set_up(struct worker *w, struct shared_config *config, const struct worker_listen *listen)
{
    int err = loop_init(&w->loop);

    if (err != 0)
        return err;
    wheel_init(&w->wheel, w->loop.now_ms);
    timer_init(&w->stop_timer, stop_now);
    timer_init(&w->accept_timer, listen_resume);
    timer_init(&w->member_timer, gateways_tell);
    w->spare_fd = -1;
    spare_take(w);
    wire_configure(w, config->config);
    w->snapshot = calloc(1, sizeof *w->snapshot);
    if (w->snapshot == NULL)
        return -ENOMEM;
    w->snapshot->shared = config;
    if ((err = wire_init(&w->wire)) != 0 || (err = mail_box_init(&w->mail, &w->loop)) != 0 ||
        (err = w->shared->admin_source != NULL ? admin_start(w) : files_start(w, config->config)) != 0 ||
        (err = gateways_open(w, w->snapshot)) != 0)
        return err;
    return listeners_start(w, listen);
}

int worker_start(struct worker *w, const struct worker_shared *shared, unsigned index, struct shared_config *config,
                 const struct worker_listen *listen)
{
    int err;

    w->shared = shared;
    w->next_id = shared->id_seed + index;
    w->id_step = shared->workers + 1u; /* the others' numbers lie between, the admin listener's too */
    w->log = shared->admin_source == NULL ? log_ring_of(shared->log, index) : NULL;
    err = worker_set_up(w, config, listen);
    if (err != 0)
        return err;
    return -pthread_create(&w->thread, NULL, worker_main, w);
}

bool worker_remember(struct worker *w, const struct config *config)
{
    const uint64_t *set = config->settings;
    const struct recorder_settings settings = { .count = (uint32_t)set[SETTING_record_count],
                                                .kept_count = (uint32_t)set[SETTING_record_failures],
                                                .bytes = set[SETTING_record_bytes],
                                                .kept_bytes = set[SETTING_record_failure_bytes],
                                                .head_bytes = (uint32_t)set[SETTING_record_head_bytes],
                                                .slow_ms = (uint32_t)set[SETTING_record_slow_ms],
                                                .reply_room_bytes = WIRE_HEAD_BYTES };

    w->tally = tally_new();
    return w->tally != NULL && member_page_init(&w->members) && recorder_init(&w->recorder, &settings);
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}

void worker_fini(struct worker *w)
{
    if (w->files != NULL)
        offload_fini(&w->helpers);
    if (w->auth != NULL)
        offload_fini(&w->hashers);
    mail_box_fini(&w->mail);
    auth_worker_release(&w->auth);
    file_worker_release(&w->files);
    admin_release(&w->admin);
    wire_fini(&w->wire);
    if (w->spare_fd >= 0)
        close(w->spare_fd);
    gateways_close(w->snapshot);
    cgi_worker_release(&w->cgi);
    resolver_release(&w->resolver);
    shared_config_release(w->snapshot->shared);
    free(w->snapshot);
    free(w->listeners);
    loop_fini(&w->loop);
}

void worker_forget(struct worker *w)
{
    recorder_fini(&w->recorder);
    member_page_fini(&w->members);
    tally_release(&w->tally);
}
