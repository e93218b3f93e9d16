#include <inttypes.h>

#include "serve/config_impl.h"

/* What sites and routes demand of TLS and of the certificates of clients. */

/* A promise that cannot come true when all come in plain text. */
static void secured_check(struct config_builder *b, const struct config_value *v, const char *name)
{
    if (!b->secured && v->node != NULL)
        config_complain(&b->report, v->node, "\"%s\" says something about TLS, which nothing listens for: add \"tls\"",
                        name);
}

static void clients_check(struct config_builder *b, const struct config_value v[])
{
    const struct config_value *auth = &v[KEY_site_client_certificate], *ca = &v[KEY_site_client_ca],
                              *crl = &v[KEY_site_client_crl];

    if (auth->number != CLIENT_AUTH_OFF && ca->node == NULL)
        config_complain(&b->report, auth->node,
                        "\"client_certificate\" needs \"client_ca\": who may sign the certificates");
    if (!b->clients_asked && ca->node != NULL)
        config_complain(&b->report, ca->node,
                        "\"client_ca\" goes only with \"client_certificate\": set that to optional or required");
    if (!b->clients_asked && crl->node != NULL)
        config_complain(&b->report, crl->node,
                        "\"client_crl\" goes only with \"client_certificate\": set that to optional or required");
}

/* Whether the files are there and fit. */
static void clients_look(struct config_builder *b, const struct yaml_node *at, const struct site *site)
{
    struct tls_clients *clients = NULL;
    char why[TLS_WHY_BYTES] = "";

    if (tls_clients_new(site->client_ca, site->client_crl, &clients, why) != 0)
        config_complain(&b->report, at, "%s", why);
    else if (tls_clients_warn(clients, why))
        fprintf(b->warnings, "verdict: warning: %s\n", why);
    tls_clients_release(&clients);
}

static void clients_read(struct config_builder *b, const struct config_value v[], struct site *site)
{
    const struct config_value *auth = &v[KEY_site_client_certificate], *ca = &v[KEY_site_client_ca],
                              *crl = &v[KEY_site_client_crl];

    site->client_auth = (enum client_auth)auth->number;
    b->clients_required = auth->number == CLIENT_AUTH_REQUIRED;
    b->clients_asked = auth->node != NULL && (!auth->good || auth->number != CLIENT_AUTH_OFF);
    clients_check(b, v);
    if (ca->good)
        site->client_ca = config_path(b, ca->text);
    if (crl->good)
        site->client_crl = config_path(b, crl->text);
    if (b->look == CONFIG_FILES && site->client_auth != CLIENT_AUTH_OFF && site->client_ca != NULL &&
        (crl->node == NULL || site->client_crl != NULL))
        clients_look(b, ca->node, site);
}

static void hsts_read(struct config_builder *b, const struct config_value v[], struct site *site)
{
    const struct config_value *age = &v[KEY_site_hsts], *below = &v[KEY_site_hsts_subdomains];

    if (below->node != NULL && age->node == NULL)
        config_complain(&b->report, below->node,
                        "\"hsts_subdomains\" goes only with \"hsts\", which this site has not");
    if (age->number > 0)
        site->hsts = arena_print(b->memory, "max-age=%" PRIu64 "%s", age->number,
                                 below->number == 1 ? "; includeSubDomains" : "");
}

void config_site_demand(struct config_builder *b, const struct config_value v[], struct site *site)
{
    secured_check(b, &v[KEY_site_client_certificate], "client_certificate");
    secured_check(b, &v[KEY_site_client_ca], "client_ca");
    secured_check(b, &v[KEY_site_client_crl], "client_crl");
    secured_check(b, &v[KEY_site_hsts], "hsts");
    clients_read(b, v, site);
    hsts_read(b, v, site);
}

static const char *subject_fault(struct span text)
{
    size_t equals = span_find(text, '=');

    if (equals == 0 || equals == text.n)
        return "is no subject of a certificate: such as CN=alice,O=Example";
    return NULL;
}

/* Whoever came in plain text would pass by what is demanded of TLS. */
static void plain_refuse(struct config_builder *b, const struct config_value *need, struct policy *policy)
{
    if (policy->tls_need != TLS_ANY ||
        (!b->clients_required && policy->subject_count == 0 && policy->tls_version_min == 0))
        return;
    if (need->node != NULL)
        config_complain(&b->report, need->node,
                        "\"tls: any\" lets clients without TLS pass by what is demanded of it: leave it away, or say "
                        "refuse, upgrade or redirect");
    policy->tls_need = TLS_REFUSE;
}

void config_route_demand(struct config_builder *b, const struct config_value v[], struct route *route)
{
    const struct config_value *need = &v[KEY_route_tls], *subjects = &v[KEY_route_client_subjects];

    if (!need->good || need->number != TLS_ANY)
        secured_check(b, need, "tls");
    secured_check(b, &v[KEY_route_tls_minimum], "tls_minimum");
    if (subjects->node != NULL && !b->clients_asked)
        config_complain(&b->report, subjects->node,
                        "\"client_subjects\" goes only with \"client_certificate\", which this site has not");
    if (subjects->good)
        route->policy.subjects = config_texts_read(b, subjects, subject_fault, &route->policy.subject_count);
    plain_refuse(b, need, &route->policy);
}
