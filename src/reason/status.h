#ifndef REASON_STATUS_H
#define REASON_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/*
 * What the numbers mean, by whom: every status code of statuses.def and every sub-status of substatuses.def.
 * All data is constant and static: nothing is allocated, any thread may call anything, pointers stay good for ever.
 */

/* Whose meaning it is. One number may have several vendors, one vendor gives it one meaning. */
enum status_vendor {
    VENDOR_ietf,
    VENDOR_webdav,
    VENDOR_unofficial, /* seen in the field, owned by nobody */
    VENDOR_nginx,
    VENDOR_cloudflare,
    VENDOR_microsoft,
    VENDOR_iis,
    VENDOR_iis7,
    VENDOR_iis8,
    VENDOR_arr,
    VENDOR_esri,
    VENDOR_twitter,
    VENDOR_spring,
    VENDOR_laravel,
    VENDOR_cpanel,
    VENDOR_pantheon,
    VENDORS
};

enum status_standing {
    STANDING_CURRENT,
    STANDING_DEPRECATED, /* still understood, not to be sent by default */
    STANDING_OBSOLETE,
    STANDING_UNUSED, /* reserved: no meaning may be given to it */
    STANDING_UNOFFICIAL,
    STANDINGS
};

/* One meaning of one code. No pointer is NULL; text that does not apply is "". */
struct status_info {
    uint16_t code; /* 100..599, and 600, which never reaches the wire */
    enum status_vendor vendor;
    enum status_standing standing;
    bool cacheable;            /* heuristically, without explicit freshness; RFC9110:15.1 */
    const char *phrase;        /* of the registry or the vendor */
    const char *other_phrases; /* former, translated and misspelt ones, for look-up; "; " between them */
    const char *emitters;      /* roles that may send it; ", " between them */
    const char *sends;         /* what its response must and should carry; "; " between the parts */
    const char *never_sends;   /* what must not go with it, or when it must not be sent at all */
    const char *spec;          /* RFCnnnn:section, most important first, ", " between them; or "local" */
    const char *rules;         /* ids R001..R251 of the rules that bear on it; one space between them */
};

/* One meaning of one IIS or ARR sub-status, such as 404.13. No pointer is NULL. */
struct substatus_info {
    uint16_t status;
    uint16_t sub; /* the number after the dot; 0 is a sub-status too */
    enum status_vendor vendor;
    bool registry_only;    /* known to the look-up, never produced here */
    const char *meaning;   /* short, in English */
    const char *rfc;       /* the status a server without sub-statuses sends, with its alternatives in words */
    const char *condition; /* when this server meets it */
};

/*
 * The reason phrase for a status line, RFC9112:4. One array access for a code that HTTP or WebDAV defines. A reserved
 * code (306, 418) has no phrase of its own in the registry and gets the one that it is known by. A code that HTTP
 * does not define gets its vendor's phrase when just one vendor claims it, else "": the generic phrase of the class
 * ("OK" for 299) would say too much, and an empty phrase is legal. Never NULL.
 */
const char *status_phrase(unsigned code);

/* May a response with this status have content at all? RFC9110:6.4.1 */
static inline bool status_may_have_content(unsigned code)
{
    return code >= 200 && code != 204 && code != 304;
}

/* All rows, ordered by code; count_out gets their number. */
const struct status_info *status_rows(size_t *count_out);

/* The first meaning of code, or NULL; then the next meaning of the same code, or NULL. */
const struct status_info *status_first(unsigned code);
const struct status_info *status_next(const struct status_info *row);

/* The meaning that vendor gives to code, or NULL. */
const struct status_info *status_find(unsigned code, enum status_vendor vendor);

/* All rows, ordered by status and sub; count_out gets their number. */
const struct substatus_info *substatus_rows(size_t *count_out);

/* The first meaning of status.sub, or NULL; then the next meaning of the same pair, or NULL. */
const struct substatus_info *substatus_first(unsigned status, unsigned sub);
const struct substatus_info *substatus_next(const struct substatus_info *row);

/* v < VENDORS, s < STANDINGS: lower-case ASCII. Never NULL. */
const char *status_vendor_name(enum status_vendor v);
const char *status_standing_name(enum status_standing s);

/* The vendor of that name, without regard to case; VENDORS when there is none. */
enum status_vendor status_vendor_find(struct span name);

#endif
