#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/exchange.h"
#include "res/fixed/fixed.h"

struct asked {
    enum method method;
    const char *path, *subpath, *query; /* query NULL: no '?' */
};

/* Fields: each as "Name: value\n". content NULL: none. */
struct fixed_case {
    struct fixed_settings settings;
    struct asked asked;
    enum reason why; /* R_NONE: open() says to go on */
    const char *operand, *fields, *link_to, *note, *content;
};

#define GET .asked = { M_GET, "/x", "/", NULL }
#define KEEP(to, where) \
    .settings = { .why = R_temporary_redirect, .location = SPAN_INIT(to), .keep_path = true }, .asked = where
#define AT(path, subpath, query)    \
    {                               \
        M_GET, path, subpath, query \
    }
#define GOES(to) .why = R_temporary_redirect, .operand = to, .fields = "Location: " to "\n", .link_to = to

static const struct fixed_case cases[] = {
    { .settings = { .why = R_gone }, GET, .why = R_gone },
    { .settings = { .why = R_teapot, .text = SPAN_INIT("no <coffee>") }, GET, .why = R_teapot, .note = "no <coffee>" },
    { .settings = { .why = R_maintenance, .retry_after_s = 3600 },
      GET,
      .why = R_maintenance,
      .fields = "Retry-After: 3600\n" },
    { .settings = { .why = R_legal_block,
                    .blocked_by = SPAN_INIT("https://a.example/"),
                    .text = SPAN_INIT("order 12") },
      GET,
      .why = R_legal_block,
      .operand = "https://a.example/",
      .fields = "Link: <https://a.example/>; rel=\"blocked-by\"\n",
      .note = "order 12" },
    { .settings = { .why = R_upgrade_required, .upgrade = SPAN_INIT("TLS/1.3") },
      GET,
      .why = R_upgrade_required,
      .operand = "TLS/1.3",
      .fields = "Upgrade: TLS/1.3\nConnection: upgrade\n" },
    { .settings = { .why = R_no_content }, GET, .why = R_no_content },
    { .settings = { .why = R_dropped_silently }, GET, .why = R_dropped_silently },

    /* content of its own */
    { .settings = { .why = R_request_ok, .text = SPAN_INIT("hello") },
      GET,
      .fields = "Content-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff\n",
      .content = "hello" },
    { .settings = { .why = R_request_ok, .text = SPAN_INIT("<b>"), .content_type = SPAN_INIT("text/html") },
      GET,
      .fields = "Content-Type: text/html\nX-Content-Type-Options: nosniff\n",
      .content = "<b>" },
    { .settings = { .why = R_request_ok },
      GET,
      .fields = "Content-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff\n",
      .content = "" },
    { .settings = { .why = R_accepted_queued, .text = SPAN_INIT("later") },
      GET,
      .why = R_accepted_queued,
      .fields = "Content-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff\n",
      .content = "later" },
    { .settings = { .why = R_accepted_queued }, GET, .why = R_accepted_queued },

    /* CONNECT is promised nothing, and refused like all others */
    { .settings = { .why = R_request_ok }, .asked = { M_CONNECT, "/", "/", NULL }, .why = R_request_policy_denied },
    { .settings = { .why = R_no_content }, .asked = { M_CONNECT, "/", "/", NULL }, .why = R_request_policy_denied },
    { .settings = { .why = R_gone }, .asked = { M_CONNECT, "/", "/", NULL }, .why = R_gone },

    /* redirects: a fixed place */
    { .settings = { .why = R_moved_permanently, .location = SPAN_INIT("https://e.org/n?a#b") },
      .asked = { M_POST, "/x/y", "/y", "q" },
      .why = R_moved_permanently,
      .operand = "https://e.org/n?a#b",
      .fields = "Location: https://e.org/n?a#b\n",
      .link_to = "https://e.org/n?a#b" },

    /* redirects: the rest of the path follows */
    { KEEP("https://e.org/n", AT("/x", "/", NULL)), GOES("https://e.org/n") },
    { KEEP("https://e.org/n", AT("/x/", "/", NULL)), GOES("https://e.org/n/") },
    { KEEP("https://e.org/n", AT("/x/y/z", "/y/z", NULL)), GOES("https://e.org/n/y/z") },
    { KEEP("https://e.org/n/", AT("/x/y", "/y", NULL)), GOES("https://e.org/n/y") },
    { KEEP("https://e.org/n/", AT("/x", "/", NULL)), GOES("https://e.org/n/") },
    { KEEP("https://e.org", AT("/y", "/y", NULL)), GOES("https://e.org/y") },
    { KEEP("/n", AT("/x/y", "/y", "a=b")), GOES("/n/y?a=b") },
    { KEEP("/n", AT("/x", "/", "")), GOES("/n?") },
    { KEEP("/n", AT("/x/a b\"\r\n\xc3\xa9", "/a b\"\r\n\xc3\xa9", NULL)), GOES("/n/a%20b%22%0D%0A%C3%A9") },
    /* "//evil" would be another server */
    { KEEP("/", AT("/x/evil.example", "/evil.example", NULL)), GOES("/evil.example") },
    { KEEP("/", AT("/x/\\evil", "/\\evil", NULL)), GOES("/%5Cevil") },
};

