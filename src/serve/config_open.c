#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/config_impl.h"

static void site_release(struct site *site)
{
    for (uint32_t r = 0; r < site->route_count; r++)
        if (site->routes[r].resource == &file_resource && site->routes[r].file.root_fd >= 0)
            close(site->routes[r].file.root_fd);
    if (site->clients != NULL)
        tls_clients_release(&site->clients);
}

void config_release(struct config **config_in)
{
    struct config *c = *config_in;

    *config_in = NULL;
    if (c == NULL)
        return;
    for (uint32_t s = 0; s < c->site_count; s++)
        site_release(&c->sites[s]);
    for (uint32_t u = 0; u < c->group_count; u++)
        tls_client_release(&c->upstreams[u].group.tls);
    users_release(&c->forward.auth.users);
    if (c->tls.store != NULL)
        tls_store_release(&c->tls.store);
    arena_reset(&c->memory);
    free(c);
}

static int root_complain(const struct route *route, int err, FILE *complaints)
{
    if (err == EACCES)
        fprintf(complaints,
                "verdict: %s exists, but this user may not read it: let the user enter and read it, or name another "
                "directory\n",
                route->file.root);
    else
        fprintf(complaints, "verdict: %s: %s: name a directory that exists and may be entered\n", route->file.root,
                strerror(err));
    return -err;
}

/* Ids are never used again, so what a worker has cached for an older configuration is not taken for this one's.
 * Opening asks for no right to the directory itself: it is asked for here, or each answer would be acl-denied. */
static int root_open(struct route *route, FILE *complaints)
{
    static _Atomic uint32_t last_id;

    route->file.id = atomic_fetch_add(&last_id, 1) + 1;
    route->file.root_fd = open(route->file.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (route->file.root_fd < 0 || faccessat(AT_FDCWD, route->file.root, R_OK | X_OK, AT_EACCESS) != 0)
        return root_complain(route, errno, complaints);
    route->file.root_is_local = file_root_is_local(route->file.root_fd);
    return 0;
}

/* Where programs keep what they have made themselves, and would make again. NULL: the environment does not say. */
static const char *state_folder(char folder[TLS_PATH_BYTES])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;

    if (state != NULL && state[0] == '/')
        n = snprintf(folder, TLS_PATH_BYTES, "%s/verdict", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(folder, TLS_PATH_BYTES, "%s/.local/state/verdict", home);
    return n > 0 && n < TLS_PATH_BYTES ? folder : NULL;
}

/* All above the last part: the folder itself has an owner who makes it. Who cannot is told there. */
static void parents_make(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, S_IRWXU);
        *slash = '/';
    }
}

static int why_complain(int err, const char *why, FILE *complaints)
{
    fprintf(complaints, "verdict: %s\n", why);
    return err;
}

static int development_certificate(struct config *c, FILE *complaints)
{
    char folder[TLS_PATH_BYTES], certificate[TLS_PATH_BYTES], key[TLS_PATH_BYTES], why[TLS_WHY_BYTES];
    struct tls_files *files = arena_zero(&c->memory, sizeof *files);
    int made;

    if (state_folder(folder) == NULL)
        return why_complain(-ENOENT,
                            "no folder to make a certificate for development in: set XDG_STATE_HOME or HOME, or name a "
                            "certificate under tls.certificates",
                            complaints);
    parents_make(folder);
    made = tls_self_signed(folder, certificate, key, why);
    if (made < 0)
        return why_complain(made, why, complaints);
    if (made == 1)
        fprintf(complaints,
                "verdict: made a certificate for development: %s: browsers warn about it; name a real one under "
                "tls.certificates\n",
                certificate);
    if (files == NULL)
        return why_complain(-ENOMEM, "no memory for a certificate", complaints);
    *files = (struct tls_files){ .certificate = arena_copy(&c->memory, span_of(certificate)).p,
                                 .key = arena_copy(&c->memory, span_of(key)).p };
    c->tls.certificates = files;
    c->tls.certificate_count = 1;
    return c->memory.full ? why_complain(-ENOMEM, "no memory for a certificate", complaints) : 0;
}

