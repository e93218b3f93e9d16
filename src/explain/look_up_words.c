#include "explain/look_up.h"
#include "explain/look_up_impl.h"
#include "explain/text.h"

#define TOKENS_MOST 12
#define TEXTS_MOST  10

/* From this length on a word may be the beginning of another: cert, certificate. */
#define WORD_BEGUN_BYTES 4

/* A word as it is looked for: ASCII without its ending, or two characters of Chinese. */
struct token {
    struct span text;
    const char *const *synonyms; /* NULL-terminated; NULL: none */
    unsigned items;              /* that have it */
};

/* What people say for what the registry says. Each row means one thing; words without their endings. */
static const char *const synonyms[][8] = {
    { "redirect", "moved", "location", NULL },
    { "timeout", "time", "slow", "late", NULL },
    { "forbid", "forbidden", "denied", "refuse", "permission", "permit", NULL },
    { "auth", "login", "password", "credential", "unauthorized", "logon", NULL },
    { "ssl", "tls", "https", "handshake", NULL },
    { "cert", "certificate", NULL },
    { "big", "large", "long", "huge", "size", NULL },
    { "header", "field", "cookie", NULL },
    { "delete", "remove", "gone", "erase", NULL },
    { "upload", "put", "content", NULL },
    { "body", "content", "payload", "entity", NULL },
    { "upstream", "backend", "origin", "gateway", NULL },
    { "ban", "block", "deny", "denied", NULL },
    { "busy", "overload", "full", "capacity", NULL },
    { "crash", "fail", "broken", NULL },
    { "url", "uri", "path", "address", "link", NULL },
    { "throttle", "rate", "limit", NULL },
    { "missing", "absent", "lack", NULL },
};

/* Words that say nothing here. */
static const char *const empty_words[] = { "a",    "an",   "and",   "are", "as",   "at",   "be",   "by",     "code",
                                           "do",   "does", "error", "for", "get",  "got",  "http", "i",      "in",
                                           "is",   "it",   "mean",  "my",  "of",   "on",   "or",   "server", "status",
                                           "that", "the",  "to",    "was", "what", "when", "why",  "with",   "web" };

static bool is_ascii_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_high(char c)
{
    return ((unsigned char)c & 0x80) != 0;
}

static bool span_starts_nocase(struct span s, struct span prefix)
{
    return s.n >= prefix.n && strncasecmp(s.p, prefix.p, prefix.n) == 0;
}

/* Without the ending of a plural, a past or an -ing, where enough is left. */
static struct span stem(struct span word)
{
    static const struct span endings[] = { SPAN_INIT("ing"), SPAN_INIT("ed"), SPAN_INIT("s") };

    for (size_t i = 0; i < 3; i++) {
        struct span ending = endings[i];

        if (word.n >= ending.n + 4 && span_is_nocase(span_from(word, word.n - ending.n), ending) &&
            !span_is_nocase(span_from(word, word.n - 2), SPAN("ss")))
            return (struct span){ word.p, word.n - ending.n };
    }
    return word;
}

/* Letters alone say nothing. Numbers among words, as in "404 not found", stand in too many texts. */
static bool is_letter_or_number(struct span word)
{
    size_t n = 0;

    while (n < word.n && word.p[n] >= '0' && word.p[n] <= '9')
        n++;
    return n == word.n || word.n == 1;
}

static bool is_empty_word(struct span word)
{
    for (size_t i = 0; i < sizeof empty_words / sizeof empty_words[0]; i++)
        if (span_is_nocase(word, span_of(empty_words[i])))
            return true;
    return false;
}

static const char *const *synonyms_of(struct span word)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        for (size_t j = 0; synonyms[i][j] != NULL; j++)
            if (span_is_nocase(word, span_of(synonyms[i][j])))
                return synonyms[i];
    return NULL;
}

/* Chinese has no spaces: each pair of neighbours counts as a word. */
static size_t take_chinese(struct span *rest, struct token tokens[], size_t count)
{
    size_t n = 0;

    while (n < rest->n && is_high(rest->p[n]))
        n++;
    for (size_t i = 0; i + 6 <= n && count < TOKENS_MOST; i += 3)
        tokens[count++] = (struct token){ { rest->p + i, 6 }, NULL, 0 };
    if (n == 3 && count < TOKENS_MOST)
        tokens[count++] = (struct token){ { rest->p, 3 }, NULL, 0 };
    *rest = span_from(*rest, n);
    return count;
}

