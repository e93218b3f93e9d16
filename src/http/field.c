#include "http/field.h"

static const struct field_info infos[FIELD_IDS] = {
    [FIELD_OTHER] = { .name = SPAN_INIT(""), .shape = SHAPE_LIST, .spec = "RFC9110:5.1" },
#define FIELD(id, wire_name, shape, hop, h2, spec) [FIELD_##id] = { SPAN_INIT(wire_name), shape, hop, h2, spec },
#include "http/fields.def"
#undef FIELD
};

/*
 * A perfect hash: the first and the last four bytes, without case, and the length, times two factors. The factors were
 * found by trying random odd numbers until no two names met (some ten thousand tries). The test proves that every name
 * sits in its slot, and looks for new factors and prints this table when one does not.
 */
#define SLOT_BITS    9
#define FIRST_FACTOR 0xef6e813du
#define LAST_FACTOR  0x18bba54bu

/* clang-format off */
static const uint8_t slots[1 << SLOT_BITS] = {
    [0] = FIELD_PREFER, [3] = FIELD_ALT_SVC, [5] = FIELD_ACCEPT, [8] = FIELD_DATE, [14] = FIELD_ACCEPT_LANGUAGE,
    [15] = FIELD_ACCESS_CONTROL_REQUEST_METHOD, [17] = FIELD_SEC_WEBSOCKET_PROTOCOL, [25] = FIELD_EARLY_DATA,
    [26] = FIELD_DELTA_BASE, [30] = FIELD_AGE, [33] = FIELD_LAST_MODIFIED, [41] = FIELD_CACHE_STATUS,
    [51] = FIELD_ACCEPT_CHARSET, [54] = FIELD_TIMEOUT, [55] = FIELD_IF_MODIFIED_SINCE, [56] = FIELD_IF_NONE_MATCH,
    [61] = FIELD_ALLOW, [64] = FIELD_PROXY_AUTHENTICATION_INFO, [72] = FIELD_CONTENT_LANGUAGE, [80] = FIELD_TRAILER,
    [88] = FIELD_X_API_KEY, [91] = FIELD_DESTINATION, [98] = FIELD_COOKIE, [99] = FIELD_IF_MATCH,
    [100] = FIELD_SEC_WEBSOCKET_KEY, [104] = FIELD_DEPTH, [108] = FIELD_X_FORWARDED_HOST, [110] = FIELD_ALT_USED,
    [115] = FIELD_PRIORITY, [123] = FIELD_EXPECT, [126] = FIELD_OPT, [127] = FIELD_UPLOAD_OFFSET, [131] = FIELD_REFERER,
    [136] = FIELD_CONTENT_LENGTH, [137] = FIELD_HOST, [149] = FIELD_POSITION, [150] = FIELD_X_FORWARDED_PROTO,
    [156] = FIELD_CONTENT_MD5, [164] = FIELD_TRANSLATE, [165] = FIELD_X_AUTH_TOKEN, [169] = FIELD_SET_COOKIE,
    [170] = FIELD_WANT_CONTENT_DIGEST, [173] = FIELD_RANGE, [177] = FIELD_LOCK_TOKEN, [182] = FIELD_ACCEPT_ENCODING,
    [187] = FIELD_IF, [193] = FIELD_FROM, [194] = FIELD_ETAG, [203] = FIELD_UPLOAD_LENGTH, [205] = FIELD_TE,
    [209] = FIELD_TRACESTATE, [219] = FIELD_PROXY_AUTHORIZATION, [222] = FIELD_REPR_DIGEST, [229] = FIELD_PROXY_STATUS,
    [234] = FIELD_VIA, [235] = FIELD_FORWARDED, [236] = FIELD_CACHE_CONTROL, [239] = FIELD_SEC_WEBSOCKET_VERSION,
    [240] = FIELD_CONTENT_ENCODING, [251] = FIELD_AUTHENTICATION_INFO, [262] = FIELD_SEC_FETCH_SITE,
    [263] = FIELD_ACCEPT_PATCH, [265] = FIELD_CONTENT_DISPOSITION, [266] = FIELD_SLUG,
    [268] = FIELD_SEC_WEBSOCKET_EXTENSIONS, [269] = FIELD_WANT_REPR_DIGEST, [273] = FIELD_MAX_FORWARDS,
    [275] = FIELD_ORDERING_TYPE, [282] = FIELD_ACCESS_CONTROL_REQUEST_HEADERS, [283] = FIELD_SERVER,
    [288] = FIELD_MS_ECHO_REPLY, [289] = FIELD_USER_AGENT, [290] = FIELD_LOCATION, [292] = FIELD_IM,
    [296] = FIELD_PROXY_AUTHENTICATE, [297] = FIELD_WWW_AUTHENTICATE, [308] = FIELD_TRACEPARENT,
    [310] = FIELD_TRANSFER_ENCODING, [319] = FIELD_PROXY_CONNECTION, [334] = FIELD_HTTP2_SETTINGS,
    [343] = FIELD_CONNECTION, [353] = FIELD_ACCEPT_RANGES, [354] = FIELD_IF_RANGE, [362] = FIELD_CONTENT_TYPE,
    [364] = FIELD_CONTENT_LOCATION, [369] = FIELD_X_REAL_IP, [371] = FIELD_RETRY_AFTER, [372] = FIELD_DAV,
    [373] = FIELD_UPLOAD_COMPLETE, [384] = FIELD_PRAGMA, [386] = FIELD_UPGRADE, [401] = FIELD_IF_SCHEDULE_TAG_MATCH,
    [403] = FIELD_OVERWRITE, [407] = FIELD_AUTHORIZATION, [414] = FIELD_MAN, [415] = FIELD_X_FORWARDED_FOR,
    [436] = FIELD_ORIGIN, [438] = FIELD_X_CSRF_TOKEN, [447] = FIELD_LINK, [450] = FIELD_KEEP_ALIVE,
    [453] = FIELD_IF_UNMODIFIED_SINCE, [460] = FIELD_X_AMZ_SECURITY_TOKEN, [462] = FIELD_UPLOAD_DRAFT_INTEROP_VERSION,
    [463] = FIELD_X_ACCESS_TOKEN, [464] = FIELD_STRICT_TRANSPORT_SECURITY, [468] = FIELD_VARY,
    [477] = FIELD_CONTENT_RANGE, [486] = FIELD_REDIRECT_REF, [488] = FIELD_A_IM,
    [491] = FIELD_UPGRADE_INSECURE_REQUESTS, [497] = FIELD_MS_ECHO_REQUEST, [502] = FIELD_EXPIRES,
    [508] = FIELD_CONTENT_DIGEST, [510] = FIELD_PREFERENCE_APPLIED,
};
/* clang-format on */

