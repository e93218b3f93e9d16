#include <ctype.h>

#include "serve/config_impl.h"

#define WORD_BYTES 40

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    a = a == '_' ? '-' : a;
    b = b == '_' ? '-' : b;
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to add, drop, change or swap with their neighbour, case and `_` for `-` for nothing. Both are at most
 * WORD_BYTES long. */
static unsigned distance(struct span a, struct span b)
{
    unsigned rows[3][WORD_BYTES + 1] = { 0 };

    for (unsigned j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *now = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            now[j] = least(last[j - 1] + !same(a.p[i - 1], b.p[j - 1]), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a.p[i - 1], b.p[j - 2]) && same(a.p[i - 2], b.p[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}

const char *config_near(struct config_report *r, struct span name, struct span words)
{
    struct span best = { 0 }, said;
    unsigned best_distance = (unsigned)name.n / 3 + 1;

    if (name.n == 0 || name.n > WORD_BYTES)
        return "";
    while (words.n > 0) {
        struct span word = { words.p, span_find(words, ' ') };

        words = span_from(words, word.n < words.n ? word.n + 1 : word.n);
        if (word.n == 0 || word.n > WORD_BYTES)
            continue;
        if (distance(name, word) < best_distance + (best.n == 0)) {
            best_distance = distance(name, word);
            best = word;
        }
    }
    if (best.n == 0)
        return "";
    said = arena_print(r->arena, "did you mean \"%.*s\"? ", (int)best.n, best.p);
    return said.p != NULL ? said.p : "";
}
