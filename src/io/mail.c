#include "io/mail.h"

#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

static void open_all(struct mail_box *box)
{
    struct mail *m = mail_receive(box);

    while (m != NULL) {
        struct mail *next = m->next;

        m->open(m);
        m = next;
    }
}

/* The count in the eventfd is never read: being edge-triggered, each write makes one event of its own. */
static void bell_ready(struct watch *w, uint32_t events)
{
    (void)events;
    open_all((struct mail_box *)((char *)w - offsetof(struct mail_box, mine.bell)));
}

int mail_box_init(struct mail_box *box, struct loop *loop)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int err;

    if (fd < 0)
        return -errno;
    *box = (struct mail_box){ .mine = { .loop = loop, .bell = { .fd = fd, .ready = bell_ready } } };
    err = loop_watch(loop, &box->mine.bell, EPOLLIN | EPOLLET);
    if (err != 0) {
        close(fd);
        return err;
    }
    pthread_mutex_init(&box->shared.lock, NULL);
    box->shared.last = &box->shared.first;
    return 0;
}

void mail_box_fini(struct mail_box *box)
{
    open_all(box);
    loop_close(box->mine.loop, &box->mine.bell);
    pthread_mutex_destroy(&box->shared.lock);
}

void mail_send(struct mail_box *box, struct mail *m)
{
    bool was_empty;

    DIE_UNLESS(m->open != NULL);
    m->next = NULL;
    pthread_mutex_lock(&box->shared.lock);
    was_empty = box->shared.first == NULL;
    *box->shared.last = m;
    box->shared.last = &m->next;
    /* Under the lock: once the letter can be received, the owner may take the box down. */
    if (was_empty)
        DIE_UNLESS(eventfd_write(box->mine.bell.fd, 1) == 0);
    pthread_mutex_unlock(&box->shared.lock);
}

struct mail *mail_receive(struct mail_box *box)
{
    struct mail *first;

    pthread_mutex_lock(&box->shared.lock);
    first = box->shared.first;
    box->shared.first = NULL;
    box->shared.last = &box->shared.first;
    pthread_mutex_unlock(&box->shared.lock);
    return first;
}
