#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/head.h"
#include "http/target.h"
#include "reason/verdict.h"

/* The authority that a request is for: host and port. */
struct host {
    struct span name; /* borrowed, in the client's case; an IPv6 address keeps its brackets; may be empty */
    uint16_t port;    /* if has_port */
    bool has_port;
};

/*
 * Split and check host[:port], as it stands in Host and in request targets. RFC3986:3.2.2, RFC9110:4.2
 *
 * s     reg-name, IPv4 address or bracketed IPv6 address (no zone, no IPvFuture), then perhaps ":" and a port up to
 *       65535. ":" without a port counts as none. The empty s is a host without a name; ":80" is refused. User
 *       information ("user@") is refused (RFC9110:4.2.4).
 * out   set when true; the name is borrowed from s
 * bad   set when false: offset in s of the first offending byte, s.n when something is missing at the end
 */
bool host_parse(struct span s, struct host *out, size_t *bad);

/*
 * The host a request is for, after the rules for Host are kept.
 *
 * head, target   complete, target parsed from head->target
 * host           set when R_NONE. The authority of an absolute or authority target wins over Host (RFC9112:3.2.2); with
 *                neither (HTTP/1.0, or an empty Host: RFC9112:3.3) the name is empty and a default has to do
 * v              set when refused: offset from the message's first byte; the name of the field as operand
 *
 * Returns  R_NONE, or host_missing (HTTP/1.1 and later; at the blank line), host_repeated (at the second line), or
 *          host_missing_or_invalid, which here always means invalid. RFC9112:3.2
 */
enum reason host_check(const struct head *head, const struct target *target, struct host *host, struct verdict *v)
    __attribute__((warn_unused_result));

#endif
