#ifndef TEST_HTTP_PARSED_H
#define TEST_HTTP_PARSED_H

#include "guarded.h"
#include "http/h1_parse.h"

/* The head of a message that has to parse; the field lines are overwritten by the next call. */
static inline struct head parsed(struct span message)
{
    static const struct h1_limits limits = { 1000, 1000, 4000, 50 };
    static struct field fields[50];
    struct verdict v = { 0 };
    struct head head;

    head_init(&head, fields);
    DIE_UNLESS(h1_parse_head(guarded(message), &limits, &head, &v) == R_NONE);
    return head;
}

#endif
