#ifndef HTTP_URI_REWRITE_H
#define HTTP_URI_REWRITE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/span.h"
#include "http/target.h"
#include "reason/reason.h"

/*
 * URIs between the outside and an upstream: what lies at one path out there lies at another in there.
 *
 * Paths stay as their writer escaped them. Prefixes are compared on what the path means (path_decode()), and end where
 * a segment ends. From a path that is changed, "." and ".." are taken away, so that nobody behind sees another one than
 * was judged here; repeated slashes stay, but for those at its beginning and at the seam, where "//" would be taken for
 * an authority (RFC3986:4.2).
 *
 * Never rewritten, because some would understand it otherwise: a path with white space, a control, a backslash, a
 * broken escape, %00, or a segment in which %2F, %5C or ";" sets off "..".
 *
 * Memory   results are borrowed from the arguments where nothing changes, else in the arena; with the arena full they
 *          are empty, and the arena says so
 * Threads  none of its own
 */

/* A pair of prefixes. None ends with a slash: the root is empty. */
struct uri_mount {
    struct span outside, inside;           /* decoded */
    struct span outside_sent, inside_sent; /* escaped */
};

/* Whose URIs they are: http or https, and host[:port] as in Host. */
struct uri_site {
    struct span scheme, authority;
    struct span upstream_scheme, upstream_authority; /* as the upstream believes itself to be called: by its Host */
};

/* outside: decoded, of the route; inside: as sent, begins with '/'. False: inside is no path, or the arena is full. */
bool uri_rewrite_mount(struct arena *a, struct span outside, struct span inside, struct uri_mount *out)
    __attribute__((warn_unused_result));

/* The target for the upstream: path, '?', query; or "*". p == NULL: it does not lie in the prefix, or is refused. */
struct span uri_rewrite_target(struct arena *a, const struct uri_mount *mount, const struct target *target);

/*
 * Location or Content-Location of a response. What names the upstream's origin (scheme, host and port) by an absolute
 * URI, or none by an absolute path, and lies in the inside prefix, becomes the same on the outside; all else is
 * returned as it is. RFC9110:10.2.2, RFC9110:8.7
 */
struct span uri_rewrite_location(struct arena *a, const struct uri_mount *mount, const struct uri_site *site,
                                 struct span value);

/*
 * Destination of a WebDAV request, an absolute URI or an absolute path; *out keeps to the same form. RFC4918:10.3
 *
 * Host and port must be those of the site; where neither names a port, http and https are the same, because TLS may
 * end before us.
 *
 * Returns  R_NONE; dav_destination_invalid: no such URI or one that is refused; dav_destination_foreign: another
 *          authority, another scheme, or not in the outside prefix
 */
enum reason uri_rewrite_destination(struct arena *a, const struct uri_mount *mount, const struct uri_site *site,
                                    struct span value, struct span *out) __attribute__((warn_unused_result));

/* A domain of cookies that becomes another; `to` empty: the attribute goes, and the cookie is of one host. */
struct uri_domain {
    struct span from, to; /* without a dot at the beginning */
};

/*
 * One value of Set-Cookie: the Path that counts (the last) from inside to outside when it lies in the prefix, and, with
 * `domain`, the Domain that counts. Of cookies called __Host-, Path must be "/" and stays. RFC6265:5.2
 */
struct span uri_rewrite_cookie(struct arena *a, const struct uri_mount *mount, const struct uri_domain *domain,
                               struct span value);

#endif
