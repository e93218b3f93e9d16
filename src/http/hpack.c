#include "http/hpack.h"

#include "http/field.h"

#define ENTRY_BYTES   32u /* that each entry counts beside its text. RFC7541:4.1 */
#define STATIC_LINES  61u /* RFC7541:A */
#define STATIC_STATUS 8u  /* the first with :status */

/* First bits of a line, and the largest number that fits beside them. RFC7541:6 */
#define INDEXED         0x80u
#define REMEMBERED      0x40u
#define LITERAL         0x00u
#define RESIZE          0x20u
#define INDEXED_MOST    0x7fu
#define REMEMBERED_MOST 0x3fu
#define LITERAL_MOST    0x0fu
#define RESIZE_MOST     0x1fu
#define LENGTH_MOST     0x7fu

_Static_assert(HPACK_ENTRIES < 256, "a slot is a byte");
_Static_assert(HPACK_TABLE_BYTES + HPACK_LARGE_BYTES <= UINT16_MAX, "an entry's place has 16 bits");

/* Numbers of names in the static table, of those that responses have. RFC7541:A */
static const uint8_t static_names[FIELD_IDS] = {
    [FIELD_ACCEPT_RANGES] = 18,
    [FIELD_AGE] = 21,
    [FIELD_ALLOW] = 22,
    [FIELD_CACHE_CONTROL] = 24,
    [FIELD_CONTENT_DISPOSITION] = 25,
    [FIELD_CONTENT_ENCODING] = 26,
    [FIELD_CONTENT_LANGUAGE] = 27,
    [FIELD_CONTENT_LENGTH] = 28,
    [FIELD_CONTENT_LOCATION] = 29,
    [FIELD_CONTENT_RANGE] = 30,
    [FIELD_CONTENT_TYPE] = 31,
    [FIELD_DATE] = 33,
    [FIELD_ETAG] = 34,
    [FIELD_EXPIRES] = 36,
    [FIELD_LAST_MODIFIED] = 44,
    [FIELD_LINK] = 45,
    [FIELD_LOCATION] = 46,
    [FIELD_PROXY_AUTHENTICATE] = 48,
    [FIELD_RETRY_AFTER] = 53,
    [FIELD_SERVER] = 54,
    [FIELD_SET_COOKIE] = 55,
    [FIELD_STRICT_TRANSPORT_SECURITY] = 56,
    [FIELD_VARY] = 59,
    [FIELD_VIA] = 60,
    [FIELD_WWW_AUTHENTICATE] = 61,
};

/* Values that hardly ever come again on the same connection, or are nobody else's business (RFC7541:7.1.3). */
static const bool changes[FIELD_IDS] = {
    [FIELD_AGE] = true,      [FIELD_CONTENT_LENGTH] = true, [FIELD_CONTENT_RANGE] = true,      [FIELD_ETAG] = true,
    [FIELD_LOCATION] = true, [FIELD_SET_COOKIE] = true,     [FIELD_PROXY_AUTHENTICATE] = true,
};

void hpack_init(struct hpack *h)
{
    h->most = h->least = HPACK_TABLE_BYTES;
}

