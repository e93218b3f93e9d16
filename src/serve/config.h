#ifndef SERVE_CONFIG_H
#define SERVE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/admin.h"
#include "auth/check.h"
#include "base/arena.h"
#include "exchange/policy.h"
#include "exchange/ready.h"
#include "exchange/transport.h"
#include "io/address.h"
#include "io/resolve.h"
#include "io/tls_client.h"
#include "io/tls_store.h"
#include "record/secret.h"
#include "res/cgi/cgi.h"
#include "res/fastcgi/fastcgi.h"
#include "res/file/file.h"
#include "res/fixed/fixed.h"
#include "res/gateway/gateway.h"
#include "res/websocket/websocket.h"
#include "upstream/group.h"

struct route {
    struct span prefix; /* decoded path, begins with '/'; covers itself and what lies below */
    struct policy policy;
    const struct resource_ops *resource; /* file_resource, fixed_resource, ...: says which of these holds */
    union {
        struct file_settings file;
        struct fixed_settings fixed;
        struct gateway_settings gateway;
        struct cgi_settings cgi;
        struct fastcgi_settings fastcgi;
        struct admin_settings admin;
        struct websocket_settings websocket;
    };
    struct ready_fields fields; /* added to 2xx, 304 and redirects */
    bool tells_secrets;         /* what it adds to replies holds something that must not be recorded */
    uint32_t line, column;      /* where the file says so; 0: no file does */
};

struct site {
    const struct span *names; /* lower case; "*.example.org" covers every name below example.org */
    uint32_t name_count;
    bool is_default;        /* answers for names that no site has */
    const char *stopped_by; /* a file that, while it exists, takes the site out of service; or NULL */
    struct route *routes;   /* longest prefix first */
    uint32_t route_count;
    bool answers_all; /* it has a route for "/" */
    struct span hsts; /* Strict-Transport-Security of its responses over TLS; empty: none. RFC6797:6.1 */
    enum client_auth client_auth;
    const char *client_ca, *client_crl; /* PEM files, or NULL */
    struct tls_clients *clients;        /* made of them by config_open(); NULL: nobody is asked for a certificate */
    uint16_t number;                    /* of its name in records and counters; the server sets it */
};

/* The listener that tells what the others do. */
struct config_admin {
    const char *listen;       /* text of its address; NULL: off */
    bool listen_said;         /* by the file or the command line */
    struct span token;        /* empty: nobody needs one */
    struct span public_url;   /* where people reach the console, with '/' at its end; empty: nobody said */
    const struct span *hosts; /* lower case, as in struct host: what a Host or Origin may name */
    uint32_t host_count;
    struct secrets secrets;
    struct site site; /* for `hosts`, with a route for what can be changed, and one for the rest */
};

/* Listeners for TLS, and what they show. */
struct config_tls {
    const char **listen; /* texts of addresses */
    uint32_t listen_count;
    const struct tls_files *certificates;
    uint32_t certificate_count; /* 0, with listeners: config_open() gets one for development */
    uint16_t version_min;       /* TRANSPORT_TLS12 or TRANSPORT_TLS13 */
    bool h2;                    /* offered by ALPN */
    bool early_data;
    bool plain_redirects;       /* plain HTTP on such a listener is sent to https; else http-on-https-port */
    uint64_t ticket_lifetime_s; /* 0: no tickets */
    struct tls_store *store;    /* made by config_open(); NULL: no listeners */
};

/* A group with what it needs to be opened. */
struct config_upstream {
    struct upstream_group group;    /* group.tls is made by config_open() */
    struct tls_client_settings tls; /* when has_tls */
    bool has_tls;
    bool keep_said;        /* the file says how many idle connections are kept */
    uint32_t line, column; /* where the file says so */
};

/* Listeners of a forward proxy. */
struct config_forward {
    const char **listen;       /* texts of addresses */
    uint32_t listen_count;     /* 0: off */
    const char *users_file;    /* NULL: nobody needs credentials */
    struct auth_settings auth; /* users: made by config_open(); nonces: the server sets them, when digest[] says so */
    struct proxy_settings proxy;
    struct site site; /* with one route, which has the settings above */
};

