#include "explain/content.h"

#include <inttypes.h>
#include <stdio.h>

#include "explain/content_impl.h"
#include "http/accept.h"
#include "http/token.h"
#include "reason/status.h"

static const struct content_words words[LANGUAGES] = {
    [LANGUAGE_EN] = {
        .reason = SPAN_INIT("Reason"), .path = SPAN_INIT("Path"), .about = SPAN_INIT("About"),
        .limit = SPAN_INIT("Limit"), .field = SPAN_INIT("Field"), .at = SPAN_INIT("At byte"),
        .lasts = SPAN_INIT("Lasts"), .next = SPAN_INIT("What to do"), .to = SPAN_INIT("Go to"),
        .versions = SPAN_INIT("Supported"), .note = SPAN_INIT("Note"), .id = SPAN_INIT("Id"),
        .alternatives = SPAN_INIT("Available variants"),
        .colon = SPAN_INIT(": "), .open = SPAN_INIT(" ("), .close = SPAN_INIT(")"), .space = SPAN_INIT(" "),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("Unknown: it cannot be told whether this is temporary or permanent."),
            [TEMPORARY] = SPAN_INIT("Temporary: it passes by itself, so a later attempt may succeed."),
            [PERMANENT] = SPAN_INIT("Permanent: the same request gets the same answer until something is changed."),
        },
        .until_room = SPAN_INIT("Temporary: it can pass when room is made."),
    },
    [LANGUAGE_ZH_CN] = {
        .reason = SPAN_INIT("原因"), .path = SPAN_INIT("路径"), .about = SPAN_INIT("涉及"),
        .limit = SPAN_INIT("上限"), .field = SPAN_INIT("字段"), .at = SPAN_INIT("所在字节"),
        .lasts = SPAN_INIT("持续"), .next = SPAN_INIT("怎么办"), .to = SPAN_INIT("前往"),
        .versions = SPAN_INIT("支持的版本"), .note = SPAN_INIT("说明"), .id = SPAN_INIT("编号"),
        .alternatives = SPAN_INIT("可用的版本"),
        .colon = SPAN_INIT("："), .open = SPAN_INIT("（"), .close = SPAN_INIT("）"), .space = SPAN_INIT(""),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("未知：无法判断是暂时的还是永久的。"),
            [TEMPORARY] = SPAN_INIT("暂时：会自行恢复，稍后重试可能成功。"),
            [PERMANENT] = SPAN_INIT("永久：在有人作出改动之前，同样的请求只会得到同样的结果。"),
        },
        .until_room = SPAN_INIT("暂时：腾出空间后即可恢复。"),
    },
    [LANGUAGE_ZH_TW] = {
        .reason = SPAN_INIT("原因"), .path = SPAN_INIT("路徑"), .about = SPAN_INIT("涉及"),
        .limit = SPAN_INIT("上限"), .field = SPAN_INIT("欄位"), .at = SPAN_INIT("所在位元組"),
        .lasts = SPAN_INIT("持續"), .next = SPAN_INIT("怎麼辦"), .to = SPAN_INIT("前往"),
        .versions = SPAN_INIT("支援的版本"), .note = SPAN_INIT("說明"), .id = SPAN_INIT("編號"),
        .alternatives = SPAN_INIT("可用的版本"),
        .colon = SPAN_INIT("："), .open = SPAN_INIT("（"), .close = SPAN_INIT("）"), .space = SPAN_INIT(""),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("未知：無法判斷是暫時還是永久。"),
            [TEMPORARY] = SPAN_INIT("暫時：會自行恢復，稍後重試可能成功。"),
            [PERMANENT] = SPAN_INIT("永久：在有人作出變更之前，同樣的請求只會得到同樣的結果。"),
        },
        .until_room = SPAN_INIT("暫時：騰出空間後即可恢復。"),
    },
};

/* A format: what it is asked for as, what is sent, who writes it. */
static const struct {
    struct span asked[2], sent;
    void (*write)(struct bounded *b, const struct content_facts *f);
} formats[EXPLAIN_FORMATS] = {
    [EXPLAIN_HTML] = { { SPAN_INIT("text/html"), SPAN_INIT("text/html") },
                       SPAN_INIT("text/html; charset=utf-8"),
                       content_html },
    [EXPLAIN_PROBLEM] = { { SPAN_INIT("application/problem+json"), SPAN_INIT("application/json") },
                          SPAN_INIT("application/problem+json"),
                          content_problem },
    [EXPLAIN_TEXT] = { { SPAN_INIT("text/plain"), SPAN_INIT("text/plain") },
                       SPAN_INIT("text/plain; charset=utf-8"),
                       content_text },
};

/* Is the type itself, and not a wildcard, a member of the list? */
static bool accept_names(struct span accept, struct span type)
{
    struct span member;

    while (token_next(&accept, &member)) {
        struct span range = span_trim((struct span){ member.p, span_find(member, ';') });

        if (span_is_nocase(range, type))
            return true;
    }
    return false;
}

/* The higher the better; 0: not acceptable. */
static unsigned format_score(struct span accept, enum explain_format format)
{
    unsigned best = 0;

    for (size_t i = 0; i < 2; i++) {
        struct span type = formats[format].asked[i];
        unsigned quality = accept_quality_media(accept, type);
        bool named = accept_names(accept, type);
        unsigned score = quality == 0 ? 0 : 4 * quality + (named ? 2 : format == EXPLAIN_TEXT ? 1 : 0);

        best = score > best ? score : best;
    }
    return best;
}

