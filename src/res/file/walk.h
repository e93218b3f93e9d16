#ifndef RES_FILE_WALK_H
#define RES_FILE_WALK_H

/*
 * Open what a path below a directory names, links followed, as long as they stay beneath the directory. Blocks: for
 * helper threads. The kernel decides what is beneath, name by name; no text of a path is ever compared.
 *
 * root_fd   a directory, O_PATH will do
 * path      relative to it; "" and "." are the directory itself
 * flags     of open(); O_CLOEXEC is added
 *
 * Returns   a descriptor, or -errno: -EXDEV when a link leads outside (every absolute link does), -ELOOP when links
 *           lead in a circle or nowhere real
 */
int file_walk_open(int root_fd, const char *path, int flags);

/*
 * The same, of what the kernel has in memory, and in the file system of root_fd: does not block, so any thread may ask.
 * -EAGAIN: it is not there, or another file system is, or the kernel (before 5.12) cannot tell; file_walk_open() can.
 */
int file_walk_open_cached(int root_fd, const char *path, int flags);

/* The same without openat2(), for kernels and sandboxes that do not have it. */
int file_walk_steps(int root_fd, const char *path, int flags);

#endif
