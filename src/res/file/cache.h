#ifndef RES_FILE_CACHE_H
#define RES_FILE_CACHE_H

#include "res/file/file_impl.h"

/*
 * What one worker knows of paths: a hash table, and rings in the order of use. One thread; no system calls.
 * Entries in use are never freed, but may be taken out of the table; then the last user frees them.
 *
 * Two limits: descriptors are few, and `opened` counts the entries that hold some; all else is memory, counted in bytes.
 */

/* False without memory or randomness. */
bool file_cache_init(struct file_cache *c, uint32_t opened, uint64_t bytes);

/* All entries must be out of use. */
void file_cache_fini(struct file_cache *c);

/* Is e the entry with this key? */
bool file_cache_about(const struct file_entry *e, uint32_t root, enum file_kind kind, struct span path);

/* Believed or not; NULL: none. Counts as a use. */
struct file_entry *file_cache_find(struct file_cache *c, uint32_t root, enum file_kind kind, struct span path);

/* Put a new entry in, in place of the one with its key, and push out the least recently used over the limits. */
void file_cache_add(struct file_cache *c, struct file_entry *e);

/* An entry of the table has grown by so many bytes. */
void file_cache_grow(struct file_cache *c, struct file_entry *e, uint64_t bytes);

void file_cache_remove(struct file_cache *c, struct file_entry *e);

/* Let go of everything not in use: memory has run out. */
void file_cache_clear(struct file_cache *c);

/* Likewise, of what is behind descriptors: these have run out. */
void file_cache_close_files(struct file_cache *c);

#endif