enum explain_format explain_format(struct span accept)
{
    enum explain_format best = EXPLAIN_TEXT;
    unsigned best_score = 0;

    if (accept.p == NULL) /* nothing said */
        return best;
    for (enum explain_format f = 0; f < EXPLAIN_FORMATS; f++) {
        unsigned score = format_score(accept, f);

        if (score > best_score) {
            best = f;
            best_score = score;
        }
    }
    return best;
}

/* No character of UTF-8 is cut in two. */
static struct content_cut cut(struct span s)
{
    size_t n = EXPLAIN_OPERAND_BYTES;

    if (s.n <= n)
        return (struct content_cut){ s, false };
    while (n > EXPLAIN_OPERAND_BYTES - 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return (struct content_cut){ { s.p, n }, true };
}

static void code_write(char *out, size_t room, const struct explain_input *in)
{
    if (in->detail > 0 && in->dialect == DIALECT_IIS)
        snprintf(out, room, "%u.%u", in->status, in->detail - 1u);
    else if (in->detail > 0 && in->dialect == DIALECT_CLOUDFLARE)
        snprintf(out, room, "%u (error %u)", in->status, in->detail);
    else
        *decimal_write(out, in->status) = '\0';
}

/* Does the operand tell a limit that was passed? */
static bool is_limit(enum reason why)
{
    switch (why) {
    case R_uri_too_long:
    case R_query_too_long:
    case R_too_many_url_segments:
    case R_header_fields_too_large:
    case R_too_many_header_fields:
    case R_content_too_large:
    case R_content_streamed_too_large:
    case R_request_timeout:
    case R_request_content_timeout:
    case R_too_many_connections_total:
    case R_connection_limit_per_client:
    case R_exchange_memory_exhausted:
    case R_event_streams_full:
        return true;
    default:
        return false;
    }
}

/* Does the operand name a field? */
static bool is_field(enum reason why)
{
    switch (why) {
    case R_header_field_too_large:
    case R_malformed_header_field:
    case R_field_line_folded:
    case R_space_before_colon:
    case R_field_name_invalid:
    case R_field_value_invalid:
    case R_host_missing:
    case R_host_missing_or_invalid:
    case R_host_repeated:
    case R_ambiguous_framing:
    case R_content_length_invalid:
    case R_content_length_conflict:
    case R_chunked_not_last:
    case R_transfer_encoding_in_http10:
    case R_transfer_coding_unknown:
    case R_length_required:
    case R_if_match_failed:
    case R_if_none_match_failed:
    case R_if_unmodified_since_failed:
    case R_precondition_required:
    case R_expectation_failed:
    case R_content_coding_unknown:
    case R_put_range_unsupported:
    case R_credentials_missing:
    case R_credentials_refused:
    case R_range_not_satisfiable:
    case R_not_acceptable:
    case R_coding_not_acceptable:
        return true;
    default:
        return false;
    }
}

static struct span about_of(enum reason why, const struct content_words *w)
{
    return is_limit(why) ? w->limit : is_field(why) ? w->field : w->about;
}

static struct span lasts_of(enum reason why, const struct content_words *w)
{
    if (why == R_insufficient_storage || why == R_quota_exceeded)
        return w->until_room;
    return w->lasting[reason_info(why)->lasts];
}

/* What the path or the link tell already is not told again. */
static struct span operand_of(const struct explain_input *in)
{
    bool told = span_is(in->operand, in->path) || span_is(in->operand, in->link_to);

    return told ? (struct span){ 0 } : in->operand;
}

static struct content_facts facts_of(const struct explain_input *in)
{
    enum language language = explain_language(in->accept_language);
    struct content_facts f = {
        .in = in,
        .words = &words[language],
        .language = language,
        .phrase = span_of(status_phrase(in->status)),
        .name = span_of(reason_info(in->why)->name),
        .what = span_of(explain_what(in->why, language)),
        .next = span_of(explain_todo(in->why, language)),
        .is_error = in->status / 100 >= 4,
        .has_why = in->console.n > 0 && in->id.n > 0,
        .operand = cut(operand_of(in)),
        .about = about_of(in->why, &words[language]),
        .path = cut(span_is(in->path, in->link_to) ? (struct span){ 0 } : in->path),
        .note = cut(in->note),
        .link = cut(in->link_to),
        .versions = in->why == R_version_not_supported ? SPAN("HTTP/1.0, HTTP/1.1") : (struct span){ 0 },
    };

    code_write(f.code, sizeof f.code, in);
    if (f.is_error)
        f.lasts = lasts_of(in->why, f.words);
    if (in->has_at)
        snprintf(f.at, sizeof f.at, "%" PRIu32, in->at);
    return f;
}

struct explain_content explain_content(struct arena *a, const struct explain_input *in)
{
    enum explain_format format = explain_format(in->accept);
    struct content_facts facts = facts_of(in);
    struct bounded size = { NULL, 0, 0 }, b;
    struct explain_content out = { .media_type = formats[format].sent,
                                   .language = span_of(explain_language_tag(facts.language)) };

    formats[format].write(&size, &facts);
    b = (struct bounded){ arena_take(a, size.bytes), size.bytes, 0 };
    if (b.out == NULL)
        return out;
    formats[format].write(&b, &facts);
    out.content = (struct span){ b.out, b.bytes };
    return out;
}
