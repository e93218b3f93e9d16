#include "res/file/path_lock.h"

#include <stdint.h>
#include <string.h>

#include <xxhash.h>

void file_path_locks_init(struct file_path_locks *locks)
{
    for (unsigned i = 0; i < FILE_PATH_LOCKS; i++)
        pthread_mutex_init(&locks->stripes[i], NULL);
}

void file_path_locks_fini(struct file_path_locks *locks)
{
    for (unsigned i = 0; i < FILE_PATH_LOCKS; i++)
        pthread_mutex_destroy(&locks->stripes[i]);
}

pthread_mutex_t *file_path_lock(struct file_path_locks *locks, const struct stat *directory, const char *name)
{
    const uint64_t where[] = { directory->st_dev, directory->st_ino };
    uint64_t hash = XXH3_64bits_withSeed(name, strlen(name), XXH3_64bits(where, sizeof where));

    return &locks->stripes[hash % FILE_PATH_LOCKS];
}
