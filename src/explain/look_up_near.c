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

/* By the name of an item or, for codes, by its phrase as well. */
unsigned look_up_distance(struct span what, const struct look_up_item *item)
{
    struct look_up_name name = look_up_name(item);
    unsigned by_name = distance(what, span_of(name.text));
    unsigned by_title = item->kind == LOOK_UP_STATUS ? distance(what, span_of(item->status->phrase)) : by_name;

    return by_name < by_title ? by_name : by_title;
}

size_t look_up_near(struct span what, struct look_up_item near[], size_t most)
{
    size_t count = 0;

    for (unsigned wanted = 0; count < most && wanted <= COMPARED_BYTES; wanted++)
        for (size_t at = 0; at < look_up_item_count() && count < most; at++) {
            struct look_up_item item = look_up_item_at(at);

            if (look_up_distance(what, &item) == wanted)
                near[count++] = item;
        }
    return count;
}
