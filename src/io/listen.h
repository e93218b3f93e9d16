#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include "io/address.h"

/*
 * LISTEN_FIRST claims an address for this process; LISTEN_JOIN adds a further socket to an address that this process
 * has claimed, so that every worker has one of its own and the kernel spreads the connections (SO_REUSEPORT).
 */
enum listen_as { LISTEN_FIRST, LISTEN_JOIN };

/*
 * A listening, non-blocking, close-on-exec socket. Connections inherit TCP_NODELAY from it. [::]:PORT takes IPv6 only.
 *
 * With LISTEN_FIRST -EADDRINUSE is certain and free of races, even between two servers of one user that start at the
 * same moment (listen.c says how). A unix socket that nobody answers on is taken over; a file of another kind is not.
 *
 * *fd_out  on success the caller's, to be closed by listen_close(); else untouched
 * Returns  0; -EADDRINUSE; -EACCES; -EADDRNOTAVAIL; -ENOTSOCK: the unix path names something that is no socket;
 *          -EOPNOTSUPP: LISTEN_JOIN of a unix socket: its workers share (dup) the first one's; or another -errno
 * Threads  any; but no LISTEN_JOIN before LISTEN_FIRST has returned
 */
__attribute__((warn_unused_result)) int listen_open(const struct address *a, int backlog, enum listen_as as,
                                                    int *fd_out);

/* Closes fd (accepts -1). A unix socket's file goes too, once nobody listens on it any more. */
void listen_close(const struct address *a, int fd);

/* Why listen_open() failed with err (negative), and what to do: "why: what to do", static. */
const char *listen_advice(int err);

#endif
