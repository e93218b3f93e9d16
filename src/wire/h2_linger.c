#include "wire/h2_linger.h"

#include <string.h>

#include "wire/h2_impl.h"

/* The first `count` of them; a stream that the client has ended meanwhile needs no reset. */
static void let_go(struct h2 *h2, uint32_t count)
{
    struct h2_linger *l = &h2->linger;

    for (uint32_t i = 0; i < count; i++)
        if (nghttp2_session_find_stream(h2->session, l->all[i].id) != NULL)
            nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, l->all[i].id, NGHTTP2_NO_ERROR);
    l->count -= count;
    memmove(l->all, l->all + count, l->count * sizeof l->all[0]);
    if (l->count == 0)
        l->bytes = 0;
    h2_send_later(h2);
}

void h2_linger_add(struct h2 *h2, int32_t id)
{
    const struct wire *w = h2->c->wire;
    struct h2_linger *l = &h2->linger;

    if (l->count == H2_LINGERS)
        let_go(h2, 1);
    l->all[l->count].id = id;
    l->all[l->count++].until_ms = w->loop->now_ms + w->settings->linger_ms;
    h2->look_is_set = false;
    if (w->settings->linger_ms == 0)
        let_go(h2, l->count);
}

void h2_linger_read(struct h2 *h2, uint64_t n)
{
    struct h2_linger *l = &h2->linger;

    l->bytes += n;
    if (l->count > 0 && l->bytes > h2->c->wire->settings->linger_bytes)
        let_go(h2, l->count);
}

bool h2_linger_has(const struct h2 *h2, int32_t id)
{
    for (uint32_t i = 0; i < h2->linger.count; i++)
        if (h2->linger.all[i].id == id)
            return true;
    return false;
}

void h2_linger_look(struct h2 *h2)
{
    const struct h2_linger *l = &h2->linger;
    uint32_t over = 0;

    while (over < l->count && l->all[over].until_ms <= h2->c->wire->loop->now_ms)
        over++;
    if (over > 0)
        let_go(h2, over);
}
