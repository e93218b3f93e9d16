#ifndef RES_CGI_SPAWN_H
#define RES_CGI_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A program to be started. */
struct cgi_start {
    const char *file;         /* as execve() wants it: absolute, or relative to the folder */
    char *const *arguments;   /* ends with NULL */
    char *const *environment; /* likewise */
    int folder_fd;            /* of the working directory */
    bool switches_user;       /* to what follows; needs root */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    uint32_t group_count;
};

/* One that was started. Our descriptors do not block; all are the caller's. */
struct cgi_started {
    pid_t pid; /* of the program, and of its process group, which it leads */
    int pid_fd;
    int in, out, err; /* its standard input, output and error */
};

/*
 * Start a program: in a process group of its own, with default signal dispositions, no signal blocked, and no descriptor
 * but the three.
 *
 * Returns  0; or -errno: what making pipes or the process said, or what the new process found in the way of running the
 *          program (-ENOENT, -EACCES, -ENOEXEC, -EPERM ...): then there is none, and nothing to reap
 * Time     the thread waits until the program has taken the place of its copy
 * Threads  any
 */
__attribute__((warn_unused_result)) int cgi_spawn(const struct cgi_start *start, struct cgi_started *out);

#endif
