#include "http/priority.h"

#include "http/token.h"

/*
 * A dictionary is read once, from left to right. Each take_ takes one thing off *rest, and returns false when something
 * else stands there: then the whole is no dictionary. RFC9651:4.2
 */
enum kind { KIND_OTHER, KIND_BOOLEAN, KIND_INTEGER };

/* As much of a value as a priority can be made of. */
struct item {
    enum kind kind;
    int64_t number; /* of an integer; of a boolean 0 or 1 */
};

#define INTEGER_DIGITS  15u
#define DECIMAL_DIGITS  12u /* before the point */
#define FRACTION_DIGITS 3u

static bool next_is(const struct span *rest, char c)
{
    return rest->n > 0 && rest->p[0] == c;
}

static bool take(struct span *rest, char c)
{
    if (!next_is(rest, c))
        return false;
    *rest = span_from(*rest, 1);
    return true;
}

static void skip_spaces(struct span *rest)
{
    while (take(rest, ' '))
        ;
}

static void skip_white(struct span *rest)
{
    while (take(rest, ' ') || take(rest, '\t'))
        ;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_lower((char)(c | 0x20));
}

/* RFC9651:4.2.3.3 */
static bool take_key(struct span *rest, struct span *key)
{
    size_t n = 0;

    if (rest->n == 0 || (!is_lower(rest->p[0]) && rest->p[0] != '*'))
        return false;
    while (n < rest->n && (is_lower(rest->p[n]) || token_is(rest->p[n], TOKEN_DIGIT) || memchr("_-.*", rest->p[n], 4)))
        n++;
    *key = (struct span){ rest->p, n };
    *rest = span_from(*rest, n);
    return true;
}

/* Digits that stand there, at most `limit`; false when there are none or more. */
static bool take_digits(struct span *rest, size_t limit, int64_t *number)
{
    size_t n = token_span(*rest, TOKEN_DIGIT);

    if (n == 0 || n > limit)
        return false;
    *number = 0;
    for (size_t i = 0; i < n; i++)
        *number = *number * 10 + (rest->p[i] - '0');
    *rest = span_from(*rest, n);
    return true;
}

/* An integer or a decimal. RFC9651:4.2.4 */
static bool take_number(struct span *rest, struct item *item)
{
    bool negative = take(rest, '-');
    size_t before = rest->n;
    int64_t fraction;

    if (!take_digits(rest, INTEGER_DIGITS, &item->number))
        return false;
    if (negative)
        item->number = -item->number;
    item->kind = KIND_INTEGER;
    before -= rest->n;
    if (!take(rest, '.'))
        return true;
    item->kind = KIND_OTHER;
    return before <= DECIMAL_DIGITS && take_digits(rest, FRACTION_DIGITS, &fraction);
}

/* RFC9651:4.2.5 */
static bool take_string(struct span *rest)
{
    *rest = span_from(*rest, 1);
    while (rest->n > 0) {
        if (take(rest, '"'))
            return true;
        if (take(rest, '\\')) {
            if (!take(rest, '"') && !take(rest, '\\'))
                return false;
        } else if (rest->p[0] == ' ' || token_is(rest->p[0], TOKEN_VISIBLE)) {
            *rest = span_from(*rest, 1);
        } else {
            return false;
        }
    }
    return false;
}

/* RFC9651:4.2.6 */
static bool take_token(struct span *rest)
{
    size_t n = 1;

    while (n < rest->n && (token_is(rest->p[n], TOKEN_NAME) || rest->p[n] == ':' || rest->p[n] == '/'))
        n++;
    *rest = span_from(*rest, n);
    return true;
}

/* RFC9651:4.2.7. Padding may be missing; where it stands it has to be at the end. */
static bool take_bytes(struct span *rest)
{
    size_t n = 1, letters;

    while (n < rest->n &&
           (is_letter(rest->p[n]) || token_is(rest->p[n], TOKEN_DIGIT) || rest->p[n] == '+' || rest->p[n] == '/'))
        n++;
    letters = n - 1;
    *rest = span_from(*rest, n);
    for (size_t i = letters; i % 4 > 1 && take(rest, '='); i++)
        ;
    return letters % 4 != 1 && take(rest, ':');
}

/* RFC9651:4.2.8 */
static bool take_boolean(struct span *rest, struct item *item)
{
    *rest = span_from(*rest, 1);
    if (!next_is(rest, '0') && !next_is(rest, '1'))
        return false;
    *item = (struct item){ KIND_BOOLEAN, rest->p[0] - '0' };
    *rest = span_from(*rest, 1);
    return true;
}

