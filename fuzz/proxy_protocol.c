/*
 * Headers of the PROXY protocol: one byte at a time gives the result of all at once; no more is asked for than a header
 * may have; what was read and is written again reads the same.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "io/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    int error;
    size_t used;
    const char *why;
    struct proxy_protocol header;
};

static struct result read_first(const char *p, size_t n)
{
    struct result r = { .used = 0 };

    r.error = proxy_protocol_read((struct span){ p, n }, &r.header, &r.used, &r.why);
    DIE_UNLESS(r.error == 0 || r.error == -EAGAIN || r.error == -EINVAL);
    DIE_UNLESS((r.error == -EINVAL) == (r.why != NULL) && (r.error == 0) == (r.header.version != 0));
    return r;
}

static void check_same(const struct proxy_protocol *a, const struct proxy_protocol *b)
{
    DIE_UNLESS(a->is_known == b->is_known && a->source_len == b->source_len);
    DIE_UNLESS(a->destination_len == b->destination_len);
    DIE_UNLESS(memcmp(&a->source, &b->source, sizeof a->source) == 0);
    DIE_UNLESS(memcmp(&a->destination, &b->destination, sizeof a->destination) == 0);
}

/* In the version it came in. IPv4 inside IPv6 at both ends comes back as IPv4, unix sockets as nothing. */
static void check_written(const struct proxy_protocol *header)
{
    const struct sockaddr *source = (const struct sockaddr *)&header->source;
    const struct sockaddr *destination = (const struct sockaddr *)&header->destination;
    char out[PROXY_PROTOCOL_V1_BYTES];
    size_t n = header->version == 1 ? proxy_protocol_write_v1(source, destination, out)
                                    : proxy_protocol_write_v2(source, destination, out);
    struct result again = read_first(out, n);

    DIE_UNLESS(n <= sizeof out && again.error == 0 && again.used == n && again.header.version == header->version);
    if (again.header.source.ss_family == header->source.ss_family)
        check_same(header, &again.header);
    else
        DIE_UNLESS(again.header.is_known ? header->source.ss_family != AF_INET : header->source.ss_family == AF_UNIX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct result whole = read_first(p, size), steps = { .error = -EAGAIN };

    for (size_t n = 0; n <= size && steps.error == -EAGAIN; n++)
        steps = read_first(p, n);
    DIE_UNLESS(whole.error == steps.error && whole.used == steps.used && whole.why == steps.why);
    if (whole.error == -EAGAIN) {
        DIE_UNLESS(size < 16 + PROXY_PROTOCOL_V2_BODY_BYTES);
        return 0;
    }
    DIE_UNLESS(whole.used <= size);
    if (whole.error == 0) {
        check_same(&whole.header, &steps.header);
        check_written(&whole.header);
    }
    return 0;
}
