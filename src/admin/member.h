#ifndef ADMIN_MEMBER_H
#define ADMIN_MEMBER_H

#include <jansson.h>
#include <stdint.h>

/*
 * JSON under construction. Values are given away; one that is NULL, for want of memory, makes the whole NULL, and so
 * *o need be looked at only once, in the end.
 */
static inline void member(json_t **o, const char *name, json_t *value)
{
    if (json_object_set_new(*o, name, value) == 0)
        return;
    json_decref(*o);
    *o = NULL;
}

static inline void element(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) == 0)
        return;
    json_decref(*list);
    *list = NULL;
}

static inline void member_number(json_t **o, const char *name, uint64_t value)
{
    member(o, name, json_integer((json_int_t)value));
}

static inline void member_string(json_t **o, const char *name, const char *value)
{
    member(o, name, json_string(value));
}

#endif
