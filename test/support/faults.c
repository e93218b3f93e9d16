/*
 * A library to be preloaded (LD_PRELOAD) into the program under test: it makes one call fail, the n-th from now.
 *
 *   test --writes--> file of struct control <--maps-- library, in each of the program's threads
 *
 * The file is named by VERDICT_FAULTS. While `armed` is 0 everything passes. Each call counts `seen` up; the call that
 * makes it equal to `nth` fails with the error that its function gives when it really fails, and `failed` tells which
 * it was. Only calls whose bit is in `which` are counted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call {
    MALLOC,
    CALLOC,
    REALLOC,
    ALIGNED_ALLOC,
    OPEN,
    OPENAT,
    OPENAT2,
    READ,
    PREAD,
    RECV,
    SEND,
    SENDMSG,
    SENDFILE,
    ACCEPT4,
    EPOLL_CTL,
    PWRITE,
    FDATASYNC,
    FSYNC,
    RENAMEAT,
    RENAMEAT2,
    LINKAT,
    UNLINKAT,
    MKDIRAT,
    FSTAT,
    FSTATAT,
    PTHREAD_CREATE,
    SHUTDOWN,
    SOCKET,
    CONNECT,
    GETSOCKOPT,
    SETSOCKOPT,
    PIPE2,
    SPLICE,
    RECVFROM,
    CALLS
};

static const int errors[CALLS] = {
    [MALLOC] = ENOMEM,      [CALLOC] = ENOMEM,
    [REALLOC] = ENOMEM,     [ALIGNED_ALLOC] = ENOMEM,
    [OPEN] = EMFILE,        [OPENAT] = EMFILE,
    [OPENAT2] = EMFILE,     [READ] = EIO,
    [PREAD] = EIO,          [RECV] = ENOMEM,
    [SEND] = ENOBUFS,       [SENDMSG] = ENOBUFS,
    [SENDFILE] = EIO,       [ACCEPT4] = EMFILE,
    [EPOLL_CTL] = ENOMEM,   [PWRITE] = EIO,
    [FDATASYNC] = EIO,      [FSYNC] = EIO,
    [RENAMEAT] = EIO,       [RENAMEAT2] = EIO,
    [LINKAT] = EIO,         [UNLINKAT] = EIO,
    [MKDIRAT] = ENOSPC,     [FSTAT] = EIO,
    [FSTATAT] = EIO,        [PTHREAD_CREATE] = EAGAIN,
    [SHUTDOWN] = ENOBUFS,   [SOCKET] = EMFILE,
    [CONNECT] = EAGAIN,     [GETSOCKOPT] = ENOBUFS,
    [SETSOCKOPT] = ENOBUFS, [PIPE2] = EMFILE,
    [SPLICE] = ENOMEM,      [RECVFROM] = ENOMEM,
};

/* Known to test/wire/harness/faults.py, too. */
struct control {
    _Atomic uint32_t armed, nth, seen, failed; /* failed: 1 + enum call; 0: nothing failed yet */
    _Atomic uint64_t which;
};

static struct control *control;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

/* A sanitizer's, when the program was built with one: it must have given whatever is freed. */
extern void *__interceptor_malloc(size_t bytes) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t bytes) __attribute__((weak));
extern void *__interceptor_realloc(void *old, size_t bytes) __attribute__((weak));
extern void *__interceptor_memalign(size_t alignment, size_t bytes) __attribute__((weak));

/* The allocator behind ours. */
#define BEHIND(name) (__interceptor_##name != NULL ? __interceptor_##name : __libc_##name)

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("VERDICT_FAULTS");
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0)
        close(fd);
    if (at != MAP_FAILED)
        control = at;
}

/* Is it this call's turn? errno is set then. */
static int fails(enum call call)
{
    struct control *c = control;

    if (c == NULL || atomic_load(&c->armed) == 0 || (atomic_load(&c->which) >> call & 1) == 0)
        return 0;
    if (atomic_fetch_add(&c->seen, 1) + 1 != atomic_load(&c->nth))
        return 0;
    atomic_store(&c->failed, (uint32_t)call + 1);
    errno = errors[call];
    return 1;
}

