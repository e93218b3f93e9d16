#include "res/gateway/insert.h"

bool insert_init(struct insert *i, struct arena *arena, struct span tag, struct span text)
{
    char *room = arena_take(arena, 2 * tag.n);

    if (room == NULL)
        return false;
    *i = (struct insert){ .tag = tag, .text = text, .held = room, .freed = room + tag.n };
    return true;
}

static bool same(char a, char b)
{
    return span_is_nocase((struct span){ &a, 1 }, (struct span){ &b, 1 });
}

/* The tag's first n bytes have come, and not the next: how many may be the beginning of another one? */
static size_t fall(struct span tag, size_t n)
{
    size_t shorter = n - 1;

    while (shorter > 0 &&
           !span_is_nocase((struct span){ tag.p, shorter }, (struct span){ tag.p + n - shorter, shorter }))
        shorter--;
    return shorter;
}

/* How many bytes of the tag have come with the next byte. */
static size_t match_on(struct span tag, size_t matched, char c)
{
    while (matched > 0 && !same(tag.p[matched], c))
        matched = fall(tag, matched);
    return same(tag.p[matched], c) ? matched + 1 : 0;
}

/* Offset behind the tag; content.n when it is not whole. */
static size_t scan(struct insert *i, struct span content)
{
    size_t at = 0;

    while (at < content.n && i->matched < i->tag.n) {
        if (i->matched == 0)
            at += span_find(span_from(content, at), i->tag.p[0]);
        if (at < content.n)
            i->matched = match_on(i->tag, i->matched, content.p[at++]);
    }
    return at;
}

static void push(struct insert *i, struct span s)
{
    if (s.n > 0)
        i->queue[i->count++] = s;
}

/* What was held and the content, cut in two `at` bytes before and behind the border between them. */
struct cut {
    struct span held, content;
};

static struct cut first_of(struct span held, struct span content, size_t bytes)
{
    size_t of_held = bytes < held.n ? bytes : held.n;

    return (struct cut){ { held.p, of_held }, { content.p, bytes - of_held } };
}

void insert_feed(struct insert *i, struct span content)
{
    struct span held = { i->freed, i->over ? 0 : i->matched };
    struct cut before;
    size_t end;

    i->at = i->count = 0;
    if (i->over) {
        push(i, content);
        return;
    }
    memcpy(i->freed, i->held, held.n);
    end = held.n + scan(i, content);
    before = first_of(held, content, end - i->matched);
    push(i, before.held);
    push(i, before.content);
    held = span_from(held, before.held.n);
    content = span_from(content, before.content.n);
    i->over = i->matched == i->tag.n;
    if (i->over) {
        push(i, i->text);
        push(i, held);
        push(i, content);
        return;
    }
    memcpy(i->held, held.p, held.n);
    if (content.n > 0)
        memcpy(i->held + held.n, content.p, content.n);
}

void insert_end(struct insert *i)
{
    i->at = i->count = 0;
    if (!i->over)
        push(i, (struct span){ i->held, i->matched });
    i->over = true;
}

bool insert_take(struct insert *i, struct span *out)
{
    if (i->at == i->count)
        return false;
    *out = i->queue[i->at++];
    return true;
}
