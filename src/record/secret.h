#ifndef RECORD_SECRET_H
#define RECORD_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "exchange/exchange.h"

/* What is known of fields of one id. */
enum secret_kind {
    SECRET_UNKNOWN,  /* the name is compared, and URIs are looked at */
    SECRET_HARMLESS, /* never a secret */
    SECRET_URI,      /* a URI, which may hold one */
    SECRET_LISTED    /* always one */
};

/*
 * What must not be kept: values of fields that carry credentials, and parameters of URIs that do. Names are compared
 * without regard to case.
 */
struct secrets {
    const struct span *fields; /* names of fields, of requests and of replies */
    const struct span
        *queries; /* names of parameters: of the target, and of the URI in Referer, Location and their like */
    uint32_t field_count, query_count;
    /* Set by secrets_prepare(); without it every field of every head is looked at. */
    uint8_t kinds[FIELD_IDS]; /* enum secret_kind */
    bool first_ids_only;      /* those of ids beyond SECRETS_FIRST_IDS are harmless */
};

/* What nobody gets to see when the configuration does not say otherwise. Static, prepared. */
extern const struct secrets secrets_standard;

/* What stands for a value that was removed. */
#define SECRET_REMOVED "[removed]"

/* Make secrets_suspected() fast: once, when the names are set. */
void secrets_prepare(struct secrets *s);

/* Is this the name of such a field? */
bool secrets_field(const struct secrets *s, struct span name);

/* May the field hold a secret, by its name or by its value? */
bool secrets_in_field(const struct secrets *s, const struct field *f);

/* May the request's target hold one, or could the head not be read? A target that could not be understood has no path;
 * one that could has no userinfo before its host, and no fragment: target_parse() takes neither. */
static inline bool secrets_in_target(const struct exchange *x)
{
    const struct target *t = &x->req.target;

    return x->head_verdict.why != R_NONE || t->has_query || t->path.n == 0;
}

/* Fields that may carry secrets by common use have the first ids: two words of struct head tell whether any is there. */
#define SECRETS_FIRST_IDS 16
_Static_assert(FIELD_AUTHENTICATION_INFO == 1 && FIELD_X_CSRF_TOKEN == SECRETS_FIRST_IDS,
               "they come first in fields.def");

/* Is there a field that secrets_in_field() holds for? */
bool secrets_in_fields(const struct secrets *s, const struct head *head);

/* May the request's head hold anything of the kind? Cheap; true when in doubt. */
static inline bool secrets_suspected(const struct secrets *s, const struct exchange *x)
{
    uint64_t ids[2];

    memcpy(ids, x->req.head.first + 1, sizeof ids);
    if (((ids[0] | ids[1]) != 0 || !s->first_ids_only) && secrets_in_fields(s, &x->req.head))
        return true;
    return secrets_in_target(x);
}

/*
 * Copy a head as it was sent - a first line, lines of fields, perhaps cut off or malformed anywhere - without its
 * secrets: SECRET_REMOVED stands for the value of each such field, folded lines included, and of each such parameter.
 * Userinfo of a URI (RFC9110:4.2.4) goes in the same way. A name is still found when what is around it is malformed
 * (white space before the colon, a bare CR as the end of a line); where a value ends is then told in doubt by the line
 * that goes on with something else, so more may be removed than was secret. An empty value stays empty.
 *
 * cut      set: was something left away because there was no room?
 *
 * Returns  bytes written; at most room: what has no more room is left away, never half of a mark
 * Memory   none; head and out do not overlap
 * Threads  any
 */
size_t secrets_copy(const struct secrets *s, struct span head, char *out, size_t room, bool *cut);

/* Copy a text that may be a URI, or hold some, in the same way. */
size_t secrets_copy_uris(const struct secrets *s, struct span text, char *out, size_t room, bool *cut);

/* secrets_copy() for x->req.head_text, and fast when the head could be read: where its parts are is known then. */
size_t secrets_copy_request(const struct secrets *s, const struct exchange *x, char *out, size_t room, bool *cut);

#endif
