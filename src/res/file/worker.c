#include <stdlib.h>

#include "res/file/cache.h"
#include "res/file/directory.h"

struct file_worker *file_worker_new(const struct file_worker_settings *settings, struct offload *helpers,
                                    struct mail_box *mail, const struct media_types *types, struct file_shared *shared)
{
    struct file_worker *fw = calloc(1, sizeof *fw);

    if (fw == NULL)
        return NULL;
    link_init(&fw->jobs);
    fw->settings = *settings;
    fw->helpers = helpers;
    fw->mail = mail;
    fw->types = types;
    fw->shared = shared;
    if (!file_cache_init(&fw->cache, settings->cache_entries, settings->cache_bytes))
        file_worker_release(&fw);
    return fw;
}

void file_worker_forget(struct file_worker *fw)
{
    file_cache_clear(&fw->cache);
    file_directory_forget(fw);
}

void file_worker_release(struct file_worker **worker)
{
    struct file_worker *fw = *worker;

    *worker = NULL;
    if (fw == NULL)
        return;
    file_cache_fini(&fw->cache);
    file_directory_forget(fw);
    free(fw);
}