struct fixture {
    struct exchange x;
    char fields[512], content[64];
};

static void fixture_init(struct fixture *f, const struct fixed_case *c, size_t memory)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->x.arena, NULL, 0, memory);
    f->x.res_settings = &c->settings;
    f->x.req.head.method = c->asked.method;
    f->x.req.path = span_of(c->asked.path);
    f->x.req.subpath = span_of(c->asked.subpath);
    f->x.req.target.has_query = c->asked.query != NULL;
    if (c->asked.query != NULL)
        f->x.req.target.query = span_of(c->asked.query);
}

static void collect(struct fixture *f)
{
    char *at = f->fields;
    struct piece piece;

    for (uint32_t i = 0; i < f->x.reply.count; i++)
        at += sprintf(at, "%.*s: %.*s\n", (int)f->x.reply_fields[i].name.n, f->x.reply_fields[i].name.p,
                      (int)f->x.reply_fields[i].value.n, f->x.reply_fields[i].value.p);
    if (f->x.reply.body == NULL)
        return;
    assert_int_equal(f->x.reply.body->ops->next(f->x.reply.body, &f->x, &piece), FLOW_GO);
    if (piece.bytes.n > 0)
        memcpy(f->content, piece.bytes.p, piece.bytes.n);
}

static void assert_span(struct span is, const char *want)
{
    assert_int_equal(is.n, want != NULL ? strlen(want) : 0);
    if (is.n > 0)
        assert_memory_equal(is.p, want, is.n);
}

static void each_answer_is_given(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fixed_case *c = &cases[i];
        struct fixture f;

        fixture_init(&f, c, 1 << 16);
        assert_int_equal(fixed_resource.open(&f.x), c->why == R_NONE ? FLOW_GO : FLOW_STOP);
        collect(&f);
        assert_int_equal(f.x.verdict.why, c->why);
        assert_span(f.x.verdict.operand, c->operand);
        assert_string_equal(f.fields, c->fields != NULL ? c->fields : "");
        assert_span(f.x.reply.link_to, c->link_to);
        assert_span(f.x.reply.note, c->note);
        assert_int_equal(f.x.reply.body != NULL, c->content != NULL);
        assert_string_equal(f.content, c->content != NULL ? c->content : "");
        assert_false(f.x.arena.full);
        arena_reset(&f.x.arena);
    }
}

/* The arena stays full, which is what the answer looks at. */
static void without_memory_nothing_breaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;

        fixture_init(&f, &cases[i], 0);
        fixed_resource.open(&f.x);
        assert_true(f.x.arena.full || f.x.reply.body == NULL);
        arena_reset(&f.x.arena);
    }
}

static void every_method_is_taken(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++)
        assert_true((fixed_resource.methods >> m & 1) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_given),
        cmocka_unit_test(without_memory_nothing_breaks),
        cmocka_unit_test(every_method_is_taken),
    };

    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
