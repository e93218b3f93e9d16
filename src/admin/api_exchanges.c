#include <stdio.h>

#include "admin/api.h"
#include "admin/filter.h"
#include "admin/find.h"
#include "admin/member.h"
#include "admin/row.h"

/* Rows of a page. */
#define LIMIT      100u /* not a status */
#define LIMIT_MOST 500u /* not a status */

/* What is asked for. */
struct page {
    struct filter filter;
    struct find_cursor before;
    uint64_t limit;
};

/* "1234-5678", as cursor_json() writes it. */
static bool cursor_read(struct find_cursor *c, const struct query *q)
{
    struct span text = query_value(q, SPAN("before"));
    size_t hyphen = span_find(text, '-');
    struct query parts = { .count = 2 };

    c->set = text.p != NULL;
    if (!c->set)
        return true;
    if (hyphen == text.n)
        return false;
    parts.all[0] = (struct query_parameter){ SPAN("ended"), { text.p, hyphen } };
    parts.all[1] = (struct query_parameter){ SPAN("number"), span_from(text, hyphen + 1) };
    return query_number(&parts, SPAN("ended"), 0, UINT64_MAX, &c->ended_ms) &&
           query_number(&parts, SPAN("number"), 0, UINT64_MAX, &c->number);
}

static json_t *cursor_json(const struct find_cursor *c)
{
    char text[48];

    if (!c->set)
        return json_null();
    snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)c->ended_ms, (unsigned long long)c->number);
    return json_string(text);
}

static bool page_read(struct page *p, struct api *api, const struct query *q)
{
    if (!filter_read(&p->filter, q, api->unix_ms, &api->fault))
        return false;
    if (!query_number(q, SPAN("limit"), LIMIT, LIMIT_MOST, &p->limit) || p->limit == 0)
        api->fault = SPAN("limit");
    else if (!cursor_read(&p->before, q))
        api->fault = SPAN("before");
    return api->fault.n == 0;
}

/* The rows of the page, and behind them the cursor of the next: set when there is anything behind the last row. */
static json_t *rows_json(struct find *f, const struct page *p, uint64_t *scanned, struct find_cursor *next)
{
    json_t *rows = json_array();
    const struct record *r;
    uint64_t count = 0;

    while ((r = find_next(f)) != NULL) {
        if (count == p->limit) {
            next->set = true;
            break;
        }
        ++*scanned;
        if (!filter_passes(&p->filter, f->source, r))
            continue;
        *next = (struct find_cursor){ .ended_ms = r->moments.ended_ms, .number = r->number };
        element(&rows, row_json(f->source, r, f->worker));
        count++;
    }
    return rows;
}

json_t *api_exchanges(struct api *api, const struct query *q)
{
    struct find_cursor next = { 0 };
    uint64_t scanned = 0;
    struct find f;
    struct page p;
    json_t *o;

    if (!page_read(&p, api, q) || !find_begin(&f, api->source, p.filter.of_admin))
        return NULL;
    f.before = p.before;
    o = json_object();
    member(&o, "exchanges", rows_json(&f, &p, &scanned, &next));
    member(&o, "next", cursor_json(&next));
    member_number(&o, "scanned", scanned);
    member_number(&o, "now_ms", api->unix_ms);
    find_end(&f);
    return o;
}
