#ifndef RES_CGI_CGI_IMPL_H
#define RES_CGI_CGI_IMPL_H

#include "exchange/exchange.h"
#include "http/cgi.h"
#include "res/cgi/cgi.h"
#include "res/cgi/find.h"
#include "res/cgi/process.h"

/*
 * A request on its way through a program.
 *
 *   open: which program, and as whom --> attempt: a slot, a process, content in, head out --> relay --> body
 */

#define CGI_GROUPS_MAX 64

struct cgi_worker {
    struct cgi_processes processes;
    struct link waiting; /* exchanges that wait for a slot, first come first */
    uint32_t waiting_count;

    /* Of the user whom programs ran as last. */
    struct {
        bool known;
        uid_t uid;
        gid_t gid;
        int count;
        gid_t list[CGI_GROUPS_MAX];
    } groups;
};

enum cgi_phase {
    PHASE_IDLE,
    PHASE_QUEUED,  /* in the worker's queue */
    PHASE_GRANTED, /* a slot is ours */
    PHASE_RUNNING, /* so is a program; its head is waited for */
    PHASE_ANSWERED
};

struct cgi {
    struct body body; /* first: the body of the reply is the state */
    struct forwarding forwarding;
    const struct cgi_settings *settings;
    struct exchange *x;
    enum cgi_phase phase;
    struct cgi_program program;
    bool found, switches_user;
    struct cgi_process *process; /* NULL: there is none */

    struct link waiting;
    struct timer queue_timer;
    uint32_t queue_ticket;
    bool queue_late;

    struct span piece; /* content that the program has not taken yet */
    bool taken_all;    /* the client's content has come to its end, or is wanted by nobody */

    char *head_text;    /* of the arena */
    uint32_t head_have; /* bytes in it, some of them content perhaps */
    struct cgi_head head;
    struct span rest; /* content that came with the head */
    char *buffer;     /* of content; NULL: none is needed yet */
    uint64_t given;   /* bytes of content handed out */
    bool done;        /* content has come to its end */
    bool ends;        /* its output ended within its head, and its own end is waited for */
};

static inline struct cgi *cgi_of(const struct exchange *x)
{
    return x->res_state;
}

/* The attempt has failed, and the program ends. Always returns FLOW_GO: the graph decides what next. The operand is told
 * to the client, who is not to learn where our files are. */
enum flow cgi_fail(struct cgi *g, enum reason why, uint32_t at, struct span operand, const char *where);
#define FAIL(g, r, pos) cgi_fail((g), (r), (uint32_t)(pos), (g)->x->req.path, HERE)

/* A slot for a program. FLOW_GO: granted, or the attempt has failed; FLOW_WAIT: call again after the wake-up. */
enum flow cgi_queue(struct cgi *g);
/* It is not waited for any more. */
void cgi_queue_leave(struct cgi *g);
/* Somebody's slot is free. */
void cgi_queue_go_on(struct cgi_processes *all);

/* May the program run as whom the route says? */
bool cgi_identity_find(struct cgi *g);
/* Start the program. FLOW_GO: it runs, or the attempt has failed; FLOW_STOP: x has its verdict. */
enum flow cgi_begin(struct cgi *g);

/* What a pump came to. */
enum cgi_step {
    STEP_DONE,    /* all was handed on */
    STEP_BLOCKED, /* the program has to read */
    STEP_CLIENT,  /* x is parked: the client's content must come */
    STEP_STOP     /* x has its verdict */
};

/* Hand content on to the program, as far as both sides allow. */
enum cgi_step cgi_send(struct cgi *g);

/* Park x until something happens at the program: beside a client that is waited for already, when step is STEP_CLIENT. A
 * client that is slow is the codec's to judge: the deadline is 0 then, for none. */
enum flow cgi_wait(struct cgi *g, enum cgi_step sending, uint32_t deadline_ms, const char *what);

extern const struct body_ops cgi_body;

#endif
