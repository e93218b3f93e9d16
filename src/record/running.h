#ifndef RECORD_RUNNING_H
#define RECORD_RUNNING_H

#include "record/record.h"

#define RUNNING_MOST         128u /* exchanges that one worker tells of at once: the longest running ones */
#define RUNNING_TARGET_BYTES 200u

enum running_state {
    RUNNING_READS_HEAD, /* bytes of a head have come, and more must */
    RUNNING_GRAPH,      /* at a node; it waits if `wait` is named */
    RUNNING_SENDS       /* the answer is on its way */
};

/* An exchange that has not ended. */
struct running {
    uint64_t number;   /* 0: no head yet, so no id */
    uint64_t begun_ms; /* of the server's clock: its first byte */
    uint64_t wait_ms;  /* since when it waits */
    const char *wait;  /* static; NULL: it does not wait */
    uint64_t bytes_in, bytes_out;
    enum running_state state;
    uint16_t node; /* graph node where it is, when state is RUNNING_GRAPH */
    uint16_t why;  /* the reason it has come to, when it sends */
    uint16_t method_bytes, target_bytes;
    char method[16];
    char target[RUNNING_TARGET_BYTES]; /* cut; without its query */
    uint8_t peer_bytes;
    uint8_t peer[RECORD_PEER_BYTES]; /* as in struct record */
};

struct running_list {
    uint32_t count, total; /* told; running in all */
    struct running all[RUNNING_MOST];
};

#endif
