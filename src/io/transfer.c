/*
 * By system call and not by recv(), send() and sendmsg() of the library: these are points where a thread may be
 * cancelled, which costs each of them two atomic operations in a program with threads, and nobody cancels one here.
 */
#include "io/transfer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

long transfer_receive(int fd, char *to, size_t room)
{
    long n;

    do
        n = syscall(SYS_recvfrom, fd, to, room, MSG_DONTWAIT, NULL, NULL);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : -errno;
}

static long send_bytes(int fd, const void *from, size_t bytes, int flags)
{
    return syscall(SYS_sendto, fd, from, bytes, flags, NULL, 0);
}

static long send_parts(int fd, const struct iovec *parts, int count, int flags)
{
    const struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count };

    return syscall(SYS_sendmsg, fd, &message, flags);
}

static size_t length_of(const struct iovec *parts, int count)
{
    size_t bytes = 0;

    for (int i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    return bytes;
}

/* `to` has room for all of them. */
static void join(const struct iovec *parts, int count, char *to)
{
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len > 0)
            to = mempcpy(to, parts[i].iov_base, parts[i].iov_len);
}

long transfer_send(int fd, const struct iovec *parts, int count, bool more)
{
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
    const size_t bytes = length_of(parts, count);
    char joined[TRANSFER_JOINED_BYTES];
    long n;

    if (bytes <= sizeof joined)
        join(parts, count, joined);
    do
        n = bytes <= sizeof joined ? send_bytes(fd, joined, bytes, flags) : send_parts(fd, parts, count, flags);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : -errno;
}

/* It is on already; to set it again pushes. */
void transfer_push(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
