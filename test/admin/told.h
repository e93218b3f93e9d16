#ifndef TEST_ADMIN_TOLD_H
#define TEST_ADMIN_TOLD_H

/* Records made by hand, and their stories as lines of text, for test_story.c. */
#include "admin/story.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/node.h"
#include "graph/draw.h"
#include "graph/graph.h"
#include "path.h"

#define ARRIVE \
    "receive> admitted+ port_fits+ version_supported+ method_known+ understand> expectation_met+ server_wide- "
#define SITED   "route> secured- port_moves- https_meant- tls_wanted- site_known+ site_running+ "
#define FITS    SITED "route_found+ replay_possible- path_fits+ query_fits+ "
#define ROUTED  FITS "segments_fit+ answer_configured- "
#define ALLOWED ARRIVE ROUTED "method_allowed+ asks_trace- name_visible+ "
#define OPENED  ALLOWED "has_content- hints_due- is_origin+ open> asks_options- condition_demanded- "
#define ENCODED OPENED "exists+ is_collection- select> negotiates- encode> coding_acceptable+ "
#define STORES  ALLOWED "has_content+ length_given+ content_fits+ content_stored+ content_coding_plain+ content_whole+ "
#define STORES_THERE                                                                                                   \
    STORES "hints_due- is_origin+ open> asks_options- condition_demanded- exists+ is_collection- select> negotiates- " \
           "encode> "

#define MODIFIED 1798761599 /* Thu, 31 Dec 2026 23:59:59 GMT */

/* What a record is made of, by hand. */
struct given {
    const char *request, *reply, *operand, *route;
    const char *path; /* as walk_print() writes one */
    enum reason why;
    uint32_t at;
    enum method method;
    bool request_cut, unreadable, unanswered, h2;
    struct facts facts;
    struct brought brought;
    struct waited waits[EXCHANGE_WAITS];
    struct record_forwarding forwarding; /* without a name: it went nowhere */
};

static const char *site_name(void *server, uint16_t site)
{
    static const char *const names[] = { "", "example.org" };

    (void)server;
    return site < 2 ? names[site] : NULL;
}

static const struct admin_source source = { .site_name = site_name };

static uint32_t put(char **to, const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;

    if (n > 0)
        *to = mempcpy(*to, text, n);
    return (uint32_t)n;
}

static void put_peer(struct record *r)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(5555) };

    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &peer.sin_addr), 1);
    memcpy(r->peer, &peer, sizeof peer);
    r->peer_bytes = sizeof peer;
}

static const struct resource_ops file = { .name = "file" };

/* The caller frees. */
static struct record *record_of(const struct given *g)
{
    struct record *r = calloc(1, sizeof *r + 8192);
    char *to = (char *)(r + 1);

    assert_non_null(r);
    r->bytes_in = 78;
    r->moments = (struct moments){ 1000, 1000, 1002, 0, g->unanswered ? 0 : 1005, 1006 };
    memcpy(r->waits, g->waits, sizeof r->waits);
    r->trace = trace_of(g->path);
    r->facts = g->facts;
    r->brought = g->brought;
    r->resource = g->route != NULL ? &file : NULL;
    r->at = g->at;
    r->why = (uint16_t)g->why;
    r->site = g->route != NULL || g->why == R_route_not_found;
    r->method = (uint8_t)g->method;
    r->major = g->h2 ? 2 : 1;
    r->minor = !g->h2;
    r->has_request_line = !g->unreadable;
    r->request_cut = g->request_cut;
    put_peer(r);
    r->reply_bytes = put(&to, g->reply);
    r->request_bytes = put(&to, g->request);
    r->operand_bytes = put(&to, g->operand);
    r->route_bytes = put(&to, g->route);
    r->forwarded = g->forwarding.upstream_bytes > 0;
    memcpy(to, &g->forwarding, sizeof g->forwarding);
    return r;
}

static const char *member(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);

    assert_non_null(value);
    return json_is_null(value) ? "null" : json_string_value(value);
}

static enum node_answer answer_of(const char *name)
{
    static const char *const names[] = { "no", "yes", "done", "stopped", "waits" };

    for (unsigned a = 0; a <= NODE_WAITS; a++)
        if (strcmp(name, names[a]) == 0)
            return a;
    fail_msg("no answer: %s", name);
    return NODE_NO;
}

/* The id is one of the picture's: of an edge, or of the box of an end. */
static void check_drawn(void (*draw)(FILE *out, enum dialect dialect), const char *opener, const char *id)
{
    char *text = NULL, want[160];
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    draw(out, DIALECT_RFC);
    assert_int_equal(fclose(out), 0);
    snprintf(want, sizeof want, "%s\"%s\"", opener, id);
    if (strstr(text, want) == NULL)
        fail_msg("not drawn: %s", want);
    free(text);
}

/* What follows from the node and its answer. */
static void check_node(const json_t *o, enum language language)
{
    struct span name = span_of(member(o, "node"));
    const struct node *node = &graph_nodes[node_of(name)];

    assert_int_equal(json_object_size(o), 9);
    assert_string_equal(member(o, "kind"), node->ask != NULL ? "ask" : "act");
    assert_string_equal(member(o, "spec"), node->spec);
    if (!json_is_null(json_object_get(o, "edge")))
        check_drawn(draw_json, "\"id\": ", member(o, "edge"));
    assert_string_equal(member(o, "text"), explain_node(name, language));
    assert_string_equal(member(o, "says"), explain_node_answer(name, answer_of(member(o, "answer")), language));
}

static void print_node(FILE *out, const json_t *o)
{
    const json_t *facts = json_object_get(o, "facts"), *fact;
    size_t i;

    assert_true(json_is_array(facts));
    fprintf(out, "%s %s %s", member(o, "node"), member(o, "answer"), member(o, "edge"));
    json_array_foreach(facts, i, fact)
    {
        assert_int_equal(json_object_size(fact), 2);
        fprintf(out, " %s=%s", member(fact, "name"), member(fact, "value"));
    }
    fputc('\n', out);
}

/* A line a node from `from` on, and one for the end; the caller frees. */
static char *told(const struct given *g, const char *from)
{
    struct record *r = record_of(g);
    json_t *path = story_path(&source, r, LANGUAGE_EN), *end = story_end(r), *node;
    bool begun = from == NULL;
    char *text = NULL;
    size_t bytes = 0, i;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    json_array_foreach(path, i, node)
    {
        check_node(node, LANGUAGE_EN);
        begun = begun || strcmp(member(node, "node"), from) == 0;
        if (begun)
            print_node(out, node);
    }
    if (json_is_null(end)) {
        fputs("no end\n", out);
    } else {
        check_drawn(draw_dot, "id=", member(end, "box"));
        fprintf(out, "end %s %s\n", member(end, "box"), member(end, "edge"));
    }
    assert_int_equal(fclose(out), 0);
    json_decref(path);
    json_decref(end);
    free(r);
    return text;
}

static void tells(const struct given *g, const char *from, const char *want)
{
    char *got = told(g, from);

    assert_string_equal(got, want);
    free(got);
}

#endif
