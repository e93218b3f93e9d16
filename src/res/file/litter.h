#ifndef RES_FILE_LITTER_H
#define RES_FILE_LITTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Names that the server keeps for itself below a root; clients can neither read nor write them, whatever is served:
 *
 *   .verdict-XXXXXXXXXXXXXXXX  a file on its way to its name (temp.h); its writer holds flock() on it
 *   .verdict/                  at the root only: what is remembered of it (tombstone.h)
 *
 * A file on its way that nobody holds was left behind by a crash: that is litter.
 */
#define FILE_OWN_DIRECTORY ".verdict"
#define FILE_TEMP_PREFIX   ".verdict-"

/* Does a segment of the path, decoded, belong to the server? */
bool file_path_is_own(struct span path);

/*
 * Walk the whole tree below a directory, links not followed, at most 128 levels deep: remove litter and add up the
 * sizes of the other files. Takes about a second for a million names that are in memory. For helper threads.
 *
 * root_fd   O_PATH will do
 * stop      set by another thread to end early
 *
 * Returns   bytes of all regular files; a file with several names counts with each. What cannot be read counts nothing.
 */
uint64_t file_litter_sweep(int root_fd, const atomic_bool *stop);

#endif
