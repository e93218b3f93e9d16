#include "explain/look_up.h"

#include <stdio.h>

#include "explain/look_up_impl.h"
#include "reason/reason_lookup.h"

#define MISSPELT_LETTERS 2

/* Ids of reasons begin here; smaller numbers are statuses or error numbers of Cloudflare. */
#define FIRST_ID 1300

#define REASONS  ((size_t)R_COUNT - R_MORE - 1)

size_t look_up_item_count(void)
{
    size_t statuses, substatuses;

    (void)status_rows(&statuses);
    (void)substatus_rows(&substatuses);
    return REASONS + statuses + substatuses;
}

static struct look_up_item item_of_reason(enum reason why)
{
    return (struct look_up_item){ LOOK_UP_REASON, NULL, NULL, why };
}

static struct look_up_item item_of_status(const struct status_info *row)
{
    return (struct look_up_item){ LOOK_UP_STATUS, row, NULL, R_NONE };
}

static struct look_up_item item_of_substatus(const struct substatus_info *row)
{
    return (struct look_up_item){ LOOK_UP_SUBSTATUS, NULL, row, R_NONE };
}

struct look_up_item look_up_item_at(size_t at)
{
    size_t statuses, substatuses;
    const struct status_info *status = status_rows(&statuses);
    const struct substatus_info *substatus = substatus_rows(&substatuses);

    if (at < REASONS)
        return item_of_reason((enum reason)(R_MORE + 1 + at));
    at -= REASONS;
    return at < statuses ? item_of_status(status + at) : item_of_substatus(substatus + (at - statuses));
}

static void item_add(struct look_up *out, struct look_up_item item)
{
    if (out->count < LOOK_UP_ITEMS)
        out->items[out->count++] = item;
}

static bool find_reason(struct span what, struct look_up *out)
{
    char name[64];
    enum reason why;

    if (what.n == 0 || what.n > sizeof name)
        return false;
    for (size_t i = 0; i < what.n; i++) {
        char c = what.p[i];

        name[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    why = reason_find((struct span){ name, what.n });
    if (why != R_NONE)
        item_add(out, item_of_reason(why));
    return why != R_NONE;
}

/* Is it this vendor's meaning that was asked for? The RFC dialect covers IETF and WebDAV, iis all of IIS. */
static bool vendor_fits(struct span asked, enum status_vendor vendor)
{
    if (asked.n == 0 || span_is_nocase(asked, span_of(status_vendor_name(vendor))))
        return true;
    if (span_is_nocase(asked, SPAN("rfc")))
        return vendor == VENDOR_ietf || vendor == VENDOR_webdav;
    return span_is_nocase(asked, SPAN("iis")) &&
           (vendor == VENDOR_iis7 || vendor == VENDOR_iis8 || vendor == VENDOR_arr);
}

static void find_rows(const struct reason_lookup *asked, struct look_up *out)
{
    unsigned number = (unsigned)asked->number;

    if (asked->sub < 0) {
        for (const struct status_info *row = status_first(number); row != NULL; row = status_next(row))
            if (vendor_fits(asked->vendor, row->vendor))
                item_add(out, item_of_status(row));
        return;
    }
    for (const struct substatus_info *row = substatus_first(number, (unsigned)asked->sub); row != NULL;
         row = substatus_next(row))
        if (vendor_fits(asked->vendor, row->vendor))
            item_add(out, item_of_substatus(row));
}

/* Adds a reason to a list that has room for all of them, once. */
static void reason_add(enum reason list[], size_t *count, enum reason why)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i] == why)
            return;
    list[(*count)++] = why;
}

static bool is_reason(const struct look_up *found, enum reason why)
{
    for (size_t i = 0; i < found->reason_count; i++)
        if (found->reasons[i] == why)
            return true;
    return false;
}

/* The reasons that have the number; without a vendor, those of the RFCs if they have any, and apart from them those
 * for which only others use it. */
