#include <arpa/inet.h>
#include <stdlib.h>

#include "wire/h2_impl.h"

#define PAYLOAD_BYTES 16384u /* of a frame, which any client takes. RFC9113:4.2 */

void h2_block_add(struct h2_stream *s, struct h2_block_out *block)
{
    struct h2_block_out **end = &s->blocks;

    while (*end != NULL)
        end = &(*end)->next;
    block->next = NULL;
    *end = block;
}

/* Room for the block and the heads of its frames, beyond which nothing is written. */
static size_t room_for(const struct h2_block_out *block)
{
    return block->most_bytes + (1 + block->most_bytes / PAYLOAD_BYTES) * H2_FRAME_HEAD_BYTES;
}

static char *block_write(struct hpack *pack, const struct h2_block_out *block, char *to)
{
    to = hpack_begin(pack, to);
    for (size_t i = 0; i < block->count; i++)
        to = hpack_write(pack, to, block->lines[i].name, block->lines[i].value);
    return to;
}

/* RFC9113:4.1 */
static void frame_head_write(char *to, size_t bytes, uint8_t type, uint8_t flags, const uint8_t *id)
{
    uint32_t length = htonl((uint32_t)bytes << 8 | type);

    memcpy(to, &length, 4);
    to[4] = (char)flags;
    memcpy(to + 5, id, 4);
}

/* The block lies behind room for one frame's head: make frames of it, of which all but the first are CONTINUATION. Their
 * bytes. RFC9113:6.10 */
static size_t frames_make(char *to, size_t bytes, const uint8_t *frame)
{
    size_t more = bytes > 0 ? (bytes - 1) / PAYLOAD_BYTES : 0;
    uint8_t ends = more == 0 ? NGHTTP2_FLAG_END_HEADERS : 0;

    for (size_t i = more; i > 0; i--) {
        char *at = to + i * (H2_FRAME_HEAD_BYTES + PAYLOAD_BYTES);
        size_t here = i == more ? bytes - more * PAYLOAD_BYTES : PAYLOAD_BYTES;

        memmove(at + H2_FRAME_HEAD_BYTES, to + H2_FRAME_HEAD_BYTES + i * PAYLOAD_BYTES, here);
        frame_head_write(at, here, NGHTTP2_CONTINUATION, i == more ? NGHTTP2_FLAG_END_HEADERS : 0, frame + 5);
    }
    frame_head_write(to, more > 0 ? PAYLOAD_BYTES : bytes, NGHTTP2_HEADERS,
                     (uint8_t)((frame[4] & NGHTTP2_FLAG_END_STREAM) | ends), frame + 5);
    return bytes + (more + 1) * H2_FRAME_HEAD_BYTES;
}

bool h2_block_send(struct h2 *h2, const uint8_t *frame)
{
    struct h2_stream *s = h2->heads_of;
    const struct h2_block_out *block = s != NULL ? s->blocks : NULL;
    char *to = h2->out + h2->out_to;
    size_t bytes;

    if (block == NULL)
        return false;
    if (room_for(block) > h2->c->wire->buffer_bytes - h2->out_to && (to = h2->large = malloc(room_for(block))) == NULL)
        return false;
    h2->heads_of = NULL;
    s->blocks = block->next;
    bytes = (size_t)(block_write(&h2->pack, block, to + H2_FRAME_HEAD_BYTES) - to) - H2_FRAME_HEAD_BYTES;
    bytes = frames_make(to, bytes, frame);
    s->x->bytes_out += bytes;
    if (to != h2->large) {
        h2->out_to += (uint32_t)bytes;
    } else {
        h2->frame = (const uint8_t *)to;
        h2->frame_bytes = bytes;
    }
    return true;
}
