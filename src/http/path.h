#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include <stddef.h>

#include "base/span.h"
#include "reason/verdict.h"

/*
 * Decode the path of a target: escapes once, then "." and ".." removed and repeated slashes made one. The last slash
 * stays, and "/a/." and "/a/b/.." end with one.
 *
 * raw      as in struct target: empty (means "/") or begins with '/'
 * out      room >= raw.n + 1 bytes; gets the path, which begins with '/'; no NUL is added
 * *n       bytes in out when R_NONE, at most raw.n or 1
 * v        set when refused: offset in raw
 *
 * Returns  R_NONE, target_malformed (no leading slash, NUL, %00, broken escape), or path_outside_root (at the segment
 *          that climbs above the root)
 * Memory   none; out and raw do not overlap
 * Threads  any
 * Spec     RFC3986:5.2.4, but decoded first, so that "%2e%2e" is no way round, and refused, not clipped, at the root.
 *
 * An escaped slash is no separator: %2F stays as these three bytes, in capitals, and names a different thing than '/'
 * (RFC3986:2.2). A file system looks for a file with that odd name. As those whom a gateway forwards to may see it
 * otherwise, a segment where an escaped slash or a backslash sets off ".." is refused as path_outside_root.
 */
enum reason path_decode(struct span raw, char *out, size_t room, size_t *n, struct verdict *v)
    __attribute__((warn_unused_result));

/*
 * Escape a decoded path for Location, links and the like: all but pchar and '/' (RFC3986:3.3) becomes %XX. Whoever puts
 * it into markup has to escape '&' and "'" there.
 *
 * out, room   never written beyond, no NUL; may be NULL when room is 0
 *
 * Returns     bytes of the whole result, at most 3 * path.n; more than `room`: cut off
 */
size_t path_encode(struct span path, char *out, size_t room);

/* Segments that are not empty: "/a/b/" has two. */
size_t path_segments(struct span path);

/* Offset of the first segment of a decoded path that begins with '.', or path.n. "/.well-known" itself is not hidden
 * (RFC8615:3), what lies below it may be. */
size_t path_first_hidden(struct span path);

#endif
