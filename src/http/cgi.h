#ifndef HTTP_CGI_H
#define HTTP_CGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "http/h1_parse.h"
#include "http/head.h"
#include "reason/verdict.h"

/*
 * What the Common Gateway Interface says, whatever carries it: variables that tell a program of a request, and the head
 * that it answers with. Pure; any thread.
 */

/* A variable. Name: letters, digits and '_'. Value: no NUL. Both borrowed. */
struct cgi_pair {
    struct span name, value;
};

/* What is told of a request besides its fields. Spans are borrowed; no NUL is in them. */
struct cgi_request {
    const struct head *head; /* complete; its method is told as it was written */
    struct span protocol;    /* "HTTP/1.1" */
    struct span scheme;      /* "http", "https" */
    struct span server_name; /* as in struct host; may be empty */
    uint16_t server_port;
    struct span client;      /* its address, without port and brackets */
    struct span target;      /* path and query as sent */
    struct span query;       /* without '?' */
    struct span script_name; /* decoded: the part of the path that leads to the program */
    struct span path_info;   /* decoded: what is behind it; may be empty */
    struct span script_file; /* of the program; in the file system of whoever runs it */
    struct span root;        /* where programs lie, likewise */
    struct span software;    /* "verdict" */
    uint64_t content_length; /* told if length_known */
    bool length_known;       /* there is content, and its length is known */
    bool tells_credentials;  /* the program may see Authorization */
    bool from_trusted;       /* the client is a proxy that is believed in what it says of its own clients */
};

/* Variables that cgi_pairs() writes besides one for each field line. */
#define CGI_PAIRS 20

/*
 * The variables of a request: those of RFC3875:4.1, SCRIPT_FILENAME, DOCUMENT_ROOT, REQUEST_URI, REQUEST_SCHEME and,
 * over TLS, HTTPS, which programs have come to rely on; and HTTP_* for the fields.
 *
 * Of the fields are left out: those of the connection, and those that Connection names; Content-Type and Content-Length,
 * which have variables of their own; Proxy-Authorization, and Authorization unless the request says otherwise; Proxy,
 * which would become HTTP_PROXY; Forwarded, X-Real-IP and all X-Forwarded-*, which programs believe, unless who said them is
 * trusted; and names with anything but letters, digits and '-', because `_` and '-' become the same
 * and one field could pass for another. Lines of one name are joined with ", ", those of Cookie with "; ".
 *
 * arena    takes names and joined values; may end full, then the last pairs are empty
 * out      room for head->count + CGI_PAIRS
 * Returns  how many were written
 */
size_t cgi_pairs(const struct cgi_request *r, struct arena *arena, struct cgi_pair *out);

/* Let one say something else, or add it: `out` has room for one more. */
void cgi_pair_set(struct cgi_pair *out, size_t *count, struct span name, struct span value);

/* The bytes of a path up to the end of its first segment that ends with `split`, or all of them. RFC3875:4.1.5 */
size_t cgi_split(struct span path, struct span split);

/* The head that a program writes. Spans are borrowed from the buffer it was parsed in. */
struct cgi_head {
    uint16_t status;      /* of its Status field, 200 to 599; 0: it has none */
    struct span location; /* of its Location field; empty: it has none */
    bool length_known;
    uint64_t length; /* of the content, below 2^63, if length_known */
    struct head lines;
};

/* An empty head that keeps its lines in `array`. */
void cgi_head_init(struct cgi_head *head, struct field *array);

/*
 * Parse the head of an answer, as far as it has come.
 *
 * in       from the first byte to the last one received; content may follow. Calls for the same answer pass the same
 *          in.p and never fewer bytes
 * limits   head_bytes, field_bytes and fields; the caller's array has room for limits->fields lines
 * head     as cgi_head_init() left it before the first call, untouched between calls. Complete after R_NONE:
 *          head->lines.bytes says where the content begins
 * v        set when refused: offset of the offence; the field's name as operand, as far as there is one
 *
 * Returns  R_NONE, R_MORE, or
 *          cgi_head_too_large  bytes of all, of one line, or lines
 *          cgi_head_invalid    a line that is no field line; a Status that is no three digits of a final status, with
 *                              nothing, or a space and a phrase, behind; a Content-Length that is no number; one of
 *                              Status, Location, Content-Type and Content-Length twice; none of the first three
 * Time     linear; a call begins again at the line that was not complete
 * Spec     RFC3875:6. A line ends with LF or CR LF. White space between name and colon, and lines that begin with white
 *          space, are refused
 */
enum reason cgi_parse_head(struct span in, const struct h1_limits *limits, struct cgi_head *head, struct verdict *v)
    __attribute__((warn_unused_result));

/* Does the line go on to the client? Not: Status, those of a connection, and Content-Length, which is told anew. */
bool cgi_line_is_told(const struct field *line);

#endif
