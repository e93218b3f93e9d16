#include "admin/upstream_rows.h"

#include <stdlib.h>
#include <string.h>

/* Workers differ only while a reload reaches them: what none before has told of comes last. */
#define ROWS_MOST ((size_t)2 * MEMBER_ROWS)

/* In what all workers told alike, a row is where the last worker's was: so looking begins there. */
static struct upstream_row *row_find(struct upstream_row *rows, uint32_t count, uint32_t from,
                                     const struct member_row *m)
{
    for (uint32_t i = 0; i < count; i++) {
        struct upstream_row *row = &rows[(from + i) % count];

        if (strcmp(row->server, m->server) == 0 && strcmp(row->upstream, m->upstream) == 0)
            return row;
    }
    return NULL;
}

static struct upstream_row *row_new(struct upstream_row *rows, uint32_t *count, const struct member_row *m)
{
    struct upstream_row *row;

    if (*count == ROWS_MOST)
        return NULL;
    row = &rows[(*count)++];
    memcpy(row->upstream, m->upstream, sizeof row->upstream);
    memcpy(row->server, m->server, sizeof row->server);
    return row;
}

static void row_add(struct upstream_row *row, const struct member_row *m)
{
    row->workers++;
    row->live += m->live;
    row->resting += m->resting;
    row->checked_down += m->checked_down;
    row->down += m->down;
    row->connections += m->connections;
    row->idle += m->idle;
    row->exchanges += m->exchanges;
    row->waiting += m->waiting;
    row->requests += m->requests;
    row->failures += m->failures;
}

static void page_add(struct upstream_row *rows, uint32_t *count, const struct member_row *page, uint32_t page_count)
{
    for (uint32_t i = 0; i < page_count; i++) {
        struct upstream_row *row = row_find(rows, *count, i, &page[i]);

        if (row == NULL)
            row = row_new(rows, count, &page[i]);
        if (row != NULL)
            row_add(row, &page[i]);
    }
}

struct upstream_row *upstream_rows(const struct admin_source *source, uint32_t *count_out)
{
    struct member_row *page = malloc((MEMBER_ROWS + 1) * sizeof *page);
    struct upstream_row *rows = page != NULL ? calloc(ROWS_MOST, sizeof *rows) : NULL;

    *count_out = 0;
    for (uint32_t i = 0; i < source->view_count && rows != NULL; i++)
        if (source->views[i].members != NULL)
            page_add(rows, count_out, page, member_page_read(source->views[i].members, page));
    free(page);
    return rows;
}
