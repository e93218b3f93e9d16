/*
 * SO_REUSEPORT lets our workers listen on one port, and by the same right any other program of the same user: two
 * servers would each get half of the connections, and no one would be told. So the first socket listens WITHOUT
 * SO_REUSEPORT, and sets it when it listens already. The kernel checks for conflicts in bind() and once more in
 * listen(); of two servers that start at once at most one gets through, since neither is willing to share yet. Both
 * may fail in listen(): then each waits for a random moment and begins anew, and finds the port free or taken.
 */
#include "io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RACE_TRIES    8
#define LOCK_LIMIT_MS 1000
#define LOCK_PAUSE_MS 10

static int set_on(int fd, int level, int option)
{
    const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on);
}

/* *raced_out: the address was free at bind(), and no more at listen(). */
static int inet_try(const struct address *a, int backlog, enum listen_as as, int *fd_out, bool *raced_out)
{
    const struct sockaddr *sa = (const struct sockaddr *)&a->socket;
    int fd, err;

    fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (set_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0 || set_on(fd, IPPROTO_TCP, TCP_NODELAY) != 0)
        goto fail;
    if (sa->sa_family == AF_INET6 && set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0)
        goto fail;
    if (as == LISTEN_JOIN && set_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        goto fail;
    if (bind(fd, sa, a->len) != 0)
        goto fail;
    if (listen(fd, backlog) != 0) {
        *raced_out = errno == EADDRINUSE;
        goto fail;
    }
    if (as == LISTEN_FIRST && set_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        goto fail;
    *fd_out = fd;
    return 0;
fail:
    err = -errno;
    close(fd);
    return err;
}

static int inet_open(const struct address *a, int backlog, enum listen_as as, int *fd_out)
{
    bool raced = false;
    int err = inet_try(a, backlog, as, fd_out, &raced);

    for (int tries = 1; raced && tries < RACE_TRIES; tries++) {
        struct timespec pause = { 0 };
        uint8_t random = 0;

        if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
            return err;
        pause.tv_nsec = (1 + random) * 100000L;
        nanosleep(&pause, NULL);
        raced = false;
        err = inet_try(a, backlog, as, fd_out, &raced);
    }
    return err;
}

/*
 * The steps look, unlink, bind, listen are one only under a lock: flock() of the directory, which leaves no litter
 * and ends with the process. Returns the descriptor that holds it, or -errno (-EBUSY: another has held it for 1 s).
 */
static int directory_lock(const struct sockaddr_un *un)
{
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
    char path[sizeof un->sun_path + 1];
    char *slash;
    int fd;

    memcpy(path, un->sun_path, sizeof un->sun_path);
    path[sizeof path - 1] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return -EINVAL;
    slash[1] = '\0';
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        int err = errno == EWOULDBLOCK ? -EBUSY : -errno;

        if (tries == LOCK_LIMIT_MS / LOCK_PAUSE_MS || (err != -EBUSY && err != -EINTR)) {
            close(fd);
            return err;
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* Under the lock. 0: the path is free, or was freed of a socket that nobody answers on. */
static int path_free(const struct address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->socket;
    struct stat st;
    int fd, err;

    if (lstat(un->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -ENOTSOCK;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    err = connect(fd, (const struct sockaddr *)un, a->len) == 0 ? 0 : errno;
    close(fd);
    /* A full backlog (EAGAIN) is an answer, and so is a socket of another type (EPROTOTYPE). */
    if (err != ECONNREFUSED)
        return err == EACCES ? -EACCES : -EADDRINUSE;
    return unlink(un->sun_path) == 0 ? 0 : -errno;
}

static int unix_listen(const struct address *a, int backlog, int *fd_out)
{
    int fd, err;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&a->socket, a->len) != 0)
        goto fail;
    if (listen(fd, backlog) != 0)
        goto fail_bound;
    *fd_out = fd;
    return 0;
fail_bound:
    err = -errno;
    unlink(((const struct sockaddr_un *)&a->socket)->sun_path);
    close(fd);
    return err;
fail:
    err = -errno;
    close(fd);
    return err;
}

static int unix_open(const struct address *a, int backlog, int *fd_out)
{
    int lock = directory_lock((const struct sockaddr_un *)&a->socket);
    int err;

    if (lock < 0)
        return lock;
    err = path_free(a);
    if (err == 0)
        err = unix_listen(a, backlog, fd_out);
    close(lock);
    return err;
}

/* The last of several duplicates removes the file: while one is open it answers. Failures leave a stale socket. */
static void unix_remove(const struct address *a)
{
    int lock = directory_lock((const struct sockaddr_un *)&a->socket);

    if (lock < 0)
        return;
    path_free(a);
    close(lock);
}

int listen_open(const struct address *a, int backlog, enum listen_as as, int *fd_out)
{
    if (a->socket.ss_family != AF_UNIX)
        return inet_open(a, backlog, as, fd_out);
    return as == LISTEN_JOIN ? -EOPNOTSUPP : unix_open(a, backlog, fd_out);
}

void listen_close(const struct address *a, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    if (a->socket.ss_family == AF_UNIX)
        unix_remove(a);
}

const char *listen_advice(int err)
{
    static const struct {
        int err;
        const char *text;
    } advice[] = {
        { EADDRINUSE, "already in use: stop the program that listens there, or choose another address" },
        { EACCES,
          "permission denied: ports below 1024 need CAP_NET_BIND_SERVICE, a unix socket a directory to write in" },
        { EADDRNOTAVAIL, "this machine has no such address: use one of its own, or 0.0.0.0 or [::] for all" },
        { EAFNOSUPPORT, "this machine has no such protocol: use an address of another family" },
        { ENOTSOCK, "a file that is no socket has this name: remove it, or choose another path" },
        { ENOENT, "the directory does not exist: create it, or choose another path" },
        { EBUSY, "its directory is locked: is another server starting there? try again" },
        { EMFILE, "too many open files: raise the limit (ulimit -n)" },
    };
    const char *text;

    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++)
        if (advice[i].err == -err)
            return advice[i].text;
    text = strerrordesc_np(-err);
    return text != NULL ? text : "unknown error";
}
