#ifndef RES_FILE_ROOT_H
#define RES_FILE_ROOT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A directory that is written to: one for each, whatever routes and configurations name it, made at first need and kept
 * until the server ends. What writers share about it is here.
 */
struct file_root {
    /* Set when it is made, then read-only. */
    struct file_root *next;
    uint64_t device, inode;
    int fd; /* O_PATH, owned */

    /* Any thread: see quota.h. */
    _Atomic int64_t used_bytes, reserved_bytes;
    _Atomic uint64_t counted_ms; /* CLOCK_MONOTONIC; 0: never */
    pthread_mutex_t counting;

    /* Under the lock of file_roots: see litter.h. */
    bool tidied;
    pthread_t tidier;
};

struct file_roots {
    pthread_mutex_t lock;
    struct file_root *first;
    atomic_bool stopping; /* tidiers give up */
};

void file_roots_init(struct file_roots *roots);

/* Stops and joins the tidiers. */
void file_roots_fini(struct file_roots *roots);

/* The one for an open directory; it lives until file_roots_fini(). 0 or -errno. Any thread; does not block on disks. */
int file_root_find(struct file_roots *roots, int directory_fd, struct file_root **out);

#endif
