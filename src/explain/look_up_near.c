#include "explain/look_up.h"
#include "explain/look_up_impl.h"

/* More of a word than this is not compared. */
#define COMPARED_BYTES 48

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c == '_' || c == ' ' ? '-' : c;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* How many letters must be changed, added, left out or swapped with their neighbour to make b of a. */
static unsigned distance(struct span a, struct span b)
{
    unsigned rows[3][COMPARED_BYTES + 1];

    a.n = a.n < COMPARED_BYTES ? a.n : COMPARED_BYTES;
    b.n = b.n < COMPARED_BYTES ? b.n : COMPARED_BYTES;
    for (unsigned j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned same = lower(a.p[i - 1]) == lower(b.p[j - 1]) ? 0 : 1;

            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + same);
            if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]) &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}

/* 404 and nginx:404, but also what is no number quite: "404.". */
static bool is_code(struct span what)
{
    size_t vendor = span_find(what, ':');

    what = vendor < what.n ? span_from(what, vendor + 1) : what;
    for (size_t i = 0; i < what.n; i++)
        if ((what.p[i] < '0' || what.p[i] > '9') && what.p[i] != '.')
            return false;
    return what.n > 0;
}

/* As many wrong letters as still leave most of the word. */
static unsigned tolerated(struct span what)
{
    if (is_code(what))
        return what.n > 2 ? 2 : 1;
    return what.n < 6 ? 1 : what.n < 12 ? 2 : 3;
}

static unsigned by_saying(struct span what, uint16_t code, unsigned best)
{
    for (size_t i = 0; i < look_up_saying_count; i++)
        if (look_up_sayings[i].code == code) {
            unsigned d = distance(what, look_up_sayings[i].said);

            best = d < best ? d : best;
        }
    return best;
}

static unsigned by_words(struct span what, const struct look_up_item *item)
{
    if (item->kind == LOOK_UP_REASON)
        return distance(what, span_of(reason_info(item->why)->name));
    if (item->kind == LOOK_UP_SUBSTATUS)
        return distance(what, span_of(item->substatus->meaning));
    return by_saying(what, item->status->code, distance(what, span_of(item->status->phrase)));
}

unsigned look_up_distance(struct span what, const struct look_up_item *item)
{
    unsigned letters;

    if (what.n > COMPARED_BYTES || (is_code(what) && item->kind == LOOK_UP_REASON))
        return LOOK_UP_FAR;
    letters = is_code(what) ? distance(what, span_of(look_up_name(item).text)) : by_words(what, item);
    return letters <= tolerated(what) ? letters : LOOK_UP_FAR;
}

/* The same number can be of several rows. */
static bool is_near(const struct look_up_item near[], size_t count, const struct look_up_item *item)
{
    struct look_up_name name = look_up_name(item);

    for (size_t i = 0; i < count; i++)
        if (strcmp(look_up_name(&near[i]).text, name.text) == 0)
            return true;
    return false;
}

size_t look_up_near(struct span what, struct look_up_item near[], size_t most)
{
    size_t count = 0;

    what = span_trim(what);
    for (unsigned wanted = 0; count < most && wanted <= tolerated(what); wanted++)
        for (size_t at = 0; at < look_up_item_count() && count < most; at++) {
            struct look_up_item item = look_up_item_at(at);

            if (look_up_distance(what, &item) == wanted && !is_near(near, count, &item))
                near[count++] = item;
        }
    return count > 0 || is_code(what) ? count : look_up_words_near(what, near, most);
}
