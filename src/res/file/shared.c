#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "res/file/file_impl.h"
#include "res/file/litter.h"
#include "res/file/quota.h"
#include "res/file/tombstone.h"

struct file_shared *file_shared_new(void)
{
    struct file_shared *shared = calloc(1, sizeof *shared);

    if (shared == NULL)
        return NULL;
    file_roots_init(&shared->roots);
    file_path_locks_init(&shared->locks);
    return shared;
}

void file_shared_release(struct file_shared **shared)
{
    if (*shared == NULL)
        return;
    file_roots_fini(&(*shared)->roots);
    file_path_locks_fini(&(*shared)->locks);
    free(*shared);
    *shared = NULL;
}

struct tidying {
    struct file_root *root;
    const atomic_bool *stop;
    uint64_t tombstone_s;
};

/* The walk that finds litter counts for the quota as well. */
static void *tidy(void *arg)
{
    struct tidying *t = arg;

    pthread_setname_np(pthread_self(), "tidy");
    file_tombstone_prune(t->root->fd, t->tombstone_s, t->stop);
    file_quota_count(t->root, t->stop);
    free(t);
    return NULL;
}

/* Under the lock of the roots. Signals are for the main thread alone. */
static int tidy_start(struct file_root *root, struct tidying *t)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&root->tidier, NULL, tidy, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    root->tidied = err == 0;
    return -err;
}

int file_shared_tidy(struct file_shared *shared, const struct file_settings *settings)
{
    struct tidying *t = malloc(sizeof *t);
    struct file_root *root;
    int err = t != NULL ? file_root_find(&shared->roots, settings->root_fd, &root) : -ENOMEM;
    bool taken = false;

    if (err == 0) {
        *t = (struct tidying){ root, &shared->roots.stopping, settings->tombstone_s };
        pthread_mutex_lock(&shared->roots.lock);
        taken = !root->tidied;
        if (taken)
            err = tidy_start(root, t);
        pthread_mutex_unlock(&shared->roots.lock);
    }
    if (!taken || err != 0)
        free(t);
    return err;
}
