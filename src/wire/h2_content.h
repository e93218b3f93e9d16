#ifndef WIRE_H2_CONTENT_H
#define WIRE_H2_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "reason/verdict.h"

struct wire;
struct h2_block;

/*
 * The content of one request, between the frames that it comes in and the exchange that takes it. What is here was not
 * taken yet, so the client's windows bound it: credit is given for what the exchange took.
 */
struct h2_content {
    struct h2_block *first, *last;
    uint32_t from;        /* bytes of the first that were taken */
    uint32_t given;       /* bytes that content() handed out last: credited at the next call */
    uint64_t come, taken; /* bytes */
    uint64_t length;      /* what was announced, if is_length_known */
    bool is_length_known, ended, continue_sent;
    struct verdict broken; /* why no more can be had, or R_NONE */
};

/* Keep n bytes more. False without memory. */
bool h2_content_add(struct wire *w, struct h2_content *content, const uint8_t *bytes, size_t n);

/* Forget what is here. Bytes that nobody has been credited for. */
uint32_t h2_content_drop(struct wire *w, struct h2_content *content);

/* codec_ops.content */
enum flow h2_content(struct exchange *x, struct span *piece);

/* Give the blocks that are free back to the system. */
void h2_blocks_free(struct wire *w);

#endif
