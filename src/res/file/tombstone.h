#ifndef RES_FILE_TOMBSTONE_H
#define RES_FILE_TOMBSTONE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * What was deleted here answers gone instead of not-found (RFC9110:15.5.11), until something new is put there or the
 * lifetime is over.
 *
 * A tombstone is a small file beside the content: ROOT/.verdict/gone/HASH, which holds the path and whose time of
 * modification is the time of the removal. Why not a table of a database: the file system that holds the content is the
 * one store that all workers, a second server and a second machine on the same tree share already; making and removing a
 * name is atomic there, survives a crash as well as the content does, moves and is backed up with it, and needs neither
 * a state directory nor a lock. The price is a hidden directory in the tree, from the first removal on. An operator
 * forgets a removal by deleting its file, and all of them by deleting the directory.
 *
 * root_fd      O_PATH will do
 * path         relative to the root, as struct file_place has it
 * lifetime_s   seconds; 0: for ever
 * Threads      helpers; all of it blocks
 */

/* Was it deleted here, and not too long ago? False also when that cannot be told. */
bool file_tombstone_there(int root_fd, struct span path, uint64_t lifetime_s);

/* 0 or -errno. */
int file_tombstone_add(int root_fd, struct span path);
void file_tombstone_remove(int root_fd, struct span path);

/* Forget all that are over. */
void file_tombstone_prune(int root_fd, uint64_t lifetime_s, const atomic_bool *stop);

#endif