/* A whole configuration: built once, then only read. */
struct config {
    struct arena memory;
    const char **listen; /* texts of addresses */
    uint32_t listen_count;
    bool h2c; /* HTTP/2 without TLS is taken from clients that begin with it. RFC9113:3.3 */
    struct config_tls tls;
    const struct address_range *trusted; /* proxies that are believed in what they say of their clients */
    uint32_t trusted_count;
    bool real_ip;        /* the client's address is the one that they tell in Forwarded or X-Forwarded-For */
    bool proxy_protocol; /* what they send to `listen` and `tls.listen` begins with the PROXY protocol */
    struct config_upstream *upstreams;
    const struct upstream_group *const *groups; /* those of upstreams, in the same order */
    uint32_t group_count;
    struct resolver_settings resolver;
    struct config_forward forward;
    const char *log_file; /* "-": standard output; "off" */
    bool log_combined;    /* else JSON lines */
    uint32_t workers;     /* 0: one per core */
    struct policy policy; /* of exchanges that no site answers; dialect and explain are inherited */
    struct site *sites;
    uint32_t site_count;
    struct config_admin admin;
    uint64_t settings[64]; /* by enum setting */
};

enum setting {
#define SETTING(name, ...) SETTING_##name,
#include "serve/settings.def"
#undef SETTING
    SETTINGS
};

struct setting_info {
    const char *name, *group, *manual;
    uint64_t min, max, standard;
};

extern const struct setting_info setting_infos[SETTINGS];

/* What the command line says: it wins over the file. Zeroed means not said, if not noted otherwise. */
struct config_options {
    const char *directory; /* NULL: "." */
    const char **listen;
    uint32_t listen_count;
    bool write;
    const char *file; /* NULL: no configuration file */
    const char *log_file;
    int log_combined;     /* -1: not said */
    enum dialect dialect; /* DIALECTS: not said */
    uint32_t workers;
    bool tls;                   /* listen for TLS too */
    const char *tls_listen;     /* where; NULL: 127.0.0.1:8443, unless the file says where */
    bool forward;               /* be a forward proxy too */
    const char *forward_listen; /* where; NULL: 127.0.0.1:3128, unless the file says where */
    const char *admin;          /* an address, or "off"; NULL: not said */
    const char *admin_stays;    /* where the admin listener is already, whatever is said now; NULL: nowhere */
};

/* Longest configuration file. */
#define CONFIG_FILE_BYTES ((size_t)1 << 20)

/*
 * Build a configuration from the command line and, if named, the YAML file ("-": standard input). What the command line
 * says stands for the top of the file; what a route says for itself (write, dialect) stays. A directory on the command
 * line and `sites` in the file exclude each other. Relative paths begin at the folder of the file.
 *
 * complaints  where each mistake goes, one line, in the order of the file:
 *             "FILE:LINE:COLUMN: what is wrong: nearest name, what is allowed"; "verdict: ..." about the command line
 * Returns     NULL after at least one complaint; else owned by the caller until config_release()
 * Memory      the options are copied: they may go after the call
 */
struct config *config_load(const struct config_options *options, FILE *complaints);

/* Closes the directories too. */
void config_release(struct config **config);

/* Whether directories that routes serve, interpreters, users, and files of certificates, users and a token must be there,
 * and fit. */
enum config_look { CONFIG_FILES, CONFIG_STRUCTURE };

/* As config_load(), with the text of options->file in hand. With CONFIG_STRUCTURE the file system is left alone: a token
 * in a file stays unknown. */
struct config *config_read(const struct config_options *options, struct span text, enum config_look look,
                           FILE *complaints);

/* Does the proxy ask for credentials, or serve only some clients? */
bool config_forward_is_closed(const struct config_forward *forward);

/*
 * Open the directories that routes serve, read the certificates and the users of the forward proxy, make what speaks TLS
 * to upstreams, find the users whom programs run as, and give each route of files its id. A certificate for development is made where TLS is listened for and none is named; that goes to complaints too, the first time.
 *
 * tickets     lives as long as the configuration; may be NULL where nothing listens for TLS
 * Returns     0; or -errno of the first that fails, after a complaint for each: of a directory -EACCES when this user
 *             may not enter and read it, of a certificate as tls_store_new()
 */
int config_open(struct config *config, struct tls_tickets *tickets, FILE *complaints);

#endif
