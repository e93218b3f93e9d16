#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "res/file/file_impl.h"

static size_t names_bytes(const struct file_settings *settings)
{
    size_t n = 1;

    for (unsigned i = 0; i < FILE_INDEX_NAMES && settings->index[i] != NULL; i++)
        n += strlen(settings->index[i]) + 1;
    return n;
}

static void names_copy(struct file_kept *kept)
{
    char *at = kept->names;

    for (unsigned i = 0; i < FILE_INDEX_NAMES && kept->settings.index[i] != NULL; i++) {
        size_t n = strlen(kept->settings.index[i]) + 1;

        kept->settings.index[i] = memcpy(at, kept->settings.index[i], n);
        at += n;
    }
}

int file_settings_keep(struct file_kept *kept, const struct file_settings *settings)
{
    char *names = malloc(names_bytes(settings));
    int fd = names != NULL ? fcntl(settings->root_fd, F_DUPFD_CLOEXEC, 0) : -1;

    if (fd < 0) {
        int err = names != NULL ? -errno : -ENOMEM;

        free(names);
        return err;
    }
    *kept = (struct file_kept){ .settings = *settings, .names = names };
    kept->settings.root_fd = fd;
    kept->settings.root = kept->settings.default_language = NULL;
    names_copy(kept);
    return 0;
}

void file_settings_drop(struct file_kept *kept)
{
    if (kept->names == NULL)
        return;
    close(kept->settings.root_fd);
    free(kept->names);
    kept->names = NULL;
}
