#include "res/cgi/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "exchange/wait.h"

#define ERROR_BYTES    4096u /* read at once of what it complains about */

#define OF(member, at) ((struct cgi_process *)((char *)(at)-offsetof(struct cgi_process, member)))

static void take_turn(struct deferred *d)
{
    struct cgi_processes *all = (struct cgi_processes *)((char *)d - offsetof(struct cgi_processes, turn));

    if (all->freed != NULL)
        all->freed(all);
}

void cgi_processes_init(struct cgi_processes *all, struct loop *loop, struct wheel *wheel)
{
    *all = (struct cgi_processes){ .loop = loop, .wheel = wheel, .turn.run = take_turn };
    link_init(&all->all);
}

void cgi_slot_free(struct cgi_processes *all)
{
    all->running--;
    loop_defer(all->loop, &all->turn);
}

static struct span who(const struct cgi_process *p)
{
    return (struct span){ p->who, sizeof p->who };
}

/* --- Its end --- */

static void complaints_read(struct cgi_process *p)
{
    char bytes[ERROR_BYTES];
    ssize_t n;

    if (p->err.fd < 0)
        return;
    do
        n = read(p->err.fd, bytes, sizeof bytes);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        complaint_take(&p->complaint, who(p), (struct span){ bytes, (size_t)n });
    else if (n == 0 || errno != EAGAIN)
        loop_close(p->all->loop, &p->err);
}

static void reap(struct cgi_process *p)
{
    siginfo_t info;

    while (waitid(P_PIDFD, (id_t)p->exit.fd, &info, WEXITED) != 0 && errno == EINTR)
        ;
}

/* It has exited. Its id is free for others from here on. */
static void finish(struct cgi_process *p)
{
    struct cgi_processes *all = p->all;

    reap(p);
    complaints_read(p);
    complaint_end(&p->complaint, who(p));
    timer_drop(&p->timer);
    loop_close(all->loop, &p->exit);
    loop_close(all->loop, &p->in);
    loop_close(all->loop, &p->out);
    loop_close(all->loop, &p->err);
    link_remove(&p->link);
    free(p);
    cgi_slot_free(all);
}

/* Whoever it has started ends with it, when it had to end. */
static void gone(struct cgi_process *p)
{
    if (p->termed)
        kill(-p->pid, SIGKILL);
    finish(p);
}

static void ask_to_end(struct cgi_process *p)
{
    p->termed = true;
    if (p->exited) {
        gone(p);
        return;
    }
    kill(-p->pid, SIGTERM);
    timer_set(p->all->wheel, &p->timer, p->all->loop->now_ms, CGI_GRACE_MS);
}

/* --- What happens --- */

/* The exchange may end, and p with it. */
static void wake(struct cgi_process *p)
{
    struct exchange *x = p->x;

    p->x = NULL;
    timer_stop(&p->timer);
    exchange_wake(x, p->ticket);
}

static bool is_awaited(const struct cgi_process *p)
{
    return p->x != NULL && p->x->wait.what != NULL && p->x->wait.ticket == p->ticket;
}

static void out_ready(struct watch *w, uint32_t events)
{
    struct cgi_process *p = OF(out, w);

    (void)events;
    p->readable = true;
    if (is_awaited(p))
        wake(p);
}

/* Room to write, or nobody left to read: writing tells which. */
static void in_ready(struct watch *w, uint32_t events)
{
    struct cgi_process *p = OF(in, w);

    (void)events;
    if (p->writable)
        return;
    p->writable = true;
    if (is_awaited(p))
        wake(p);
}

static void err_ready(struct watch *w, uint32_t events)
{
    (void)events;
    complaints_read(OF(err, w));
}

static void exit_ready(struct watch *w, uint32_t events)
{
    struct cgi_process *p = OF(exit, w);

    (void)events;
    p->exited = true;
    loop_unwatch(p->all->loop, w);
    if (p->left)
        gone(p);
    else if (is_awaited(p))
        wake(p);
}

static void fire(struct timer *t)
{
    struct cgi_process *p = OF(timer, t);

    if (p->left && p->termed) {
        kill(-p->pid, SIGKILL);
    } else if (p->left) {
        ask_to_end(p);
    } else if (is_awaited(p)) {
        p->late = true;
        wake(p);
    }
}

/* --- Its beginning --- */

static void end_at_once(struct cgi_process *p)
{
    kill(-p->pid, SIGKILL);
    finish(p);
}

