#include <ctype.h>

#include "http/token.h"
#include "serve/config_impl.h"

/* One of those who answer: where it is, and the words behind that. */

#define WEIGHT_MOST 1000
#define NAME_BYTES  253
#define LABEL_BYTES 63

static bool is_label(struct span label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!isalnum((unsigned char)label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
            return false;
    return label.n > 0 && label.n <= LABEL_BYTES && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

bool config_is_name(struct span text)
{
    struct span rest = span_ends(text, SPAN(".")) ? (struct span){ text.p, text.n - 1 } : text;
    struct span label = { 0 };

    if (rest.n == 0 || rest.n > NAME_BYTES)
        return false;
    while (rest.n > 0) {
        label = (struct span){ rest.p, span_find(rest, '.') };
        if (!is_label(label) || label.n + 1 == rest.n)
            return false;
        rest = span_from(rest, label.n < rest.n ? label.n + 1 : rest.n);
    }
    return token_span(label, TOKEN_DIGIT) < label.n;
}

static bool is_numeric(struct span host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && !token_is(host.p[i], TOKEN_DIGIT))
            return false;
    return host.n > 0;
}

bool config_port_parse(struct span text, uint16_t *out)
{
    unsigned port = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (!token_is(text.p[i], TOKEN_DIGIT) || port > UINT16_MAX)
            return false;
        port = port * 10 + (unsigned)(text.p[i] - '0');
    }
    *out = (uint16_t)port;
    return text.n > 0 && port > 0 && port <= UINT16_MAX;
}

static const char *address_take(struct config_builder *b, struct span text, struct upstream_origin *out)
{
    char room[ADDRESS_TEXT_BYTES];
    const char *why = "";
    struct span whole;

    if (address_parse(text, &out->address, &why) != 0)
        return why;
    out->text = arena_copy(b->memory, span_of(out->address.text));
    if (out->address.socket.ss_family == AF_UNIX)
        return NULL;
    whole = address_print((const struct sockaddr *)&out->address.socket, out->address.len, ADDRESS_HOST, room);
    out->host = arena_copy(b->memory, whole);
    whole = out->text;
    while (span_find(whole, ':') < whole.n)
        whole = span_from(whole, span_find(whole, ':') + 1);
    return config_port_parse(whole, &out->port) ? NULL : "nobody listens on port 0: write a number from 1 to 65535";
}

static bool is_bare_ipv6(struct span text)
{
    size_t colon = span_find(text, ':');

    return colon < text.n && span_find(span_from(text, colon + 1), ':') < text.n - colon - 1;
}

/* NAME:PORT, or an address. Why it is none, or NULL. */
static const char *place_take(struct config_builder *b, struct span text, struct upstream_origin *out)
{
    struct span host = { text.p, span_find(text, ':') };

    if (memmem(text.p, text.n, "://", 3) != NULL)
        return "nothing but http:// and https:// is spoken to servers";
    if (span_starts(text, SPAN("unix:")) || span_starts(text, SPAN("[")))
        return address_take(b, text, out);
    if (is_bare_ipv6(text))
        return "an IPv6 address stands in brackets: write it as in [2001:db8::1]:8080";
    if (host.n == text.n)
        return "no port: append one, as in app.example:8080, or write http:// or https:// before it";
    if (!config_port_parse(span_from(text, host.n + 1), &out->port))
        return "not a port: a number from 1 to 65535";
    if (is_numeric(host))
        return address_take(b, text, out) != NULL ? "not an IPv4 address: write it as in 192.0.2.1:8080" : NULL;
    if (!config_is_name(host))
        return "not a name or an address: write it as in app.example:8080, 192.0.2.1:8080, [2001:db8::1]:8080 or "
               "unix:/run/app";
    out->host = config_lower(b, host);
    out->text = arena_print(b->memory, "%.*s:%u", (int)out->host.n, out->host.n > 0 ? out->host.p : "", out->port);
    return NULL;
}

/* What stands behind "http://". */
static const char *authority_take(struct config_builder *b, struct span text, struct span standard_port,
                                  struct upstream_origin *out)
{
    struct span place = { text.p, span_find(text, '/') };
    size_t behind_host = span_starts(place, SPAN("[")) ? span_find(place, ']') : 0;
    struct span parts[2] = { place, standard_port };

    if (place.n + 1 < text.n || span_find(text, '?') < text.n || span_find(text, '#') < text.n)
        return "it ends with the port: what path is asked for is said by \"to\" of a route's \"gateway\"";
    if (span_find(place, '@') < place.n)
        return "a server has no user here: remove all before the @";
    if (place.n == 0 || span_starts(place, SPAN("unix:")))
        return "no host: write it as in https://app.example";
    if (span_find(span_from(place, behind_host), ':') == place.n - behind_host)
        place = arena_join(b->report.arena, parts, 2);
    return place.p != NULL ? place_take(b, place, out) : NULL;
}

static const char *where_take(struct config_builder *b, struct span text, struct upstream_origin *out,
                              enum config_scheme *scheme_out)
{
    *scheme_out = SCHEME_NONE;
    if (span_starts(text, SPAN("http://"))) {
        *scheme_out = SCHEME_HTTP;
        return authority_take(b, span_from(text, sizeof "http://" - 1), SPAN(":80"), out);
    }
    if (span_starts(text, SPAN("https://"))) {
        *scheme_out = SCHEME_HTTPS;
        return authority_take(b, span_from(text, sizeof "https://" - 1), SPAN(":443"), out);
    }
    return place_take(b, text, out);
}

static void weight_read(struct config_report *r, const struct yaml_node *node, struct span text,
                        struct upstream_origin *out)
{
    uint16_t weight;

    if (config_port_parse(text, &weight) && weight <= WEIGHT_MOST)
        out->weight = weight;
    else
        config_complain(r, node, "%s is no weight: a number from 1 to %u, as in weight=3", config_quote(r, text),
                        WEIGHT_MOST);
}

static void word_read(struct config_report *r, const struct yaml_node *node, struct span word,
                      struct upstream_origin *out)
{
    struct span name = { word.p, span_find(word, '=') };

    if (span_starts(word, SPAN("weight=")))
        weight_read(r, node, span_from(word, sizeof "weight=" - 1), out);
    else if (span_is(word, SPAN("backup")))
        out->backup = true;
    else if (span_is(word, SPAN("down")))
        out->down = true;
    else
        config_complain(r, node, "%s is no word of a server: %sallowed: weight=N, backup, down", config_quote(r, word),
                        config_near(r, name, SPAN("weight backup down")));
}

bool config_origin_read(struct config_builder *b, const struct yaml_node *node, struct upstream_origin *out,
                        enum config_scheme *scheme_out)
{
    struct span text = span_trim(node->text);
    struct span where = { text.p, span_find(text, ' ') };
    const char *why;

    *out = (struct upstream_origin){ .weight = 1 };
    why = where_take(b, where, out, scheme_out);
    if (why != NULL)
        config_complain(&b->report, node, "%s: %s", config_quote(&b->report, where), why);
    for (text = span_trim(span_from(text, where.n)); text.n > 0;) {
        struct span word = { text.p, span_find(text, ' ') };

        word_read(&b->report, node, word, out);
        text = span_trim(span_from(text, word.n));
    }
    return why == NULL;
}
