#include "res/file/tombstone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "res/file/litter.h"
#include "res/file/walk.h"

#define GONE       FILE_OWN_DIRECTORY "/gone"
#define NAME_BYTES (sizeof GONE + 1 + 32)

static void name_write(char out[NAME_BYTES], struct span path)
{
    XXH128_hash_t h = XXH3_128bits(path.p, path.n);

    snprintf(out, NAME_BYTES, GONE "/%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

static bool is_over(const struct stat *st, uint64_t lifetime_s)
{
    time_t now = time(NULL);

    return lifetime_s > 0 && now > st->st_mtim.tv_sec && (uint64_t)(now - st->st_mtim.tv_sec) >= lifetime_s;
}

/* The name is a hash: what it is about is written inside. */
static bool is_about(int fd, struct span path)
{
    char text[PATH_MAX];
    ssize_t n = read(fd, text, sizeof text);

    return n >= 0 && span_is((struct span){ text, (size_t)n }, path);
}

bool file_tombstone_there(int root_fd, struct span path, uint64_t lifetime_s)
{
    char name[NAME_BYTES];
    struct stat st;
    bool there;
    int fd;

    name_write(name, path);
    fd = file_walk_open(root_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    there = fstat(fd, &st) == 0 && !is_over(&st, lifetime_s) && is_about(fd, path);
    close(fd);
    return there;
}

/* The directory of tombstones, made when it is not there. A descriptor or -errno. */
static int gone_open(int root_fd)
{
    int fd = file_walk_open(root_fd, GONE, O_PATH | O_DIRECTORY);

    if (fd != -ENOENT)
        return fd;
    if ((mkdirat(root_fd, FILE_OWN_DIRECTORY, S_IRWXU) != 0 && errno != EEXIST) ||
        (mkdirat(root_fd, GONE, S_IRWXU) != 0 && errno != EEXIST))
        return -errno;
    return file_walk_open(root_fd, GONE, O_PATH | O_DIRECTORY);
}

int file_tombstone_add(int root_fd, struct span path)
{
    int directory_fd = gone_open(root_fd);
    char name[NAME_BYTES];
    int fd, err;

    if (directory_fd < 0)
        return directory_fd;
    name_write(name, path);
    fd = openat(directory_fd, name + sizeof GONE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                S_IRUSR | S_IWUSR);
    err = fd >= 0 && write(fd, path.p, path.n) == (ssize_t)path.n ? 0 : -errno;
    if (fd >= 0)
        close(fd);
    close(directory_fd);
    return err;
}

void file_tombstone_remove(int root_fd, struct span path)
{
    int fd = file_walk_open(root_fd, GONE, O_PATH | O_DIRECTORY);
    char name[NAME_BYTES];

    if (fd < 0)
        return;
    name_write(name, path);
    unlinkat(fd, name + sizeof GONE, 0);
    close(fd);
}

static void prune_name(int directory_fd, const char *name, uint64_t lifetime_s)
{
    struct stat st;

    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && is_over(&st, lifetime_s))
        unlinkat(directory_fd, name, 0);
}

void file_tombstone_prune(int root_fd, uint64_t lifetime_s, const atomic_bool *stop)
{
    int fd = lifetime_s > 0 ? file_walk_open(root_fd, GONE, O_RDONLY | O_DIRECTORY) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while (!atomic_load_explicit(stop, memory_order_relaxed) && (e = readdir(d)) != NULL)
        prune_name(fd, e->d_name, lifetime_s);
    closedir(d);
}
