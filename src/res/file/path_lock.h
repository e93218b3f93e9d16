#ifndef RES_FILE_PATH_LOCK_H
#define RES_FILE_PATH_LOCK_H

#include <pthread.h>
#include <sys/stat.h>

#define FILE_PATH_LOCKS 64

/*
 * Whoever changes what a name stands for holds its lock from the last look to the change, so that of two writers with
 * the same If-Match one wins (RFC9110:13.1.1). The key is the directory itself, not the text of a path: routes and links
 * that lead to the same directory share the lock. Names that fall on the same stripe wait for each other, which costs
 * microseconds.
 *
 * Threads  helpers of all workers; never the workers themselves
 * Limits   one process. What other programs do between the last look and the change goes unseen: no system call
 *          compares and renames at once. A second server on the same directory needs a lock outside of both.
 */
struct file_path_locks {
    pthread_mutex_t stripes[FILE_PATH_LOCKS];
};

void file_path_locks_init(struct file_path_locks *locks);
void file_path_locks_fini(struct file_path_locks *locks);

/* The lock of `name` in the directory, not yet taken. */
pthread_mutex_t *file_path_lock(struct file_path_locks *locks, const struct stat *directory, const char *name);

#endif
