#ifndef SERVE_CONFIG_IMPL_H
#define SERVE_CONFIG_IMPL_H

#include "serve/config.h"
#include "serve/config_keys.h"
#include "serve/yaml.h"

/*
 * How a configuration is built:
 *
 *   file --yaml--> tree --config_map_read()--> values of one map --config_site.c ...--> struct config
 *
 * Each step complains and goes on, so that one look shows all mistakes; what could not be understood is left out. At
 * the end a single complaint makes the whole configuration void.
 */

#define CONFIG_COMPLAINTS_MOST 50

struct config_complaint {
    uint32_t line, column; /* 0: about the whole */
    bool of_options;       /* about the command line */
    uint32_t order;
    struct span text;
};

struct config_report {
    struct arena *arena;
    uint32_t count; /* may be more than are kept */
    struct config_complaint all[CONFIG_COMPLAINTS_MOST];
};

/* Stands for a place in a complaint about the command line. */
extern const struct yaml_node config_options_node;

/* at may be NULL: about the whole. */
void config_complain(struct config_report *r, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* All complaints in the order of their places, each behind `title` ("site.yaml:3:5: ..."). */
void config_report_print(struct config_report *r, const char *title, FILE *out);

/* The text in double quotes, shortened and without control characters, fit for a complaint. In the report's arena. */
const char *config_quote(struct config_report *r, struct span text);

/* "did you mean "listen"? " when name is close to a word of the list (separated by spaces), else "". */
const char *config_near(struct config_report *r, struct span name, struct span words);

/* What a map says for one key. */
struct config_value {
    const struct yaml_node *node; /* NULL: the key is not there */
    bool good;                    /* it is there and of its type, within its bounds */
    struct span text;             /* TEXT, PROSE; NUL follows */
    uint64_t number;              /* SIZE: bytes; TIME: ms; SECONDS; COUNT; SWITCH: 0, 1; CHOICE: index of the word;
                                     CHOICES: a bit for each word */
};

struct config_builder {
    struct config *config;
    struct arena *memory; /* the configuration's */
    struct config_report report;
    struct span folder; /* of the file, with the last '/', or empty: what its relative paths begin with */
    enum config_look look;
    FILE *warnings;                  /* what makes nothing void goes there at once */
    bool write;                      /* --write */
    uint64_t target_bytes;           /* as configured: the parser's limit */
    bool groups_unclear;             /* there are upstreams, and what they are called cannot be understood */
    const struct yaml_node *admin;   /* the file's map; NULL: it has none */
    const struct yaml_node *tls;     /* likewise */
    const struct yaml_node *forward; /* likewise */
    bool secured;                    /* something listens for TLS, as far as file and command line say */
    bool clients_asked;              /* for certificates, by the site that is being read */
    bool clients_required;           /* ... and nobody comes in without one */
    const struct span *site_hints;   /* early hints of that site */
    uint16_t site_hint_count;
};

/* Read one value by the row of its key. Complains unless it is good. */
void config_value_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                       struct config_value *out);

/* The standard of a key in *out, as if the file had said it, but with node NULL and not good. */
void config_value_standard(const struct config_key_info *key, struct config_value *out);

/* Number, for people: 16KiB, 10s. */
const char *config_number(struct config_report *r, enum config_type type, uint64_t number);

/*
 * Read a map: values[] gets every key of it, standards where the file says nothing. Complains about keys that are
 * unknown, twice there or missing, and about values. False when node is no map at all.
 */
bool config_map_read(struct config_report *r, enum config_map map, const struct yaml_node *node,
                     struct config_value values[CONFIG_KEYS]);

/* As if the file said nothing in this map. */
void config_map_standard(enum config_map map, struct config_value values[CONFIG_KEYS]);

/* The texts of a value of type TEXTS: begin with NULL, until NULL. */
const struct yaml_node *config_text_next(const struct yaml_node *texts, const struct yaml_node *text);

/* Sites and routes of the file's `sites`, or the one site of a directory. */
void config_sites_read(struct config_builder *b, const struct yaml_node *sites);
void config_sites_standard(struct config_builder *b, const char *directory);

/* One route; the values of its map are read. */
void config_route_read(struct config_builder *b, const struct yaml_node *node, struct route *route);

/* The route that serves `directory`, as it is without any configuration. */
void config_route_standard(struct config_builder *b, const char *directory, struct route *route);

/* What a redirect or an answer says, into route->fixed. */
void config_redirect_read(struct config_builder *b, const struct yaml_node *node, struct route *route);
void config_answer_read(struct config_builder *b, const struct yaml_node *node, struct route *route);

/* Those whom routes can hand requests on to; before any site is read. */
void config_upstreams_read(struct config_builder *b, const struct yaml_node *list);

