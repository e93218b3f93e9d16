#include "http/multipart.h"

#include "base/bounded.h"

void multipart_boundary_write(char out[MULTIPART_BOUNDARY_BYTES], uint64_t random)
{
    for (size_t i = 0; i < MULTIPART_BOUNDARY_BYTES; i++, random >>= 4)
        out[i] = "0123456789abcdef"[random & 15];
}

size_t multipart_type_write(const struct multipart *m, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    bounded_put(&b, SPAN("multipart/byteranges; boundary="));
    bounded_put(&b, m->boundary);
    return b.bytes;
}

size_t multipart_head_write(const struct multipart *m, struct byte_range r, bool is_first, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };
    char content_range[CONTENT_RANGE_BYTES];
    size_t content_range_bytes = content_range_write(content_range, r, m->length);

    bounded_put(&b, is_first ? SPAN("--") : SPAN("\r\n--"));
    bounded_put(&b, m->boundary);
    if (m->content_type.n > 0) {
        bounded_put(&b, SPAN("\r\nContent-Type: "));
        bounded_put(&b, m->content_type);
    }
    bounded_put(&b, SPAN("\r\nContent-Range: "));
    bounded_put(&b, (struct span){ content_range, content_range_bytes });
    bounded_put(&b, SPAN("\r\n\r\n"));
    return b.bytes;
}

size_t multipart_end_write(const struct multipart *m, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    bounded_put(&b, SPAN("\r\n--"));
    bounded_put(&b, m->boundary);
    bounded_put(&b, SPAN("--\r\n"));
    return b.bytes;
}

uint64_t multipart_length(const struct multipart *m, const struct byte_range ranges[], size_t count)
{
    uint64_t sum = multipart_end_write(m, NULL, 0);

    for (size_t i = 0; i < count; i++) {
        size_t head_bytes = multipart_head_write(m, ranges[i], i == 0, NULL, 0);

        if (__builtin_add_overflow(sum, head_bytes, &sum) || __builtin_add_overflow(sum, range_bytes(ranges[i]), &sum))
            return UINT64_MAX;
    }
    return sum;
}
