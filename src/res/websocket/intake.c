#include "res/websocket/intake.h"

#include "base/check.h"

static bool is_control(const unsigned char *head)
{
    return (head[0] & 0x08) != 0;
}

static unsigned short_length(const unsigned char *head)
{
    return head[1] & 0x7fu;
}

/* Of the length behind the first two bytes. RFC6455:5.2 */
static uint32_t long_length_bytes(const unsigned char *head)
{
    return short_length(head) == 127 ? 8 : short_length(head) == 126 ? 2 : 0;
}

static uint64_t payload_bytes(const unsigned char *head)
{
    uint64_t length = 0;

    if (long_length_bytes(head) == 0)
        return short_length(head);
    for (uint32_t i = 0; i < long_length_bytes(head); i++)
        length = length << 8 | head[2 + i];
    return length;
}

/* How many bytes of the frame have to be there before they are handed on. Two are enough to refuse a control frame that
 * claims to be a long one. */
static uint32_t wanted(const struct intake *in)
{
    const unsigned char *head = in->held;
    uint32_t mask_bytes = head[1] & 0x80 ? 4 : 0;

    if (in->held_bytes < 2)
        return 2;
    if (!is_control(head))
        return 2 + long_length_bytes(head) + mask_bytes;
    return short_length(head) <= CONTROL_PAYLOAD_BYTES ? 2 + mask_bytes + short_length(head) : 2;
}

static size_t run_copy(struct intake *in, unsigned char *out, size_t n)
{
    if (n == 0)
        return 0;
    memcpy(out, in->input.p, n);
    in->input = span_from(in->input, n);
    return n;
}

static size_t held_take(struct intake *in, unsigned char *out, size_t room)
{
    size_t n;

    while (in->held_bytes < wanted(in)) {
        if (run_copy(in, in->held + in->held_bytes, in->input.n > 0) == 0)
            return 0;
        in->held_bytes++;
    }
    n = in->held_bytes;
    DIE_UNLESS(n <= room);
    memcpy(out, in->held, n);
    in->held_bytes = 0;
    in->payload_left = is_control(in->held) ? 0 : payload_bytes(in->held);
    return n;
}

size_t intake_take(struct intake *in, unsigned char *out, size_t room)
{
    size_t n = in->input.n < room ? in->input.n : room;

    if (in->payload_left == 0)
        return held_take(in, out, room);
    if (n > in->payload_left)
        n = (size_t)in->payload_left;
    in->payload_left -= n;
    return run_copy(in, out, n);
}
