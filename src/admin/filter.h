#ifndef ADMIN_FILTER_H
#define ADMIN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/query.h"
#include "admin/source.h"
#include "record/record.h"

/* Which exchanges are wanted; by docs/admin.md. Spans are borrowed from the query. */
struct filter {
    struct span site, client, text, upstream; /* p == NULL: any */
    enum reason why;                          /* R_NONE: any */
    int status, class;                        /* -1: any */
    int sub;                                  /* of IIS, besides a status; -1: any */
    bool failed;
    bool of_admin; /* the exchanges of the admin listener itself, and no others */
    uint64_t since_unix_ms;
};

/* False: *bad_out is the name of the parameter that cannot be understood, or that nobody knows. Parameters of the walk (before, limit)
 * and of texts (lang) are passed over. */
bool filter_read(struct filter *f, const struct query *q, uint64_t unix_ms, struct span *bad_out);

/* Is the filter the same as one that lets all exchanges of all sites pass? */
bool filter_is_open(const struct filter *f);

/* Does the record pass? That it is of a view of the right kind (of_admin) is the caller's business. */
bool filter_passes(const struct filter *f, const struct admin_source *source, const struct record *r);

#endif
