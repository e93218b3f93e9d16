#ifndef ADMIN_FIND_H
#define ADMIN_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/source.h"

/*
 * Walks over what all workers keep, newest first. An exchange that is in two rings of its worker comes once.
 *
 *   struct find f;
 *   if (!find_begin(&f, source, of_admin)) ... no memory
 *   while ((r = find_next(&f)) != NULL) ... f.worker
 *   find_end(&f);
 */
struct find_ring; /* where the walk is in one ring */

struct find {
    const struct admin_source *source;
    struct find_ring *rings;
    uint32_t ring_count;
    uint32_t worker; /* of the record that find_next() gave last */
    struct find_cursor {
        uint64_t ended_ms; /* moments.ended_ms of the server's clock */
        uint64_t number;
        bool set;
    } before; /* only records behind this one, in the order of the walk; set it between find_begin() and find_next() */
};

bool find_begin(struct find *f, const struct admin_source *source, bool of_admin);
const struct record *find_next(struct find *f); /* valid until the next call */
void find_end(struct find *f);

/* The exchange of that id (eight letters) wherever it is; `last`: the newest of the workers, the admin's own left out.
 * NULL: it is not kept. Otherwise to be given to free(). */
struct record *find_id(const struct admin_source *source, struct span id, uint32_t *worker_out);

#endif
