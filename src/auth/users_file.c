#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/users_impl.h"

int users_why(char why[USERS_WHY_BYTES], int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, USERS_WHY_BYTES, format, args);
    va_end(args);
    return error;
}

static int why_errno(char why[USERS_WHY_BYTES], const char *path)
{
    int error = errno;

    return users_why(why, -error, "%s: %s: name a file with users that the server may read", path,
                     strerrordesc_np(error));
}

static int file_check(const struct stat *st, const char *path, char why[USERS_WHY_BYTES])
{
    if (!S_ISREG(st->st_mode))
        return users_why(why, -EINVAL, "%s is no file: name one with users", path);
    if ((st->st_mode & (S_IROTH | S_IWOTH)) != 0)
        return users_why(why, -EPERM, "%s can be read or written by every user of this machine: chmod o= it", path);
    if (st->st_size > USERS_FILE_BYTES)
        return users_why(why, -EFBIG, "%s has more than %d MiB: is this the right file?", path, USERS_FILE_BYTES >> 20);
    return 0;
}

/* The file may grow or shrink meanwhile: what was there at the first look is the bound. */
static bool read_all(int fd, size_t size, struct span *text)
{
    char *to = malloc(size + 1);

    *text = (struct span){ to, 0 };
    while (to != NULL && text->n < size) {
        ssize_t n = read(fd, to + text->n, size - text->n);

        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0)
            break;
        text->n += n > 0 ? (size_t)n : 0;
    }
    return to != NULL;
}

int users_file_read(const char *path, struct span *text, char why[USERS_WHY_BYTES])
{
    /* Not to wait for the other end, should this be a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
    struct stat st;

    if (fd < 0)
        return why_errno(why, path);
    if (fstat(fd, &st) != 0)
        error = why_errno(why, path);
    else if ((error = file_check(&st, path, why)) == 0 && !read_all(fd, (size_t)st.st_size, text))
        error = why_errno(why, path);
    close(fd);
    return error;
}
