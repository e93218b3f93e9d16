#include "res/file/litter.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 128

bool file_path_is_own(struct span path)
{
    while (path.n > 0) {
        size_t n = span_find(path, '/');
        struct span segment = { path.p, n };

        if (span_is(segment, SPAN(FILE_OWN_DIRECTORY)) || span_starts(segment, SPAN(FILE_TEMP_PREFIX)))
            return true;
        path = span_from(path, n < path.n ? n + 1 : n);
    }
    return false;
}

struct sweep {
    const atomic_bool *stop;
    uint64_t bytes;
};

/* The lock first, then the name: a writer that made the name and has not locked it yet sees that it lost it. */
static void litter_remove(int directory_fd, const char *name)
{
    int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory_fd, name, 0);
    close(fd);
}

static void sweep_directory(struct sweep *s, int directory_fd, const char *name, unsigned depth);

static void sweep_name(struct sweep *s, int directory_fd, const char *name, unsigned depth)
{
    struct stat st;

    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (S_ISDIR(st.st_mode))
        sweep_directory(s, directory_fd, name, depth + 1);
    else if (S_ISREG(st.st_mode) && span_starts(span_of(name), SPAN(FILE_TEMP_PREFIX)))
        litter_remove(directory_fd, name);
    else if (S_ISREG(st.st_mode))
        s->bytes += (uint64_t)st.st_size;
}

static bool is_passed_over(const char *name, unsigned depth)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (depth == 0 && strcmp(name, FILE_OWN_DIRECTORY) == 0);
}

static void sweep_directory(struct sweep *s, int directory_fd, const char *name, unsigned depth)
{
    int fd = depth < DEPTH_MAX ? openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while (!atomic_load_explicit(s->stop, memory_order_relaxed) && (e = readdir(d)) != NULL)
        if (!is_passed_over(e->d_name, depth))
            sweep_name(s, fd, e->d_name, depth);
    closedir(d);
}

uint64_t file_litter_sweep(int root_fd, const atomic_bool *stop)
{
    struct sweep s = { .stop = stop };

    sweep_directory(&s, root_fd, ".", 0);
    return s.bytes;
}
