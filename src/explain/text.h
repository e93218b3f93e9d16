#ifndef EXPLAIN_TEXT_H
#define EXPLAIN_TEXT_H

#include "base/span.h"
#include "reason/reason.h"
#include "reason/status.h"

/*
 * What every reason, status and sub-status means, in the languages of this server. All data is constant: any thread,
 * no memory, each look-up is an array access. No returned pointer is NULL; texts are UTF-8, whole sentences.
 */
enum language { LANGUAGE_EN, LANGUAGE_ZH_CN, LANGUAGE_ZH_TW, LANGUAGES };

/* What happened, and what the reader can do about it. R_NONE and R_MORE have empty texts. */
const char *explain_what(enum reason why, enum language language);
const char *explain_todo(enum reason why, enum language language);

/* What a status means, and what a client does with it. `row` is one of status_rows(). */
const char *explain_status_what(const struct status_info *row, enum language language);
const char *explain_status_todo(const struct status_info *row, enum language language);

/* The same for a sub-status; `row` is one of substatus_rows(). */
const char *explain_substatus_what(const struct substatus_info *row, enum language language);
const char *explain_substatus_todo(const struct substatus_info *row, enum language language);

/* The tag of a language (RFC5646:2.1), as in Content-Language: "en", "zh-CN", "zh-TW". */
const char *explain_language_tag(enum language language);

/*
 * The language for a language tag, whatever its case and its further subtags: zh, zh-Hans, zh-CN and zh-SG are
 * Simplified Chinese; zh-Hant, zh-TW, zh-HK and zh-MO Traditional Chinese. A script counts more than a region.
 * LANGUAGES when there is none.
 */
enum language explain_language_find(struct span tag);

/*
 * The language that a client likes best, by the value of Accept-Language (RFC9110:12.5.4): the known one of highest
 * weight, the first of several. English when the field is empty, names no known language, or says `*`.
 */
enum language explain_language(struct span accept_language);

#endif
