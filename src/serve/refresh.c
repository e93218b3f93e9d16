#include "serve/refresh.h"

#include <stdio.h>
#include <time.h>

static void warn(const char *why)
{
    fprintf(stderr, "verdict: warning: %s\n", why);
}

static void shown_look(const struct config_tls *tls)
{
    char why[TLS_WHY_BYTES];
    int err = tls_store_refresh(tls->store, why);

    if (err < 0)
        fprintf(stderr, "verdict: certificates: their files have changed, the old ones stay in use: %s\n", why);
    if (err <= 0)
        return;
    fprintf(stderr,
            "verdict: certificates: their files have changed: the new ones are in use: days until the first "
            "expires: %d\n",
            tls_store_days_left(tls->store));
    for (uint32_t i = 0; i < tls->certificate_count; i++)
        if (tls_store_warn(tls->store, i, why))
            warn(why);
}

static void clients_look(struct tls_clients *clients)
{
    char why[TLS_WHY_BYTES];
    int err = tls_clients_refresh(clients, why);

    if (err < 0)
        fprintf(stderr, "verdict: certificates of clients: the files have changed: the old ones stay in use: %s\n",
                why);
    if (err <= 0)
        return;
    fprintf(stderr, "verdict: certificates of clients: the files have changed: the new ones are in use\n");
    if (tls_clients_warn(clients, why))
        warn(why);
}

static void users_look(struct users *users)
{
    char why[USERS_WHY_BYTES];
    int err = users_refresh(users, why);

    if (err < 0)
        fprintf(stderr, "verdict: users: their files have changed: the old ones stay in use: %s\n", why);
    else if (err > 0)
        fprintf(stderr, "verdict: users: their files have changed: the new ones are in use\n");
}

static void tls_look(const struct config *config, struct tls_tickets *tickets)
{
    const struct config_tls *tls = &config->tls;
    struct timespec now;

    shown_look(tls);
    for (uint32_t i = 0; i < config->site_count; i++)
        if (config->sites[i].clients != NULL)
            clients_look(config->sites[i].clients);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (tls->ticket_lifetime_s > 0)
        tls_tickets_rotate(tickets, (uint64_t)now.tv_sec, tls->ticket_lifetime_s);
}

bool refresh_wanted(const struct config *config)
{
    return config->tls.store != NULL || config->forward.auth.users != NULL;
}

void refresh_all(const struct config *config, struct tls_tickets *tickets)
{
    if (config->tls.store != NULL)
        tls_look(config, tickets);
    if (config->forward.auth.users != NULL)
        users_look(config->forward.auth.users);
}