void *malloc(size_t bytes)
{
    return fails(MALLOC) ? NULL : BEHIND(malloc)(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return fails(CALLOC) ? NULL : BEHIND(calloc)(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    return fails(REALLOC) ? NULL : BEHIND(realloc)(old, bytes);
}

void *reallocarray(void *old, size_t count, size_t bytes)
{
    size_t all;

    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, all);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(ALIGNED_ALLOC) ? NULL : BEHIND(memalign)(alignment, bytes);
}

/* The function behind ours; looked up again each time, which is good enough here. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A mode is passed on even where the caller gave none: nobody looks at it then. */
#define OPEN_AS(name)                                            \
    int name(const char *path, int flags, ...)                   \
    {                                                            \
        va_list more;                                            \
        mode_t mode;                                             \
                                                                 \
        va_start(more, flags);                                   \
        mode = va_arg(more, mode_t);                             \
        va_end(more);                                            \
        return fails(OPEN) ? -1 : REAL(name)(path, flags, mode); \
    }

#define OPENAT_AS(name)                                                 \
    int name(int dir, const char *path, int flags, ...)                 \
    {                                                                   \
        va_list more;                                                   \
        mode_t mode;                                                    \
                                                                        \
        va_start(more, flags);                                          \
        mode = va_arg(more, mode_t);                                    \
        va_end(more);                                                   \
        return fails(OPENAT) ? -1 : REAL(name)(dir, path, flags, mode); \
    }

OPEN_AS(open)
OPEN_AS(open64)
OPENAT_AS(openat)
OPENAT_AS(openat64)

long syscall(long number, ...)
{
    va_list more;
    long a[6];

    va_start(more, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(more, long);
    va_end(more);
    if ((number == SYS_openat2 && fails(OPENAT2)) || (number == SYS_recvfrom && fails(RECV)) ||
        ((number == SYS_sendto || number == SYS_sendmsg) && fails(SENDMSG)))
        return -1;
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* What fails with -1, passes its arguments on, and needs no more words. */
#define PASS(call, type, name, parameters, arguments)   \
    type name parameters                                \
    {                                                   \
        return fails(call) ? -1 : REAL(name) arguments; \
    }

PASS(READ, ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
PASS(PREAD, ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
PASS(RECV, ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
PASS(SEND, ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
PASS(SENDMSG, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
PASS(SENDFILE, ssize_t, sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n))
PASS(ACCEPT4, int, accept4, (int fd, struct sockaddr *peer, socklen_t *len, int flags), (fd, peer, len, flags))
PASS(EPOLL_CTL, int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *e), (epoll, what, fd, e))
PASS(PWRITE, ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
PASS(FDATASYNC, int, fdatasync, (int fd), (fd))
PASS(FSYNC, int, fsync, (int fd), (fd))
PASS(RENAMEAT, int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
PASS(RENAMEAT2, int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
PASS(LINKAT, int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
PASS(UNLINKAT, int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
PASS(MKDIRAT, int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
PASS(FSTAT, int, fstat, (int fd, struct stat *out), (fd, out))
PASS(FSTATAT, int, fstatat, (int dir, const char *path, struct stat *out, int flags), (dir, path, out, flags))
PASS(SHUTDOWN, int, shutdown, (int fd, int how), (fd, how))
PASS(SOCKET, int, socket, (int family, int type, int protocol), (family, type, protocol))
PASS(CONNECT, int, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len))
PASS(GETSOCKOPT, int, getsockopt, (int fd, int level, int name, void *out, socklen_t *len), (fd, level, name, out, len))
PASS(SETSOCKOPT, int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
PASS(PIPE2, int, pipe2, (int ends[2], int flags), (ends, flags))
PASS(SPLICE, ssize_t, splice, (int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags),
     (from, at, to, to_at, n, flags))
PASS(RECVFROM, ssize_t, recvfrom, (int fd, void *to, size_t n, int flags, struct sockaddr *peer, socklen_t *len),
     (fd, to, n, flags, peer, len))

/* The same under the names that a program calls which was built with _FILE_OFFSET_BITS=64, as meson builds it. */
PASS(PREAD, ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
PASS(PWRITE, ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
PASS(SENDFILE, ssize_t, sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n))
PASS(FSTAT, int, fstat64, (int fd, struct stat64 *out), (fd, out))
PASS(FSTATAT, int, fstatat64, (int dir, const char *path, struct stat64 *out, int flags), (dir, path, out, flags))

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *with)
{
    return fails(PTHREAD_CREATE) ? errors[PTHREAD_CREATE] : REAL(pthread_create)(thread, attributes, run, with);
}
