#ifndef ADMIN_UPSTREAM_ROWS_H
#define ADMIN_UPSTREAM_ROWS_H

#include <stdint.h>

#include "admin/source.h"

/* What all workers know together of one server that requests are handed on to. */
struct upstream_row {
    char upstream[MEMBER_NAME_BYTES], server[MEMBER_NAME_BYTES];
    uint32_t workers, live, resting, checked_down, down; /* workers that know it, and that see it so */
    uint64_t connections, idle, exchanges, waiting, requests, failures;
};

/* Rows in the order of the configuration, servers of one upstream side by side; *count_out may be 0. NULL: no memory. The
 * caller frees. Any thread. */
struct upstream_row *upstream_rows(const struct admin_source *source, uint32_t *count_out);

#endif