static size_t take_ascii(struct span *rest, struct token tokens[], size_t count)
{
    size_t n = 0;
    struct span word;

    while (n < rest->n && is_ascii_word(rest->p[n]))
        n++;
    word = (struct span){ rest->p, n };
    *rest = span_from(*rest, n);
    if (is_letter_or_number(word) || is_empty_word(word) || count == TOKENS_MOST)
        return count;
    word = stem(word);
    tokens[count] = (struct token){ word, synonyms_of(word), 0 };
    return count + 1;
}

static size_t tokens_of(struct span what, struct token tokens[TOKENS_MOST])
{
    size_t count = 0;

    while (what.n > 0) {
        if (is_high(what.p[0]))
            count = take_chinese(&what, tokens, count);
        else if (is_ascii_word(what.p[0]))
            count = take_ascii(&what, tokens, count);
        else
            what = span_from(what, 1);
    }
    return count;
}

/* Does the word at the start of s, which begins with `word`, mean it? A short one may only be a plural. */
static bool is_word(struct span s, struct span word)
{
    size_t n = word.n;

    if (is_high(word.p[0]) || word.n >= WORD_BEGUN_BYTES)
        return true;
    n += n < s.n && s.p[n] == 's';
    return n == s.n || !is_ascii_word(s.p[n]);
}

/* Does a word of text begin so? Chinese may stand anywhere. */
static bool text_has(const char *text, struct span word)
{
    struct span rest = span_of(text);

    while (rest.n >= word.n) {
        if (span_starts_nocase(rest, word) && is_word(rest, word))
            return true;
        if (is_ascii_word(rest.p[0]))
            while (rest.n > 0 && is_ascii_word(rest.p[0]))
                rest = span_from(rest, 1);
        else
            rest = span_from(rest, 1);
    }
    return false;
}

/* What is said about an item: `strong` of its texts are names, the others explain. */
struct texts {
    const char *of[TEXTS_MOST];
    size_t strong, count;
};

static struct texts texts_of(const struct look_up_item *item)
{
    struct texts t = { .strong = 2, .count = 2 };

    if (item->kind == LOOK_UP_REASON) {
        t.of[0] = reason_info(item->why)->name;
        t.of[1] = reason_info(item->why)->text;
    } else if (item->kind == LOOK_UP_STATUS) {
        t.of[0] = item->status->phrase;
        t.of[1] = item->status->other_phrases;
    } else {
        t.of[0] = item->substatus->meaning;
        t.of[1] = item->substatus->condition;
    }
    for (enum language l = 0; l < LANGUAGES; l++) {
        t.of[t.count++] = item->kind == LOOK_UP_REASON   ? explain_what(item->why, l)
                          : item->kind == LOOK_UP_STATUS ? explain_status_what(item->status, l)
                                                         : explain_substatus_what(item->substatus, l);
        t.of[t.count++] = item->kind == LOOK_UP_REASON   ? explain_todo(item->why, l)
                          : item->kind == LOOK_UP_STATUS ? explain_status_todo(item->status, l)
                                                         : explain_substatus_todo(item->substatus, l);
    }
    return t;
}

static unsigned word_score(const struct texts *t, struct span word)
{
    for (size_t i = 0; i < t->count; i++)
        if (text_has(t->of[i], word))
            return i < t->strong ? 8 : i == t->strong ? 4 : 2;
    return 0;
}

/* How well a token suits an item; a synonym counts half. */
static unsigned token_score(const struct token *token, const struct texts *t)
{
    unsigned best = word_score(t, token->text);

    for (size_t i = 0; token->synonyms != NULL && token->synonyms[i] != NULL; i++) {
        unsigned score = word_score(t, span_of(token->synonyms[i])) / 2;

        best = score > best ? score : best;
    }
    return best;
}

/* A word that few items have tells more: 1 for everywhere, 10 for one in five hundred. */
static unsigned weight(const struct token *token, size_t items)
{
    unsigned w = 1;

    for (size_t n = token->items; n > 0 && n < items; n *= 2)
        w++;
    return w;
}

