#ifndef RES_FILE_NAME_H
#define RES_FILE_NAME_H

#include <pthread.h>

#include "res/file/change.h"

/* The name that changes. On a helper, within one job. */
struct file_name {
    struct file_place at;
    const char *text; /* the name itself, in `at` */
    int directory_fd; /* O_PATH */
    bool is_there;    /* something has the name: what, says `st`, links not followed */
    struct stat st;
    pthread_mutex_t *lock; /* NULL: not held */
};

/* Find the directory. 0 or -errno; then nothing is open. */
int file_name_open(struct file_name *n, const struct file_change *c, struct span path);

/*
 * Take the lock of the name and look once more: from here to file_name_fini() nobody else of this server changes it.
 * R_NONE; or write_conflict_stale_version, if_none_match_failed when the guard fails, or what `*error_out` gives.
 */
enum reason file_name_lock(struct file_name *n, const struct file_change *c, int *error_out);

/* What was looked up before is believed no more. Call it before the lock is let go. */
void file_name_changed(const struct file_change *c);

/* Make the change of the directory durable, where that is asked for. Without the lock. 0 or -errno. */
int file_name_sync(const struct file_name *n, const struct file_change *c);

void file_name_unlock(struct file_name *n);
void file_name_fini(struct file_name *n);

#endif
