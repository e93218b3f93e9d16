#include "serve/config_impl.h"

static const char listen_standard[] = "127.0.0.1:8443";

uint16_t config_tls_version(uint64_t word)
{
    return word == 1 ? TRANSPORT_TLS13 : TRANSPORT_TLS12;
}

/* Whether the files are there and fit together: alone, so that the complaint can say which. */
static void certificate_check(struct config_builder *b, const struct yaml_node *at, const struct tls_files *files)
{
    struct tls_store_settings settings = { .certificates = files,
                                           .certificate_count = 1,
                                           .version_min = TRANSPORT_TLS12 };
    struct tls_store *store = NULL;
    char why[TLS_WHY_BYTES] = "";

    if (tls_store_new(&settings, &store, why) != 0)
        config_complain(&b->report, at, "%s", why);
    else if (tls_store_warn(store, 0, why))
        fprintf(b->warnings, "verdict: warning: %s\n", why);
    tls_store_release(&store);
}

static const char *path_read(struct config_builder *b, const struct config_value *v)
{
    return v->good ? config_path(b, v->text) : NULL;
}

/* A key that is there without a value that can be read. */
static bool is_bad(const struct config_value *v)
{
    return v->node != NULL && !v->good;
}

static void certificate_read(struct config_builder *b, const struct yaml_node *node, struct tls_files *files)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *key = &v[KEY_certificate_key], *ocsp = &v[KEY_certificate_ocsp];

    if (!config_map_read(&b->report, MAP_certificate, node, v))
        return;
    files->certificate = path_read(b, &v[KEY_certificate_certificate]);
    files->key = key->node != NULL ? path_read(b, key) : files->certificate;
    files->ocsp = path_read(b, ocsp);
    if (b->look == CONFIG_FILES && files->certificate != NULL && files->key != NULL && !is_bad(ocsp))
        certificate_check(b, node, files);
}

static void certificates_read(struct config_builder *b, const struct yaml_node *list)
{
    struct tls_files *files = arena_zero(b->memory, list->count * sizeof *files);
    uint32_t count = 0;

    if (files == NULL)
        return;
    for (const struct yaml_node *n = list->first; n != NULL; n = n->next)
        certificate_read(b, n, &files[count++]);
    b->config->tls.certificates = files;
    b->config->tls.certificate_count = count;
}

static void listen_check(struct config_builder *b, const struct config_listen *listen)
{
    for (uint32_t i = 0; i < listen->count; i++) {
        struct address address;
        const char *why;

        if (address_parse(span_of(listen->all[i]), &address, &why) == 0 &&
            config_listen_has(b->config->listen, b->config->listen_count, &address))
            config_complain(&b->report, listen->at[i],
                            "tls: %s is in \"listen\" already: TLS needs an address of its own", address.text);
    }
}

static void listen_read(struct config_builder *b, const struct config_value *v, const char *option)
{
    struct config_listen listen = { 0 };

    if (v->good)
        config_listen_read(b, v, &listen);
    if (option != NULL)
        config_listen_one(b, &config_options_node, "tls", option, &listen);
    else if (v->node == NULL)
        config_listen_one(b, b->tls != NULL ? b->tls : &config_options_node, "tls", listen_standard, &listen);
    listen_check(b, &listen);
    b->config->tls.listen = listen.all;
    b->config->tls.listen_count = listen.count;
}

void config_tls_read(struct config_builder *b, const struct config_options *options)
{
    struct config_tls *tls = &b->config->tls;
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *early = &v[KEY_tls_early_data], *lifetime = &v[KEY_tls_ticket_lifetime];

    if (b->tls != NULL)
        config_map_read(&b->report, MAP_tls, b->tls, v);
    else if (options->tls)
        config_map_standard(MAP_tls, v);
    else
        return;
    listen_read(b, &v[KEY_tls_listen], options->tls_listen);
    if (v[KEY_tls_certificates].good)
        certificates_read(b, v[KEY_tls_certificates].node);
    tls->version_min = config_tls_version(v[KEY_tls_minimum].number);
    tls->h2 = v[KEY_tls_h2].number == 1;
    tls->early_data = early->number == 1;
    tls->plain_redirects = v[KEY_tls_plain].number == 1;
    tls->ticket_lifetime_s = lifetime->number;
    if (tls->early_data && lifetime->number == 0)
        config_complain(&b->report, early->node,
                        "early data needs a ticket of an earlier session: let \"ticket_lifetime\" be more than 0");
}
