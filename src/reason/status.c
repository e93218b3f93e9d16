#include "reason/status.h"

static const struct status_info rows[] = {
#define STATUS(code_, vendor_, phrase_, others_, standing_, emitters_, sends_, never_, cacheable_, spec_, rules_) \
    { .code = (code_),                                                                                            \
      .vendor = VENDOR_##vendor_,                                                                                 \
      .standing = STANDING_##standing_,                                                                           \
      .cacheable = (cacheable_),                                                                                  \
      .phrase = (phrase_),                                                                                        \
      .other_phrases = (others_),                                                                                 \
      .emitters = (emitters_),                                                                                    \
      .sends = (sends_),                                                                                          \
      .never_sends = (never_),                                                                                    \
      .spec = (spec_),                                                                                            \
      .rules = (rules_) },
#include "reason/statuses.def"
#undef STATUS
};

static const struct substatus_info sub_rows[] = {
#define SUBSTATUS(status_, sub_, vendor_, meaning_, rfc_, condition_, registry_only_) \
    { .status = (status_),                                                            \
      .sub = (sub_),                                                                  \
      .vendor = VENDOR_##vendor_,                                                     \
      .registry_only = (registry_only_),                                              \
      .meaning = (meaning_),                                                          \
      .rfc = (rfc_),                                                                  \
      .condition = (condition_) },
#include "reason/substatuses.def"
#undef SUBSTATUS
};

enum { SUBSTATUS_ROWS = sizeof sub_rows / sizeof sub_rows[0] };

enum row {
#define STATUS(code, vendor, ...) ROW_##code##_##vendor,
#include "reason/statuses.def"
#undef STATUS
    STATUS_ROWS
};

enum { FIRST_CODE = 100, LAST_CODE = 599, CODES = LAST_CODE - FIRST_CODE + 1 };

/* WebDAV's obsolete 425 has lost its number to HTTP. */
#define REGISTERED(vendor, standing) \
    (VENDOR_##vendor == VENDOR_ietf || (VENDOR_##vendor == VENDOR_webdav && STANDING_##standing != STANDING_OBSOLETE))

/* Row + 1 by code, 0 for none. Meanings that are not registered fall into slots of their own beyond the codes. */
static const uint8_t registered[CODES + STATUS_ROWS] = {
#define STATUS(code, vendor, phrase, others, standing, ...) \
    [REGISTERED(vendor, standing) ? (code)-FIRST_CODE : CODES + ROW_##code##_##vendor] = ROW_##code##_##vendor + 1,
#include "reason/statuses.def"
#undef STATUS
};

_Static_assert(STATUS_ROWS < UINT8_MAX, "a row and 1 must fit an entry of registered[]");

static const char *const vendor_names[VENDORS] = {
    [VENDOR_ietf] = "ietf",
    [VENDOR_webdav] = "webdav",
    [VENDOR_unofficial] = "unofficial",
    [VENDOR_nginx] = "nginx",
    [VENDOR_cloudflare] = "cloudflare",
    [VENDOR_microsoft] = "microsoft",
    [VENDOR_iis] = "iis",
    [VENDOR_iis7] = "iis7",
    [VENDOR_iis8] = "iis8",
    [VENDOR_arr] = "arr",
    [VENDOR_esri] = "esri",
    [VENDOR_twitter] = "twitter",
    [VENDOR_spring] = "spring",
    [VENDOR_laravel] = "laravel",
    [VENDOR_cpanel] = "cpanel",
    [VENDOR_pantheon] = "pantheon",
};

static const char *const standing_names[STANDINGS] = {
    [STANDING_CURRENT] = "current", [STANDING_DEPRECATED] = "deprecated", [STANDING_OBSOLETE] = "obsolete",
    [STANDING_UNUSED] = "unused",   [STANDING_UNOFFICIAL] = "unofficial",
};

static const char *vendor_phrase(unsigned code)
{
    const struct status_info *row = status_first(code);

    return row != NULL && status_next(row) == NULL ? row->phrase : "";
}

const char *status_phrase(unsigned code)
{
    const struct status_info *row;

    if (code < FIRST_CODE || code > LAST_CODE)
        return "";
    if (registered[code - FIRST_CODE] == 0)
        return vendor_phrase(code);
    row = &rows[registered[code - FIRST_CODE] - 1];
    return row->standing == STANDING_UNUSED ? row->other_phrases : row->phrase;
}

const struct status_info *status_rows(size_t *count_out)
{
    *count_out = STATUS_ROWS;
    return rows;
}

const struct status_info *status_first(unsigned code)
{
    for (size_t i = 0; i < STATUS_ROWS; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const struct status_info *status_next(const struct status_info *row)
{
    const struct status_info *next = row + 1;

    return next < rows + STATUS_ROWS && next->code == row->code ? next : NULL;
}

const struct status_info *status_find(unsigned code, enum status_vendor vendor)
{
    const struct status_info *row = status_first(code);

    while (row != NULL && row->vendor != vendor)
        row = status_next(row);
    return row;
}

const struct substatus_info *substatus_rows(size_t *count_out)
{
    *count_out = SUBSTATUS_ROWS;
    return sub_rows;
}

const struct substatus_info *substatus_first(unsigned status, unsigned sub)
{
    for (size_t i = 0; i < SUBSTATUS_ROWS; i++)
        if (sub_rows[i].status == status && sub_rows[i].sub == sub)
            return &sub_rows[i];
    return NULL;
}

const struct substatus_info *substatus_next(const struct substatus_info *row)
{
    const struct substatus_info *next = row + 1;

    return next < sub_rows + SUBSTATUS_ROWS && next->status == row->status && next->sub == row->sub ? next : NULL;
}

const char *status_vendor_name(enum status_vendor v)
{
    return vendor_names[v];
}

const char *status_standing_name(enum status_standing s)
{
    return standing_names[s];
}

enum status_vendor status_vendor_find(struct span name)
{
    enum status_vendor v = 0;

    while (v < VENDORS && !span_is_nocase(name, span_of(vendor_names[v])))
        v++;
    return v;
}
