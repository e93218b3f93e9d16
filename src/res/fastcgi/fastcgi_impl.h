#ifndef RES_FASTCGI_FASTCGI_IMPL_H
#define RES_FASTCGI_FASTCGI_IMPL_H

#include "exchange/exchange.h"
#include "http/cgi.h"
#include "io/complaint.h"
#include "res/fastcgi/fastcgi.h"
#include "res/fastcgi/fcgi_record.h"

/*
 * A request on its way to an application, and the answer on its way back.
 *
 *   open: which script --> attempt: take a connection, send, read a head --> relay --> body: content
 *                             ^---------- the graph, when it failed -----------'
 */
enum fastcgi_phase {
    PHASE_IDLE, /* no attempt is under way */
    PHASE_TAKE, /* a connection is looked for */
    PHASE_ASK,  /* the request is sent, a head is waited for */
    PHASE_ANSWERED
};

/* What is left to send. */
struct fastcgi_out {
    struct span head, header, piece; /* not written yet: begin and parameters, header of content, content */
    struct span later;               /* content behind `piece`, of the same run */
    char header_text[FCGI_HEADER_BYTES];
    bool begun;     /* a byte has gone out */
    bool taken_all; /* the client's content has come to its end */
    bool ended;     /* so has the stream of content */
    bool closed;    /* the connection takes no more: what it answered may still be read */
};

/* What has come. */
struct fastcgi_in {
    struct fcgi_reader reader;
    struct cgi_head head;
    uint32_t head_have; /* bytes in head_text, some of them content perhaps */
    bool any;           /* a byte has come */
    bool ended;         /* the application has ended the request */
    struct span rest;   /* content that came with the head */
    uint64_t given;     /* bytes of content handed out */
};

struct fastcgi {
    struct body body; /* first: the body of the reply is the state */
    struct forwarding forwarding;
    const struct fastcgi_settings *settings;
    struct exchange *x;
    enum fastcgi_phase phase;
    struct span script; /* below the root */
    bool falls_back;    /* the path names none: it is that of the route */
    size_t path_info_bytes;
    struct upstream_search search;
    struct upstream *up; /* NULL: none is held */
    bool watched;        /* since the last byte */
    struct span request; /* begin and parameters, in the arena */
    char *head_text;     /* in the arena */
    struct field *fields;
    struct fastcgi_out out;
    struct fastcgi_in in;
    struct complaint complaint;
};

static inline struct fastcgi *fastcgi_of(const struct exchange *x)
{
    return x->res_state;
}

/* The attempt under way has failed. Its connection is given back. Always returns FLOW_GO: the graph decides what next. */
enum flow fastcgi_fail(struct fastcgi *g, const struct verdict *v, bool harmless);

/* Which script a path leads to. */
bool fastcgi_script_find(struct fastcgi *g);
/* Write g->request, once. False: the arena is full. */
bool fastcgi_request_write(struct fastcgi *g);

/* What a pump came to. */
enum fastcgi_step {
    STEP_DONE,    /* all was sent, or can be sent no more */
    STEP_BLOCKED, /* the connection must become ready */
    STEP_CLIENT,  /* x is parked: the client's content must come */
    STEP_STOP     /* x has its verdict */
};

/* Send as far as both sides allow. */
enum fastcgi_step fastcgi_send(struct fastcgi *g);

/* The next run that was said, at most so many bytes of it; complaints are told. R_NONE: output, or, with out->n == 0, the
 * end of the request; R_MORE: x may wait for more; else v says why nothing more comes. */
enum reason fastcgi_receive(struct fastcgi *g, size_t most_bytes, struct span *out, struct verdict *v);

/* Has a deadline passed, with nothing said since? To be asked before anything is sent or received. */
bool fastcgi_is_late(struct fastcgi *g);

/* Park x until the connection moves: beside a client that is waited for already, when step is STEP_CLIENT. */
enum flow fastcgi_wait(struct fastcgi *g, enum fastcgi_step sending, const char *what);

/* Give the connection back after an answer. */
void fastcgi_release(struct fastcgi *g);

extern const struct body_ops fastcgi_body;

#endif
