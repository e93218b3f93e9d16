/* Ranges: inside the representation, apart from each other, together no longer than it; the framing adds up. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/multipart.h"
#include "http/range.h"

#define ROOM 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct byte_range ranges[], size_t count, uint64_t length)
{
    uint64_t left = length;

    for (size_t i = 0; i < count; i++) {
        DIE_UNLESS(ranges[i].first <= ranges[i].last && ranges[i].last < length);
        DIE_UNLESS(range_bytes(ranges[i]) <= left);
        left -= range_bytes(ranges[i]);
        for (size_t j = 0; j < i; j++)
            DIE_UNLESS(ranges[i].first > ranges[j].last + 1 || ranges[j].first > ranges[i].last + 1);
    }
}

static void check_framing(const struct byte_range ranges[], size_t count, uint64_t length)
{
    const struct multipart m = { SPAN("0123456789abcdef"), SPAN("text/plain"), length };
    uint64_t bytes = multipart_length(&m, ranges, count), sum = 0;
    char out[256];

    for (size_t i = 0; i < count; i++)
        sum += multipart_head_write(&m, ranges[i], i == 0, out, sizeof out) + range_bytes(ranges[i]);
    sum += multipart_end_write(&m, out, sizeof out);
    DIE_UNLESS(bytes == UINT64_MAX || bytes == sum);
    DIE_UNLESS(content_range_write(out, ranges[0], length) <= CONTENT_RANGE_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_range ranges[ROOM];
    uint64_t length;
    size_t count = 99;
    enum range_kind kind;

    if (size < sizeof length)
        return 0;
    memcpy(&length, data, sizeof length);
    kind = range_choose((struct span){ (const char *)data + 8, size - 8 }, length, ranges, ROOM, &count);
    DIE_UNLESS(kind == RANGE_MANY ? count >= 2 && count <= ROOM : count == (kind == RANGE_ONE ? 1 : 0));
    check_ranges(ranges, count, length);
    if (count > 0)
        check_framing(ranges, count, length);
    return 0;
}
