#include <unistd.h>

#include "res/file/file_impl.h"

#define BLOCK_BYTES 16384

/* Memory, or blocks read from the descriptor, which mostly come from the page cache: as when it is sent. */
static bool is_at(const struct file_content *c, uint64_t offset, struct span piece)
{
    char block[BLOCK_BYTES];

    if (c->length < offset || c->length - offset < piece.n)
        return false;
    if (c->fd < 0)
        return memcmp(c->bytes + offset, piece.p, piece.n) == 0;
    while (piece.n > 0) {
        size_t want = piece.n < sizeof block ? piece.n : sizeof block;
        ssize_t n = pread(c->fd, block, want, (off_t)offset);

        if (n <= 0 || memcmp(block, piece.p, (size_t)n) != 0)
            return false;
        piece = span_from(piece, (size_t)n);
        offset += (uint64_t)n;
    }
    return true;
}

/* At the first difference the rest need not be read. */
enum flow file_compare(struct exchange *x)
{
    struct file_state *s = file_state(x);
    struct file_turn turn = { 0 };

    for (;;) {
        struct span piece = { 0 };
        enum flow flow = x->codec->content(x, &piece);

        if (flow != FLOW_GO)
            return flow;
        if (piece.n == 0) {
            x->facts.content_same = s->compared_bytes == s->content->length;
            return FLOW_GO;
        }
        if (!is_at(s->content, s->compared_bytes, piece))
            return FLOW_GO;
        s->compared_bytes += piece.n;
        if (file_turn_is_over(&turn, piece))
            return file_turn_wait(x);
    }
}