/* A word that nobody uses here is as rare as its synonyms. */
static void synonyms_count(struct token *token)
{
    size_t items = token->items == 0 && token->synonyms != NULL ? look_up_item_count() : 0;

    for (size_t at = 0; at < items; at++) {
        struct look_up_item item = look_up_item_at(at);
        struct texts t = texts_of(&item);

        token->items += token_score(token, &t) > 0;
    }
}

/* Counts the items of each token; returns the rarest known one, and in *known how many are known. */
static const struct token *tokens_count(struct token tokens[], size_t count, size_t *known)
{
    const struct token *rarest = NULL;

    *known = 0;
    for (size_t at = 0; at < look_up_item_count(); at++) {
        struct look_up_item item = look_up_item_at(at);
        struct texts t = texts_of(&item);

        for (size_t i = 0; i < count; i++)
            tokens[i].items += word_score(&t, tokens[i].text) > 0;
    }
    for (size_t i = 0; i < count; i++) {
        synonyms_count(&tokens[i]);
        *known += tokens[i].items > 0;
        if (tokens[i].items > 0 && (rarest == NULL || tokens[i].items < rarest->items))
            rarest = &tokens[i];
    }
    return rarest;
}

struct ranked {
    struct look_up_item item;
    unsigned score, words; /* so many of the words it has */
};

struct ranks {
    struct ranked best[LOOK_UP_ALSO + 1];
    size_t count;
};

static void rank(struct ranks *ranks, struct ranked one)
{
    size_t at = ranks->count;

    while (at > 0 && ranks->best[at - 1].score < one.score)
        at--;
    if (at > LOOK_UP_ALSO)
        return;
    ranks->count += ranks->count <= LOOK_UP_ALSO;
    for (size_t i = ranks->count - 1; i > at; i--)
        ranks->best[i] = ranks->best[i - 1];
    ranks->best[at] = one;
}

/* Those items come in that have the rarest word, if there is one, and at least half of all. */
static void ranks_fill(struct ranks *ranks, const struct token tokens[], size_t count, const struct token *rarest)
{
    ranks->count = 0;
    for (size_t at = 0; at < look_up_item_count(); at++) {
        struct look_up_item item = look_up_item_at(at);
        struct texts t = texts_of(&item);
        struct ranked one = { item, 0, 0 };

        for (size_t i = 0; i < count; i++) {
            unsigned score = token_score(&tokens[i], &t);

            one.score += score * weight(&tokens[i], look_up_item_count());
            one.words += score > 0;
        }
        if ((size_t)one.words * 2 >= count && (rarest == NULL || token_score(rarest, &t) > 0))
            rank(ranks, one);
    }
}

/* A word that nobody here uses says most about what is meant, so few may be unknown. The pairs of Chinese lie across
 * words as well. */
static bool are_known(struct span what, size_t count, size_t known)
{
    for (size_t i = 0; i < what.n; i++)
        if (is_high(what.p[i]))
            return known * 2 >= count;
    return known * 4 >= count * 3;
}

bool look_up_words(struct span what, struct look_up *out)
{
    struct token tokens[TOKENS_MOST];
    size_t count = tokens_of(what, tokens), known;
    const struct token *rarest = tokens_count(tokens, count, &known);
    struct ranks ranks;

    if (rarest == NULL || !are_known(what, count, known))
        return false;
    ranks_fill(&ranks, tokens, count, rarest);
    if (ranks.count == 0)
        return false;
    out->items[out->count++] = ranks.best[0].item;
    for (size_t i = 1; i < ranks.count; i++)
        out->also[out->also_count++] = ranks.best[i].item;
    return true;
}

size_t look_up_words_near(struct span what, struct look_up_item near[], size_t most)
{
    struct token tokens[TOKENS_MOST];
    size_t count = tokens_of(what, tokens), known;
    struct ranks ranks;

    if (tokens_count(tokens, count, &known) == NULL)
        return 0;
    ranks_fill(&ranks, tokens, count, NULL);
    ranks.count = ranks.count < most ? ranks.count : most;
    for (size_t i = 0; i < ranks.count; i++)
        near[i] = ranks.best[i].item;
    return ranks.count;
}