static void find_reasons(struct reason_lookup asked, struct look_up *out)
{
    bool plain = asked.vendor.n == 0 && asked.sub < 0, standard = false;
    struct reason_number n;

    while (reason_lookup_next(&asked, &n)) {
        bool rfc = plain && span_is(span_of(n.vendor), SPAN("rfc"));

        standard = standard || rfc;
        if (!standard || rfc)
            reason_add(out->reasons, &out->reason_count, n.why);
        else if (!is_reason(out, n.why))
            reason_add(out->elsewhere, &out->elsewhere_count, n.why);
    }
}

/* A code that somebody uses but nobody describes is described by its conditions. */
static void promote_reasons(struct look_up *out)
{
    size_t kept = 0;

    if (out->count > 0)
        return;
    for (size_t i = 0; i < out->reason_count; i++)
        if (out->count < LOOK_UP_ITEMS)
            item_add(out, item_of_reason(out->reasons[i]));
        else
            out->reasons[kept++] = out->reasons[i];
    out->reason_count = kept;
}

/* Sets *is_number when `what` has the form of a number, known or not. */
static bool find_number(struct span what, struct look_up *out, bool *is_number)
{
    struct reason_lookup asked;

    *is_number = reason_lookup_parse(what, &asked);
    if (!*is_number)
        return false;
    find_rows(&asked, out);
    find_reasons(asked, out);
    if (asked.number >= FIRST_ID && asked.vendor.n == 0 && asked.sub < 0) {
        enum reason why = reason_find_id((unsigned)asked.number);

        if (why != R_NONE)
            item_add(out, item_of_reason(why));
        out->by_id = why != R_NONE;
    }
    /* nginx:404 is no meaning of its own: the RFCs' stands. */
    if (out->count == 0 && out->reason_count > LOOK_UP_ITEMS && asked.sub < 0) {
        asked.vendor = SPAN("rfc");
        find_rows(&asked, out);
    }
    promote_reasons(out);
    return out->count > 0;
}

/* Is `what` one of the parts of `list`, which "; " separates? */
static bool list_has(const char *list, struct span what)
{
    struct span rest = span_of(list);

    while (rest.n > 0) {
        size_t n = span_find(rest, ';');

        if (span_is_nocase(span_trim((struct span){ rest.p, n }), what))
            return true;
        rest = span_from(rest, n < rest.n ? n + 1 : n);
    }
    return false;
}

static bool find_phrase(struct span what, struct look_up *out)
{
    size_t statuses, substatuses;
    const struct status_info *status = status_rows(&statuses);
    const struct substatus_info *substatus = substatus_rows(&substatuses);

    for (size_t i = 0; i < statuses; i++)
        if (span_is_nocase(span_of(status[i].phrase), what) || list_has(status[i].other_phrases, what))
            item_add(out, item_of_status(&status[i]));
    for (size_t i = 0; i < substatuses; i++)
        if (span_is_nocase(span_of(substatus[i].meaning), what))
            item_add(out, item_of_substatus(&substatus[i]));
    return out->count > 0;
}

const struct look_up_saying look_up_sayings[] = {
    { SPAN_INIT("too many redirects"), 301 },
    { SPAN_INIT("too many redirects"), 302 },
    { SPAN_INIT("too many redirects"), 307 },
    { SPAN_INIT("too many redirects"), 308 },
    { SPAN_INIT("redirect loop"), 301 },
    { SPAN_INIT("redirect loop"), 302 },
    { SPAN_INIT("redirect"), 301 },
    { SPAN_INIT("redirect"), 302 },
    { SPAN_INIT("redirect"), 303 },
    { SPAN_INIT("redirect"), 307 },
    { SPAN_INIT("redirect"), 308 },
    { SPAN_INIT("重定向"), 301 },
    { SPAN_INIT("重定向"), 302 },
    { SPAN_INIT("重新導向"), 301 },
    { SPAN_INIT("重新導向"), 302 },
    { SPAN_INIT("重定向次数过多"), 302 },
    { SPAN_INIT("重新導向次數過多"), 302 },
    { SPAN_INIT("timeout"), 408 },
    { SPAN_INIT("timeout"), 504 },
    { SPAN_INIT("login"), 401 },
    { SPAN_INIT("access denied"), 401 },
    { SPAN_INIT("access denied"), 403 },
    { SPAN_INIT("permission denied"), 403 },
};
const size_t look_up_saying_count = sizeof look_up_sayings / sizeof look_up_sayings[0];

