#include "explain/content.h"

#include <stdio.h>

#include "explain/content_impl.h"
#include "http/accept.h"
#include "http/token.h"
#include "reason/status.h"

static const struct content_words words[LANGUAGES] = {
    [LANGUAGE_EN] = {
        .reason = SPAN_INIT("Reason"), .path = SPAN_INIT("Path"), .about = SPAN_INIT("About"),
        .lasts = SPAN_INIT("Lasts"), .next = SPAN_INIT("What to do"), .to = SPAN_INIT("Go to"),
        .versions = SPAN_INIT("Supported"), .note = SPAN_INIT("Note"), .id = SPAN_INIT("Id"),
        .colon = SPAN_INIT(": "), .open = SPAN_INIT(" ("), .close = SPAN_INIT(")"), .space = SPAN_INIT(" "),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("Unknown: it cannot be told whether this is temporary or permanent."),
            [TEMPORARY] = SPAN_INIT("Temporary: it passes by itself, so a later attempt may succeed."),
            [PERMANENT] = SPAN_INIT("Permanent: the same request gets the same answer until something is changed."),
        },
    },
    [LANGUAGE_ZH_CN] = {
        .reason = SPAN_INIT("原因"), .path = SPAN_INIT("路径"), .about = SPAN_INIT("涉及"),
        .lasts = SPAN_INIT("持续"), .next = SPAN_INIT("怎么办"), .to = SPAN_INIT("前往"),
        .versions = SPAN_INIT("支持的版本"), .note = SPAN_INIT("说明"), .id = SPAN_INIT("编号"),
        .colon = SPAN_INIT("："), .open = SPAN_INIT("（"), .close = SPAN_INIT("）"), .space = SPAN_INIT(""),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("未知：无法判断是暂时的还是永久的。"),
            [TEMPORARY] = SPAN_INIT("暂时：会自行恢复，稍后重试可能成功。"),
            [PERMANENT] = SPAN_INIT("永久：在有人作出改动之前，同样的请求只会得到同样的结果。"),
        },
    },
    [LANGUAGE_ZH_TW] = {
        .reason = SPAN_INIT("原因"), .path = SPAN_INIT("路徑"), .about = SPAN_INIT("涉及"),
        .lasts = SPAN_INIT("持續"), .next = SPAN_INIT("怎麼辦"), .to = SPAN_INIT("前往"),
        .versions = SPAN_INIT("支援的版本"), .note = SPAN_INIT("說明"), .id = SPAN_INIT("編號"),
        .colon = SPAN_INIT("："), .open = SPAN_INIT("（"), .close = SPAN_INIT("）"), .space = SPAN_INIT(""),
        .lasting = {
            [UNKNOWN] = SPAN_INIT("未知：無法判斷是暫時還是永久。"),
            [TEMPORARY] = SPAN_INIT("暫時：會自行恢復，稍後重試可能成功。"),
            [PERMANENT] = SPAN_INIT("永久：在有人作出變更之前，同樣的請求只會得到同樣的結果。"),
        },
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
        snprintf(out, room, "%u", in->status);
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
        .operand = cut(span_is(in->operand, in->path) ? (struct span){ 0 } : in->operand),
        .path = cut(in->path),
        .note = cut(in->note),
        .link = cut(in->link_to),
        .versions = in->why == R_version_not_supported ? SPAN("HTTP/1.0, HTTP/1.1") : (struct span){ 0 },
    };

    code_write(f.code, sizeof f.code, in);
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
