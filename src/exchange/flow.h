#ifndef EXCHANGE_FLOW_H
#define EXCHANGE_FLOW_H

/* What anything that may wait returns. */
enum flow {
    FLOW_GO,   /* done: go on */
    FLOW_WAIT, /* parked: the same call is made again after the wake-up */
    FLOW_STOP  /* ended: x->verdict is set */
};

/* What is known of an exchange so far: the graph's acts give these, its nodes need them. */
enum fact {
    F_HEAD = 1 << 0,     /* the message head is complete and well-formed */
    F_TARGET = 1 << 1,   /* target, path and host are understood */
    F_ROUTE = 1 << 2,    /* site, route, policy and resource are chosen */
    F_META = 1 << 3,     /* the resource has said what is at the path */
    F_SELECTED = 1 << 4, /* one representation is selected, its validators are known */
    F_CONTENT = 1 << 5,  /* the request content has been taken in */
    F_RANGE = 1 << 6,    /* the Range field has been held against the representation */
    F_REPLY = 1 << 7     /* fields and content of the reply are ready */
};

#endif