/* RFC7541:5.1 */
static inline char *put_number(char *at, unsigned first_bits, unsigned most, size_t number)
{
    if (number < most) {
        *at++ = (char)(first_bits | number);
        return at;
    }
    *at++ = (char)(first_bits | most);
    for (number -= most; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

static inline char *put_text(char *at, struct span text)
{
    at = put_number(at, 0, LENGTH_MOST, text.n);
    return text.n > 0 ? mempcpy(at, text.p, text.n) : at;
}

static uint32_t entry_bytes(const struct hpack_entry *e)
{
    return ENTRY_BYTES + e->name_bytes + e->value_bytes;
}

/* The oldest leave until there is room for so many bytes. RFC7541:4.3 */
static void make_room(struct hpack *h, uint32_t bytes)
{
    while (h->count > 0 && h->bytes + bytes > h->most)
        h->bytes -= entry_bytes(&h->entries[(h->inserted - h->count--) % HPACK_ENTRIES]);
}

void hpack_limit(struct hpack *h, uint32_t bytes)
{
    uint32_t most = bytes < HPACK_TABLE_BYTES ? bytes : HPACK_TABLE_BYTES;

    if (most == h->most)
        return;
    h->most = most;
    h->least = most < h->least ? most : h->least;
    h->resized = true;
    make_room(h, 0);
}

char *hpack_begin(struct hpack *h, char *at)
{
    if (!h->resized)
        return at;
    if (h->least < h->most)
        at = put_number(at, RESIZE, RESIZE_MOST, h->least);
    h->least = h->most;
    h->resized = false;
    return put_number(at, RESIZE, RESIZE_MOST, h->most);
}

static inline uint64_t load_8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t load_4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* The last eight bytes, or all of fewer. */
static inline uint64_t load_last(const char *p, size_t n)
{
    if (n >= 8)
        return load_8(p + n - 8);
    if (n >= 4)
        return load_4(p) | (uint64_t)load_4(p + n - 4) << 32;
    if (n > 0)
        return (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint64_t)(uint8_t)p[n - 1] << 16;
    return 0;
}

static inline bool is_same(const char *p, struct span s)
{
    for (size_t i = 0; i + 8 < s.n; i += 8)
        if (load_8(p + i) != load_8(s.p + i))
            return false;
    return load_last(p, s.n) == load_last(s.p, s.n);
}

/* Of names the length and the end say enough. */
static inline unsigned slot_of(struct span name, struct span value)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = (name.n ^ load_last(name.p, name.n)) * odd;

    for (size_t i = 0; i + 8 < value.n; i += 8)
        hash = (hash ^ load_8(value.p + i)) * odd;
    return (unsigned)((hash ^ load_last(value.p, value.n)) * odd >> 56);
}

/* The number to send for a line that is in the table, or 0. The last one inserted is the first behind the static ones. */
static inline size_t find(const struct hpack *h, unsigned slot, struct span name, struct span value)
{
    uint32_t place = h->slots[slot] - 1u, age = (h->inserted - 1 - place) % HPACK_ENTRIES;
    const struct hpack_entry *e = &h->entries[place % HPACK_ENTRIES];
    const char *text = h->text + e->at;

    if (h->slots[slot] == 0 || age >= h->count || e->name_bytes != name.n || e->value_bytes != value.n ||
        !is_same(text, name) || !is_same(text + name.n, value))
        return 0;
    return STATIC_LINES + 1 + age;
}

/* name and value together have less than HPACK_LARGE_BYTES, so the texts of all that stay are never met. */
static void insert(struct hpack *h, unsigned slot, struct span name, struct span value)
{
    uint32_t text_bytes = (uint32_t)(name.n + value.n), place = h->inserted % HPACK_ENTRIES;
    char *to;

    make_room(h, ENTRY_BYTES + text_bytes);
    if (ENTRY_BYTES + text_bytes > h->most)
        return;
    if (h->text_at + text_bytes > sizeof h->text)
        h->text_at = 0;
    h->entries[place] = (struct hpack_entry){ (uint16_t)h->text_at, (uint16_t)name.n, (uint16_t)value.n };
    to = mempcpy(h->text + h->text_at, name.p, name.n);
    if (value.n > 0)
        memcpy(to, value.p, value.n);
    h->text_at += text_bytes;
    h->bytes += ENTRY_BYTES + text_bytes;
    h->slots[slot] = (uint8_t)(place + 1);
    h->inserted++;
    h->count++;
}

/* A line that is not in the table. */
static char *put_new(struct hpack *h, char *at, unsigned slot, struct span name, struct span value)
{
    enum field_id id = field_find(name);
    size_t number = name.p[0] == ':' ? STATIC_STATUS : static_names[id];
    bool forgets = changes[id] || name.n + value.n >= HPACK_LARGE_BYTES;

    at = forgets ? put_number(at, LITERAL, LITERAL_MOST, number) : put_number(at, REMEMBERED, REMEMBERED_MOST, number);
    if (number == 0)
        at = put_text(at, name);
    if (!forgets)
        insert(h, slot, name, value);
    return put_text(at, value);
}

/* The number of a status that the static table has, or 0. */
static size_t static_status(struct span value)
{
    static const char all[] = "200204206304400404500";

    for (size_t i = 0; value.n == 3 && i < sizeof all / 3; i++)
        if (memcmp(all + 3 * i, value.p, 3) == 0)
            return STATIC_STATUS + i;
    return 0;
}

char *hpack_write(struct hpack *h, char *at, struct span name, struct span value)
{
    size_t number = name.p[0] == ':' ? static_status(value) : 0;
    unsigned slot;

    if (number != 0)
        return put_number(at, INDEXED, INDEXED_MOST, number);
    slot = slot_of(name, value);
    number = find(h, slot, name, value);
    return number != 0 ? put_number(at, INDEXED, INDEXED_MOST, number) : put_new(h, at, slot, name, value);
}