static int watch_all(struct cgi_process *p)
{
    struct loop *loop = p->all->loop;
    int error = loop_watch(loop, &p->exit, EPOLLIN);

    if (error == 0)
        error = loop_watch(loop, &p->in, EPOLLOUT | EPOLLET);
    if (error == 0)
        error = loop_watch(loop, &p->out, EPOLLIN | EPOLLET);
    if (error == 0)
        error = loop_watch(loop, &p->err, EPOLLIN);
    return error;
}

static void fill(struct cgi_process *p, struct cgi_processes *all, const struct cgi_started *started, struct span id)
{
    p->all = all;
    p->pid = started->pid;
    p->exit = (struct watch){ .fd = started->pid_fd, .ready = exit_ready };
    p->in = (struct watch){ .fd = started->in, .ready = in_ready };
    p->out = (struct watch){ .fd = started->out, .ready = out_ready };
    p->err = (struct watch){ .fd = started->err, .ready = err_ready };
    p->readable = p->writable = true;
    timer_init(&p->timer, fire);
    link_append(&all->all, &p->link);
    memcpy(p->who, "cgi ", sizeof "cgi " - 1);
    memcpy(p->who + sizeof "cgi " - 1, id.p, id.n);
}

int cgi_process_start(struct cgi_processes *all, const struct cgi_start *start, struct exchange *x,
                      struct cgi_process **out)
{
    struct cgi_process *p = calloc(1, sizeof *p);
    struct cgi_started started;
    int error;

    if (p == NULL)
        return -ENOMEM;
    error = cgi_spawn(start, &started);
    if (error != 0) {
        free(p);
        return error;
    }
    fill(p, all, &started, exchange_id(x));
    error = watch_all(p);
    if (error != 0) {
        all->running++; /* finish() gives a slot back, which is still the caller's */
        end_at_once(p);
        return error;
    }
    *out = p;
    return 0;
}

/* --- What its exchange does --- */

long cgi_process_read(struct cgi_process *p, char *to, size_t room)
{
    ssize_t n;

    if (!p->readable)
        return -EAGAIN;
    do
        n = read(p->out.fd, to, room);
    while (n < 0 && errno == EINTR);
    if (n >= 0) {
        p->late = false;
        return n;
    }
    if (errno == EAGAIN)
        p->readable = false;
    return -errno;
}

long cgi_process_write(struct cgi_process *p, struct span bytes)
{
    ssize_t n;

    if (p->in.fd < 0)
        return -EPIPE;
    if (!p->writable)
        return -EAGAIN;
    do
        n = write(p->in.fd, bytes.p, bytes.n);
    while (n < 0 && errno == EINTR);
    if (n >= 0) {
        p->late = false;
        return n;
    }
    if (errno == EAGAIN)
        p->writable = false;
    return -errno;
}

bool cgi_process_ended(struct cgi_process *p, bool *signalled, int *code)
{
    siginfo_t info = { 0 };

    while (waitid(P_PIDFD, (id_t)p->exit.fd, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        if (errno != EINTR)
            return false;
    *signalled = info.si_code != CLD_EXITED;
    *code = info.si_status;
    return info.si_pid != 0;
}

void cgi_process_end_input(struct cgi_process *p)
{
    loop_close(p->all->loop, &p->in);
}

void cgi_process_watch(struct cgi_process *p, struct exchange *x, uint32_t deadline_ms)
{
    p->x = x;
    p->ticket = x->wait.ticket;
    p->late = false;
    if (deadline_ms > 0)
        timer_set(p->all->wheel, &p->timer, p->all->loop->now_ms, deadline_ms);
    else
        timer_stop(&p->timer);
}

void cgi_process_leave(struct cgi_process *p, uint32_t patience_ms)
{
    p->x = NULL;
    p->left = true;
    loop_close(p->all->loop, &p->in);
    loop_close(p->all->loop, &p->out);
    if (patience_ms == 0)
        ask_to_end(p);
    else if (p->exited)
        gone(p);
    else
        timer_set(p->all->wheel, &p->timer, p->all->loop->now_ms, patience_ms);
}

void cgi_processes_fini(struct cgi_processes *all)
{
    for (struct link *l = all->all.next, *next; l != &all->all; l = next) {
        next = l->next;
        end_at_once(OF(link, l));
    }
    loop_undefer(&all->turn);
}
