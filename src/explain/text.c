#include "explain/text.h"

#include <stddef.h>

#include "http/accept.h"
#include "http/language.h"
#include "http/token.h"

/* What a range that is less than the same may cost, in thousandths: between equal weights the order decides. */
#define CLOSENESS 5

struct text {
    const char *what, *todo;
};

#define REASON_TEXT(name, what_, todo_) [R_##name] = { (what_), (todo_) },

static const struct text reason_texts[LANGUAGES][R_COUNT] = {
    [LANGUAGE_EN] = { [R_NONE] = { "", "" }, [R_MORE] = { "", "" },
#include "explain/reasons.en.def"
    },
    [LANGUAGE_ZH_CN] = { [R_NONE] = { "", "" }, [R_MORE] = { "", "" },
#include "explain/reasons.zh-CN.def"
    },
    [LANGUAGE_ZH_TW] = { [R_NONE] = { "", "" }, [R_MORE] = { "", "" },
#include "explain/reasons.zh-TW.def"
    },
};

/* The place of each row in its table, so that the texts need not stand in the same order. */
enum status_row {
#define STATUS(code, vendor, ...) ROW_##code##_##vendor,
#include "reason/statuses.def"
#undef STATUS
    STATUS_ROWS
};

enum substatus_row {
#define SUBSTATUS(status, sub, vendor, ...) ROW_##status##_##sub##_##vendor,
#include "reason/substatuses.def"
#undef SUBSTATUS
    SUBSTATUS_ROWS
};

#define STATUS_TEXT(code, vendor, what_, todo_)           [ROW_##code##_##vendor] = { (what_), (todo_) },
#define SUBSTATUS_TEXT(status, sub, vendor, what_, todo_) [ROW_##status##_##sub##_##vendor] = { (what_), (todo_) },

static const struct text status_texts[LANGUAGES][STATUS_ROWS] = {
    [LANGUAGE_EN] = {
#include "explain/statuses.en.def"
    },
    [LANGUAGE_ZH_CN] = {
#include "explain/statuses.zh-CN.def"
    },
    [LANGUAGE_ZH_TW] = {
#include "explain/statuses.zh-TW.def"
    },
};

static const struct text substatus_texts[LANGUAGES][SUBSTATUS_ROWS] = {
    [LANGUAGE_EN] = {
#include "explain/substatuses.en.def"
    },
    [LANGUAGE_ZH_CN] = {
#include "explain/substatuses.zh-CN.def"
    },
    [LANGUAGE_ZH_TW] = {
#include "explain/substatuses.zh-TW.def"
    },
};

static const char *const tags[LANGUAGES] = { "en", "zh-CN", "zh-TW" };

const char *explain_what(enum reason why, enum language language)
{
    return reason_texts[language][why].what;
}

const char *explain_todo(enum reason why, enum language language)
{
    return reason_texts[language][why].todo;
}

static const struct text *status_text(const struct status_info *row, enum language language)
{
    size_t count;

    return &status_texts[language][row - status_rows(&count)];
}

const char *explain_status_what(const struct status_info *row, enum language language)
{
    return status_text(row, language)->what;
}

const char *explain_status_todo(const struct status_info *row, enum language language)
{
    return status_text(row, language)->todo;
}

static const struct text *substatus_text(const struct substatus_info *row, enum language language)
{
    size_t count;

    return &substatus_texts[language][row - substatus_rows(&count)];
}

const char *explain_substatus_what(const struct substatus_info *row, enum language language)
{
    return substatus_text(row, language)->what;
}

const char *explain_substatus_todo(const struct substatus_info *row, enum language language)
{
    return substatus_text(row, language)->todo;
}

const char *explain_language_tag(enum language language)
{
    return tags[language];
}

enum language explain_language_find(struct span tag)
{
    enum language found = LANGUAGES;
    enum language_match best = LANGUAGE_OTHER;

    for (enum language l = 0; l < LANGUAGES; l++) {
        enum language_match match = language_match(tag, span_of(tags[l]));

        if (match > best) {
            best = match;
            found = l;
        }
    }
    return found;
}

enum language explain_language(struct span accept_language)
{
    unsigned quality[LANGUAGES], best = 0;
    struct span member;

    for (enum language l = 0; l < LANGUAGES; l++) {
        quality[l] = accept_quality_language(accept_language, span_of(tags[l]));
        best = quality[l] > best ? quality[l] : best;
    }
    while (token_next(&accept_language, &member)) {
        struct span tag = span_trim((struct span){ member.p, span_find(member, ';') });
        enum language l = explain_language_find(tag);

        if (l != LANGUAGES && quality[l] > 0 && quality[l] + CLOSENESS >= best)
            return l;
    }
    return LANGUAGE_EN;
}