static bool find_saying(struct span what, struct look_up *out)
{
    for (size_t i = 0; i < look_up_saying_count; i++)
        if (span_is_nocase(look_up_sayings[i].said, what))
            item_add(out, item_of_status(status_first(look_up_sayings[i].code)));
    return out->count > 0;
}

/* The reasons of all items that are codes. */
static void add_reasons(struct look_up *out)
{
    for (size_t i = 0; i < out->count; i++) {
        struct look_up_name name = look_up_name(&out->items[i]);
        struct reason_lookup asked;

        if (out->items[i].kind != LOOK_UP_REASON && reason_lookup_parse(span_of(name.text), &asked))
            find_reasons(asked, out);
    }
    out->elsewhere_count = 0; /* words were asked for, not what else their number may stand for */
}

/* A name spelt nearly right is no search for its parts: better to be told the right one. */
static bool is_misspelt(struct span what)
{
    if (span_find(what, ' ') < what.n || (span_find(what, '-') == what.n && span_find(what, '_') == what.n))
        return false;
    for (size_t at = 0; at < look_up_item_count(); at++) {
        struct look_up_item item = look_up_item_at(at);

        if (item.kind == LOOK_UP_REASON && look_up_distance(what, &item) <= MISSPELT_LETTERS)
            return true;
    }
    return false;
}

/* Has anybody of this name a number for anything? */
static bool is_vendor(struct span name)
{
    struct reason_lookup asked = { .vendor = name, .sub = -1 };
    struct reason_number n;

    if (name.n == 0)
        return false;
    if (reason_lookup_next(&asked, &n))
        return true;
    for (size_t at = REASONS; at < look_up_item_count(); at++) {
        struct look_up_item item = look_up_item_at(at);

        if (vendor_fits(name, item.status != NULL ? item.status->vendor : item.substatus->vendor))
            return true;
    }
    return false;
}

enum look_up_fault look_up_fault(struct span what)
{
    struct reason_lookup asked;
    struct span vendor;

    what = span_trim(what);
    vendor = (struct span){ what.p, span_find(what, ':') };
    if (vendor.n == what.n)
        return LOOK_UP_UNKNOWN;
    if (is_vendor(vendor))
        return reason_lookup_parse(what, &asked) ? LOOK_UP_UNKNOWN : LOOK_UP_NO_NUMBER;
    return vendor.n > 0 && reason_lookup_parse(what, &asked) ? LOOK_UP_NO_VENDOR : LOOK_UP_UNKNOWN;
}

bool look_up(struct span what, struct look_up *out)
{
    bool is_number;

    out->count = out->reason_count = out->elsewhere_count = out->also_count = 0;
    out->by_id = false;
    what = span_trim(what);
    if (what.n == 0)
        return false;
    if (find_reason(what, out) || find_number(what, out, &is_number))
        return true;
    if (is_number || is_misspelt(what) || look_up_fault(what) != LOOK_UP_UNKNOWN ||
        !(find_saying(what, out) || find_phrase(what, out) || look_up_words(what, out)))
        return false;
    add_reasons(out);
    return true;
}

struct look_up_name look_up_name(const struct look_up_item *item)
{
    struct look_up_name name;
    const struct status_info *status = item->status;

    if (item->kind == LOOK_UP_REASON)
        snprintf(name.text, sizeof name.text, "%s", reason_info(item->why)->name);
    else if (item->kind == LOOK_UP_SUBSTATUS)
        snprintf(name.text, sizeof name.text, "%u.%u", item->substatus->status, item->substatus->sub);
    else if (status->vendor == VENDOR_ietf || status->vendor == VENDOR_webdav)
        snprintf(name.text, sizeof name.text, "%u", status->code);
    else
        snprintf(name.text, sizeof name.text, "%s:%u", status_vendor_name(status->vendor), status->code);
    return name;
}

const char *look_up_title(const struct look_up_item *item)
{
    switch (item->kind) {
    case LOOK_UP_STATUS:
        return item->status->phrase;
    case LOOK_UP_SUBSTATUS:
        return item->substatus->meaning;
    case LOOK_UP_REASON:
        break;
    }
    return reason_info(item->why)->text;
}
