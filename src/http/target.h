#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>

#include "base/span.h"
#include "http/head.h"
#include "http/method.h"
#include "reason/verdict.h"

/* RFC9112:3.2 */
enum target_form {
    TARGET_ORIGIN,    /* /path?query */
    TARGET_ABSOLUTE,  /* scheme://authority/path?query */
    TARGET_AUTHORITY, /* host:port, of CONNECT only */
    TARGET_ASTERISK,  /* *, of OPTIONS only */
};

/* The parts of a request target, borrowed from it, still percent-encoded. */
struct target {
    enum target_form form;
    struct span scheme;    /* TARGET_ABSOLUTE; in the client's case */
    struct span authority; /* TARGET_ABSOLUTE, TARGET_AUTHORITY: fit for host_parse() */
    struct span path;      /* begins with '/', or is empty: then "/" is meant (RFC9110:4.2.3) */
    struct span query;     /* without '?' */
    bool has_query;        /* a '?' is there, perhaps with nothing behind it */
    bool path_plain;       /* the path is known to be what path_decode() would make of it, without hidden names */
};

/*
 * Check a request target and take it apart.
 *
 * s        the whole target; from HTTP/1 or made of the pseudo-fields of HTTP/2
 * method   decides which forms are possible
 * target   set when R_NONE
 * v        set when refused: offset of the first offending byte in s; the caller adds the place of s
 *
 * Returns  R_NONE, or
 *          target_malformed     a byte that no client sends (below), '#', '%' without two hexadecimal digits, a broken
 *                               or (for http and https) empty host, user information before the host, or nothing
 *          target_form_invalid  a form that the method does not take: CONNECT takes host:port and nothing else, `*` is
 *                               for OPTIONS only, all others take an origin or an absolute form
 * Memory   none
 * Threads  any
 * Spec     RFC9112:3.2, RFC3986:3. Square brackets and ^ ` { | } are taken in path and query, where RFC3986:3.4 wants
 *          them encoded: they mean nothing there, and browsers send them as they are.
 */
enum reason target_parse(struct span s, enum method method, struct target *target, struct verdict *v)
    __attribute__((warn_unused_result));

/* target_parse() of the target of a head, whose parser may have looked at it already. */
enum reason target_of_head(const struct head *head, enum method method, struct target *target, struct verdict *v)
    __attribute__((warn_unused_result));

#endif