static int tls_open(struct config *c, struct tls_tickets *tickets, FILE *complaints)
{
    struct config_tls *tls = &c->tls;
    char why[TLS_WHY_BYTES] = "";
    struct tls_store_settings settings;
    int err = tls->certificate_count == 0 ? development_certificate(c, complaints) : 0;

    if (err != 0)
        return err;
    settings = (struct tls_store_settings){
        .certificates = tls->certificates,
        .certificate_count = tls->certificate_count,
        .version_min = tls->version_min,
        .early_data_bytes = tls->early_data ? (uint32_t)c->settings[SETTING_early_data_bytes] : 0,
        .h2 = tls->h2,
        .tickets = tls->ticket_lifetime_s > 0 ? tickets : NULL,
        .ticket_lifetime_s = (uint32_t)tls->ticket_lifetime_s,
    };
    err = tls_store_new(&settings, &tls->store, why);
    return err == 0 ? 0 : why_complain(err, why, complaints);
}

static int clients_open(struct site *site, FILE *complaints)
{
    char why[TLS_WHY_BYTES] = "";
    int err = tls_clients_new(site->client_ca, site->client_crl, &site->clients, why);

    return err == 0 ? 0 : why_complain(err, why, complaints);
}

/* The user whom programs run as. */
static int user_find(struct cgi_settings *cgi, FILE *complaints)
{
    const struct passwd *entry = cgi->user != NULL ? getpwnam(cgi->user) : NULL;

    if (cgi->user == NULL)
        return 0;
    if (entry == NULL) {
        fprintf(complaints, "verdict: %s is no user of this machine: see `getent passwd`\n", cgi->user);
        return -ENOENT;
    }
    cgi->uid = entry->pw_uid;
    cgi->gid = entry->pw_gid;
    return 0;
}

static int route_open(struct route *route, FILE *complaints)
{
    if (route->resource == &file_resource)
        return root_open(route, complaints);
    return route->resource == &cgi_resource ? user_find(&route->cgi, complaints) : 0;
}

static int site_open(struct site *site, FILE *complaints)
{
    int first = site->client_auth != CLIENT_AUTH_OFF ? clients_open(site, complaints) : 0;

    for (uint32_t r = 0; r < site->route_count; r++) {
        int err = route_open(&site->routes[r], complaints);

        first = first != 0 ? first : err;
    }
    return first;
}

static int upstream_open(struct config_upstream *up, FILE *complaints)
{
    char why[TLS_WHY_BYTES] = "";
    int err = up->has_tls ? tls_client_new(&up->tls, &up->group.tls, why) : 0;

    return err == 0 ? 0 : why_complain(err, why, complaints);
}

static int users_open(struct config_forward *forward, FILE *complaints)
{
    char why[USERS_WHY_BYTES] = "";
    int err = auth_users_new(&forward->auth, &forward->users_file, 1, &forward->auth.users, why);

    return err == 0 ? 0 : why_complain(err, why, complaints);
}

int config_open(struct config *config, struct tls_tickets *tickets, FILE *complaints)
{
    int first = config->tls.listen_count > 0 ? tls_open(config, tickets, complaints) : 0;

    if (config->forward.users_file != NULL) {
        int err = users_open(&config->forward, complaints);

        first = first != 0 ? first : err;
    }
    for (uint32_t u = 0; u < config->group_count; u++) {
        int err = upstream_open(&config->upstreams[u], complaints);

        first = first != 0 ? first : err;
    }
    for (uint32_t s = 0; s < config->site_count; s++) {
        int err = site_open(&config->sites[s], complaints);

        first = first != 0 ? first : err;
    }
    return first;
}
