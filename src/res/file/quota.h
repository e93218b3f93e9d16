#ifndef RES_FILE_QUOTA_H
#define RES_FILE_QUOTA_H

#include "res/file/root.h"

/*
 * How many bytes the files below a root may have in all.
 *
 *   used       counted once, then changed by every PUT and DELETE, and counted again when a write comes and the count is
 *              older than FILE_QUOTA_FRESH_MS
 *   reserved   what the uploads under way will add
 *
 * Precision: sizes as `ls` tells them, not blocks. What other programs do is seen with the next count, so a minute late
 * or, without writes, later. A file that changes while the tree is counted may count twice or not at all until the next
 * count. A root inside another one has a count of its own. The count is of this process: several machines on one tree
 * each count for themselves. Meant to keep a share from filling a disk, not to bill for bytes.
 */
#define FILE_QUOTA_FRESH_MS 60000

/* Count if it is time to. Blocks for as long as the walk takes: for helpers. Those who come while the very first count
 * is under way wait for it; later ones use the old count meanwhile. */
void file_quota_count(struct file_root *root, const atomic_bool *stop);

/*
 * Any thread, O(1): is there room for an upload to add `bytes` in all?
 *
 * *reserved   what this upload has reserved so far, 0 at first; grows when there is room
 */
bool file_quota_reserve(struct file_root *root, uint64_t quota_bytes, uint64_t bytes, uint64_t *reserved);

/* The upload is over: nothing is reserved for it any more. */
void file_quota_release(struct file_root *root, uint64_t *reserved);

/* The files have so many bytes more, or less. */
void file_quota_add(struct file_root *root, int64_t bytes);

#endif