static uint32_t load_4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

static uint64_t load_8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* n > 0 */
static unsigned slot_of(const char *p, size_t n)
{
    uint32_t first, last;

    if (n >= 4) {
        first = load_4(p);
        last = load_4(p + n - 4);
    } else {
        first = (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[n / 2] << 8 | (uint32_t)(uint8_t)p[n - 1] << 16;
        last = first;
    }
    first = (first | 0x20202020u) + (uint32_t)n;
    last |= 0x20202020u;
    return (first * FIRST_FACTOR + last * LAST_FACTOR) >> (32 - SLOT_BITS);
}

/* Is `word` the same as `lower`, a part of a name in lower case, but for the case of letters? Letters have bit 0x40,
 * the other bytes of our names (digits and the hyphen) have not. */
static bool same_8(uint64_t word, uint64_t lower)
{
    return ((word ^ lower) & ~((lower & 0x4040404040404040u) >> 1)) == 0;
}

/* n equal lengths. The last word overlaps the one before, so nothing beyond the names is read. */
static bool same_name(const char *name, const char *lower, size_t n)
{
    if (n < 4) {
        for (size_t i = 0; i < n; i++)
            if (!same_8((uint8_t)name[i], (uint8_t)lower[i]))
                return false;
        return true;
    }
    if (n < 8)
        return same_8(load_4(name), load_4(lower)) && same_8(load_4(name + n - 4), load_4(lower + n - 4));
    for (size_t i = 0; i + 8 < n; i += 8)
        if (!same_8(load_8(name + i), load_8(lower + i)))
            return false;
    return same_8(load_8(name + n - 8), load_8(lower + n - 8));
}

enum field_id field_find(struct span name)
{
    enum field_id id;

    if (name.n == 0)
        return FIELD_OTHER;
    id = slots[slot_of(name.p, name.n)];
    if (infos[id].name.n != name.n || !same_name(name.p, infos[id].name.p, name.n))
        return FIELD_OTHER;
    return id;
}

const struct field_info *field_info(enum field_id id)
{
    return &infos[id];
}
