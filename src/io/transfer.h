#ifndef IO_TRANSFER_H
#define IO_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/*
 * Bytes between memory and a socket, as far as it takes or has them now: none of these waits. Results are bytes, or
 * -errno; -EAGAIN: it would have to wait. Any thread, each socket by one at a time.
 */

/* Parts that are together no longer than this are sent as one, which costs the kernel less. */
#define TRANSFER_JOINED_BYTES 4096u

/* At most `room` bytes; 0: the peer has ended its side. */
long transfer_receive(int fd, char *to, size_t room);

/* The parts in their order. `more` will follow at once: the kernel may keep a segment that is not full. */
long transfer_send(int fd, const struct iovec *parts, int count, bool more);

/* Nothing follows for now: what the kernel keeps of what was sent over TCP goes out. */
void transfer_push(int fd);

#endif
