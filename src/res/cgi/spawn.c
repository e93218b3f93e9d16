#include "res/cgi/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES   (128u << 10)
#define FIRST_FREE_FD 3

/* What the new process has: it shares our memory until it runs the program, and we stand still. */
struct birth {
    const struct cgi_start *start;
    int in, out, err; /* its ends, none of them below FIRST_FREE_FD */
    int error;
};

struct pipes {
    int in[2], out[2], err[2];
};

static const struct pipes no_pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };

/* --- The new process: nothing here may touch what other threads use --- */

/* Not by the library, which would have all threads of the process follow. */
static int user_switch(const struct cgi_start *s)
{
    if (syscall(SYS_setgroups, s->group_count, s->groups) != 0 || syscall(SYS_setresgid, s->gid, s->gid, s->gid) != 0 ||
        syscall(SYS_setresuid, s->uid, s->uid, s->uid) != 0)
        return -1;
    return 0;
}

static void signals_reset(void)
{
    struct sigaction by_default = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        sigaction(i, &by_default, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int descriptors_set(const struct birth *b)
{
    if (dup2(b->in, STDIN_FILENO) < 0 || dup2(b->out, STDOUT_FILENO) < 0 || dup2(b->err, STDERR_FILENO) < 0)
        return -1;
    return (int)syscall(SYS_close_range, FIRST_FREE_FD, ~0u, 0);
}

static int born(void *with)
{
    struct birth *b = with;
    const struct cgi_start *s = b->start;

    if (setpgid(0, 0) == 0 && fchdir(s->folder_fd) == 0 && descriptors_set(b) == 0 &&
        (!s->switches_user || user_switch(s) == 0)) {
        signals_reset();
        execve(s->file, s->arguments, s->environment);
    }
    b->error = errno;
    _exit(1);
}

/* --- Pipes --- */

static void close_both(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void pipes_close(struct pipes *p)
{
    close_both(p->in);
    close_both(p->out);
    close_both(p->err);
}

/* Where it cannot be mistaken for one of the three. */
static int lift(int *fd)
{
    int higher;

    if (*fd >= FIRST_FREE_FD)
        return 0;
    higher = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (higher < 0)
        return -errno;
    close(*fd);
    *fd = higher;
    return 0;
}

/* ours: which end does not block. */
static int pipe_make(int fds[2], int ours)
{
    int error;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    error = lift(&fds[0]);
    if (error == 0)
        error = lift(&fds[1]);
    if (error == 0 && fcntl(fds[ours], F_SETFL, O_NONBLOCK) != 0)
        error = -errno;
    return error;
}

static int pipes_make(struct pipes *p)
{
    int error = pipe_make(p->in, 1);

    if (error == 0)
        error = pipe_make(p->out, 0);
    if (error == 0)
        error = pipe_make(p->err, 0);
    return error;
}

/* --- The birth --- */

static pid_t give_birth(struct birth *b, int *pid_fd)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    sigset_t all, before;
    pid_t pid;
    int error;

    if (stack == MAP_FAILED)
        return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = clone(born, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, b, pid_fd);
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_BYTES);
    errno = error;
    return pid;
}

static void bury(int pid_fd)
{
    siginfo_t info;

    while (waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED) != 0 && errno == EINTR)
        ;
    close(pid_fd);
}

static int start_in(const struct cgi_start *start, const struct pipes *p, struct cgi_started *out)
{
    struct birth b = { .start = start, .in = p->in[0], .out = p->out[1], .err = p->err[1] };
    int pid_fd = -1;
    pid_t pid = give_birth(&b, &pid_fd);

    if (pid < 0)
        return -errno;
    if (b.error != 0) {
        bury(pid_fd);
        return -b.error;
    }
    *out = (struct cgi_started){ .pid = pid, .pid_fd = pid_fd, .in = p->in[1], .out = p->out[0], .err = p->err[0] };
    return 0;
}

int cgi_spawn(const struct cgi_start *start, struct cgi_started *out)
{
    struct pipes p = no_pipes;
    int error = pipes_make(&p);

    if (error == 0)
        error = start_in(start, &p, out);
    if (error != 0) {
        pipes_close(&p);
        return error;
    }
    close(p.in[0]);
    close(p.out[1]);
    close(p.err[1]);
    return 0;
}