/* The index of the upstream with this name. False, after a complaint: there is none. */
bool config_group_find(struct config_builder *b, const struct config_value *v, uint32_t *out);

/* One text of `servers`, in the configuration's memory. False, after a complaint: it says no place. */
enum config_scheme { SCHEME_NONE, SCHEME_HTTP, SCHEME_HTTPS };
bool config_origin_read(struct config_builder *b, const struct yaml_node *node, struct upstream_origin *out,
                        enum config_scheme *scheme_out);

/* Is the text a host name that can be looked up? RFC1123:2.1, and underscores */
bool config_is_name(struct span text);

/* Host with its port, perhaps, as it goes into Host. False when there is none that is good; *out stays. */
bool config_host_read(struct config_builder *b, const struct config_value *v, struct span *out);

/* What a gateway calls itself, which is a token. RFC9110:7.6.3 */
bool config_pseudonym_read(struct config_builder *b, const struct config_value *v, struct span *out);

/* What a gateway does, into route->gateway and its policy. */
void config_gateway_read(struct config_builder *b, const struct yaml_node *node, struct route *route);

/* What programs a route runs, and whom it asks with FastCGI; with their policy. */
void config_cgi_read(struct config_builder *b, const struct yaml_node *node, struct route *route);
void config_fastcgi_read(struct config_builder *b, const struct yaml_node *node, struct route *route);

/* The listeners of a forward proxy, as the file's map `forward` and the command line have them, if they do. All other
 * listeners are complete. */
void config_forward_read(struct config_builder *b, const struct config_options *options);

/* All methods that are known. */
uint64_t config_methods_all(void);

/* Complains about a path that is no directory; path may be NULL. */
void config_directory_check(struct config_builder *b, const struct yaml_node *at, const char *path);

/* The policy of any route that hands requests on. */
void config_forwards_fill(struct config_builder *b, const struct config_value v[], struct route *route);

/* Limits of a head that an upstream makes. */
struct h1_limits config_head_limits(uint64_t head_bytes, uint64_t field_bytes);

/* Texts in the configuration's memory; NULL: none that are good. fault: why a text will not do, after it is quoted; NULL: it
 * will. */
const struct span *config_texts_read(struct config_builder *b, const struct config_value *v,
                                     const char *(*fault)(struct span text), uint16_t *count_out);

/* Early hints that a site gives, and a route. */
void config_site_hints_read(struct config_builder *b, const struct config_value v[]);
void config_hints_read(struct config_builder *b, const struct config_value v[], struct route *route);

/* Fields that a route adds. */
void config_fields_read(struct config_builder *b, const struct yaml_node *node, struct route *route);

/* Why text is no URI reference to send in a field, or NULL when it is one. RFC3986:4.1 */
const char *config_uri_fault(struct span text);

/* Addresses to listen on, in the configuration's memory, and their places, in the report's. What is no address is told and
 * left out. */
struct config_listen {
    const char **all; /* canonical */
    const struct yaml_node **at;
    uint32_t count;
};
void config_listen_read(struct config_builder *b, const struct config_value *v, struct config_listen *out);

/* Is the address one of these texts? Port 0 is another one each time, and never is. */
bool config_listen_has(const char *const *listen, uint32_t count, const struct address *a);

/* The same for one address that the command line names, or a standard. */
void config_listen_one(struct config_builder *b, const struct yaml_node *at, const char *who, const char *text,
                       struct config_listen *out);

/* Ranges of addresses, in the configuration's memory; what is none is told and left out. */
const struct address_range *config_ranges_read(struct config_builder *b, const struct config_value *v,
                                               uint32_t *count_out);

/* Who is asked for names. */
void config_resolver_read(struct config_builder *b, const struct yaml_node *node);

/* A port that somebody can be asked at: 1 to 65535. */
bool config_port_parse(struct span text, uint16_t *out);

/* Listeners for TLS and their certificates, as the file's map `tls` and the command line have them, if they do. Plain
 * listeners and settings are complete. */
void config_tls_read(struct config_builder *b, const struct config_options *options);

/* The word of `minimum` as the protocol writes it. */
uint16_t config_tls_version(uint64_t word);

/* What a site and a route demand of TLS and the certificates of clients. */
void config_site_demand(struct config_builder *b, const struct config_value v[], struct site *site);
void config_route_demand(struct config_builder *b, const struct config_value v[], struct route *route);

/*
 * The listener for the console, as the file's map `admin` (NULL: none) and the command line have it. Listeners, settings
 * and sites of the configuration are complete.
 */
void config_admin_read(struct config_builder *b, const struct yaml_node *node, const struct config_options *options);

/* The text in lower case, in the configuration's memory. */
struct span config_lower(struct config_builder *b, struct span text);

/* A path of the file, made relative to its folder. NUL-terminated; NULL when memory is short. */
const char *config_path(struct config_builder *b, struct span text);

#endif
