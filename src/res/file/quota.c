#include "res/file/quota.h"

#include <time.h>

#include "res/file/litter.h"

static uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool is_fresh(struct file_root *root)
{
    uint64_t counted_ms = atomic_load(&root->counted_ms);

    return counted_ms != 0 && clock_ms() - counted_ms < FILE_QUOTA_FRESH_MS;
}

/* Time of the walk's end, so that a tree that takes long to count is not counted all the time. */
static void count(struct file_root *root, const atomic_bool *stop)
{
    uint64_t bytes;

    if (is_fresh(root))
        return;
    bytes = file_litter_sweep(root->fd, stop);
    atomic_store(&root->used_bytes, (int64_t)bytes);
    atomic_store(&root->counted_ms, clock_ms());
}

void file_quota_count(struct file_root *root, const atomic_bool *stop)
{
    if (is_fresh(root))
        return;
    if (atomic_load(&root->counted_ms) == 0)
        pthread_mutex_lock(&root->counting);
    else if (pthread_mutex_trylock(&root->counting) != 0)
        return;
    count(root, stop);
    pthread_mutex_unlock(&root->counting);
}

bool file_quota_reserve(struct file_root *root, uint64_t quota_bytes, uint64_t bytes, uint64_t *reserved)
{
    int64_t more, all;

    if (bytes <= *reserved)
        return true;
    if (bytes > quota_bytes)
        return false;
    more = (int64_t)(bytes - *reserved);
    all = atomic_fetch_add(&root->reserved_bytes, more) + more + atomic_load(&root->used_bytes);
    if (all > 0 && (uint64_t)all > quota_bytes) {
        atomic_fetch_sub(&root->reserved_bytes, more);
        return false;
    }
    *reserved = bytes;
    return true;
}

void file_quota_release(struct file_root *root, uint64_t *reserved)
{
    if (*reserved > 0)
        atomic_fetch_sub(&root->reserved_bytes, (int64_t)*reserved);
    *reserved = 0;
}

void file_quota_add(struct file_root *root, int64_t bytes)
{
    atomic_fetch_add(&root->used_bytes, bytes);
}