/* RFC9651:4.2.9 */
static bool take_date(struct span *rest, struct item *item)
{
    bool whole;

    *rest = span_from(*rest, 1);
    whole = take_number(rest, item) && item->kind == KIND_INTEGER;
    item->kind = KIND_OTHER;
    return whole;
}

/* What a sequence of UTF-8 still needs. RFC3629:4 */
struct utf8 {
    unsigned left;     /* bytes */
    uint8_t low, high; /* bounds of the next */
};

static bool utf8_feed(struct utf8 *u, uint8_t byte)
{
    if (u->left > 0) {
        if (byte < u->low || byte > u->high)
            return false;
        *u = (struct utf8){ u->left - 1, 0x80, 0xBF };
        return true;
    }
    if (byte < 0x80)
        return true;
    if (byte < 0xC2 || byte > 0xF4)
        return false;
    u->left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    u->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    u->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
}

static bool is_lower_hex(char c)
{
    return token_is(c, TOKEN_DIGIT) || (c >= 'a' && c <= 'f');
}

/* RFC9651:4.2.10 */
static bool take_display_string(struct span *rest)
{
    struct utf8 utf8 = { 0 };

    *rest = span_from(*rest, 1);
    if (!take(rest, '"'))
        return false;
    while (rest->n > 0 && !next_is(rest, '"')) {
        size_t used = 1;
        uint8_t byte = (uint8_t)rest->p[0];

        if (byte == '%') {
            if (rest->n < 3 || !is_lower_hex(rest->p[1]) || !is_lower_hex(rest->p[2]))
                return false;
            used = 3;
            byte = (uint8_t)(token_hex(rest->p[1]) << 4 | token_hex(rest->p[2]));
        } else if (byte != ' ' && !token_is(rest->p[0], TOKEN_VISIBLE)) {
            return false;
        }
        if (!utf8_feed(&utf8, byte))
            return false;
        *rest = span_from(*rest, used);
    }
    return utf8.left == 0 && take(rest, '"');
}

/* RFC9651:4.2.3.1 */
static bool take_bare_item(struct span *rest, struct item *item)
{
    *item = (struct item){ 0 };
    if (rest->n == 0)
        return false;
    switch (rest->p[0]) {
    case '"':
        return take_string(rest);
    case ':':
        return take_bytes(rest);
    case '?':
        return take_boolean(rest, item);
    case '@':
        return take_date(rest, item);
    case '%':
        return take_display_string(rest);
    default:
        if (is_letter(rest->p[0]) || rest->p[0] == '*')
            return take_token(rest);
        return take_number(rest, item);
    }
}

/* RFC9651:4.2.3.2 */
static bool take_parameters(struct span *rest)
{
    struct span key;
    struct item item;

    while (take(rest, ';')) {
        skip_spaces(rest);
        if (!take_key(rest, &key) || (take(rest, '=') && !take_bare_item(rest, &item)))
            return false;
    }
    return true;
}

/* RFC9651:4.2.1.2, behind the parenthesis */
static bool take_inner_list(struct span *rest)
{
    struct item item;

    for (;;) {
        skip_spaces(rest);
        if (take(rest, ')'))
            return take_parameters(rest);
        if (!take_bare_item(rest, &item) || !take_parameters(rest) || (!next_is(rest, ' ') && !next_is(rest, ')')))
            return false;
    }
}

static bool take_member(struct span *rest, struct span *key, struct item *item)
{
    *item = (struct item){ KIND_BOOLEAN, 1 };
    if (!take_key(rest, key))
        return false;
    if (!take(rest, '='))
        return take_parameters(rest);
    if (take(rest, '(')) {
        item->kind = KIND_OTHER;
        return take_inner_list(rest);
    }
    return take_bare_item(rest, item) && take_parameters(rest);
}

static void set_member(struct priority *priority, struct span key, struct item item)
{
    if (span_is(key, SPAN("u"))) {
        bool fits = item.kind == KIND_INTEGER && item.number >= 0 && item.number <= 7;

        priority->urgency = fits ? (uint8_t)item.number : PRIORITY_URGENCY_STANDARD;
    } else if (span_is(key, SPAN("i"))) {
        priority->incremental = item.kind == KIND_BOOLEAN && item.number == 1;
    }
}

struct priority priority_parse(struct span value)
{
    const struct priority standard = { .urgency = PRIORITY_URGENCY_STANDARD };
    struct priority found = standard;
    struct span key;
    struct item item;

    skip_spaces(&value);
    while (value.n > 0) {
        if (!take_member(&value, &key, &item))
            return standard;
        set_member(&found, key, item);
        skip_white(&value);
        if (value.n == 0)
            break;
        if (!take(&value, ','))
            return standard;
        skip_white(&value);
        if (value.n == 0)
            return standard;
    }
    return found;
}
