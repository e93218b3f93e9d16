#ifndef RES_CGI_CGI_H
#define RES_CGI_CGI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/span.h"
#include "exchange/resource.h"
#include "http/h1_parse.h"

/* A variable of the environment that a route adds. */
struct cgi_variable {
    struct span name, value; /* name: letters, digits and _, not beginning with a digit; NUL behind both */
};

/* What a route says. Times are milliseconds, sizes bytes; counts are of one worker. */
struct cgi_settings {
    const char *directory; /* programs lie below it; the path below the route chooses: the longest beginning that
                                      is a file is the program, what follows it is PATH_INFO. RFC3875:4.1.5 */
    const struct span
        *extensions; /* of programs, with their dot: ".cgi"; other files are not there. Count 0: every file
                                      that may be executed */
    uint16_t extension_count;
    const char *interpreter; /* runs the program, which is its argument and need not be executable; an absolute path.
                                 NULL: the program runs by itself */
    const char *user;        /* whom programs run as; NULL: the server's own user */
    uid_t uid;               /* of that user, as config_open() found them; 0 without one */
    gid_t gid;
    const struct cgi_variable *variables;
    uint16_t variable_count;
    uint32_t read_ms;         /* without a byte from the program; later is cgi_timeout, and the process group ends */
    uint32_t processes_limit; /* that run at once */
    uint32_t queue_limit;     /* exchanges that wait for one to end; one more is cgi_queue_full, as is */
    uint32_t queue_ms;        /* ... waiting any longer */
    struct h1_limits head;    /* of what programs write: head_bytes, field_bytes and fields */
};

struct cgi_worker;
struct loop;
struct wheel;

/* What a worker keeps of the programs that it runs: those of all its routes share the limits. Both outlive it. NULL
 * without memory. */
struct cgi_worker *cgi_worker_new(struct loop *loop, struct wheel *wheel);

/* Programs that still run are killed. No exchange of this kind is left. */
void cgi_worker_release(struct cgi_worker **w);

/*
 * x->res_settings is a struct cgi_settings, x->res_worker a struct cgi_worker.
 *
 * Programs get the variables of http/cgi.h, PATH, and those of the route; nothing of the server's own environment. They
 * never see Authorization. Arguments of searches (RFC3875:4.4), which would let anybody give options to interpreters, and
 * heads that are passed on unread (RFC3875:5) are not made. Content of unknown length comes without CONTENT_LENGTH, up to
 * the end of the standard input.
 *
 * A program is ended with its process group when it is late, breaks the rules, or the client has left. What it writes to
 * its standard error goes to ours.
 *
 * Looking for the program and starting it happen on the worker's thread. Linux 5.9 or later.
 */
extern const struct resource_ops cgi_resource;

#endif
