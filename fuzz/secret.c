/* Secrets: of a value that was planted, no byte comes out, whatever stands around it and however little room there is; a
 * copy without room enough is the beginning of the whole copy. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "record/secret.h"

#define PLANTED 0xfe /* the byte that must not come out; not in the input otherwise */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    char *p;
    size_t n;
};

static void add(struct text *t, struct span s)
{
    if (s.n > 0)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
}

/* The input up to the next NUL, without PLANTED and without what `never` has. */
static void add_input(struct text *t, struct span *input, const char *never)
{
    size_t n = span_find(*input, '\0');

    for (size_t i = 0; i < n; i++)
        if ((uint8_t)input->p[i] != PLANTED && strchr(never, input->p[i]) == NULL)
            t->p[t->n++] = input->p[i];
    *input = span_from(*input, n < input->n ? n + 1 : n);
}

static void add_secret(struct text *t, struct span *input, const char *never)
{
    t->p[t->n++] = (char)PLANTED;
    add_input(t, input, never);
    t->p[t->n++] = (char)PLANTED;
}

/* Any line of any text, with anything behind the secret. Its lines are folded; a CR alone ends nothing. */
static void plant_field(struct text *t, struct span *input, unsigned which)
{
    static const struct span ends[] = { SPAN_INIT("\n"), SPAN_INIT("\r\n"), SPAN_INIT("\r") };
    static const struct span gaps[] = { SPAN_INIT(":"), SPAN_INIT(" : "), SPAN_INIT(": \t"), SPAN_INIT("\t:") };

    add(t, SPAN("GET / HTTP/1.1\r\n"));
    add_input(t, input, "");
    add(t, ends[which % 3]);
    add(t, secrets_standard.fields[which / 3 % secrets_standard.field_count]);
    add(t, gaps[which / 64 % 4]);
    add_secret(t, input, "\n");
    add(t, which & 1 ? SPAN("\r\n ") : SPAN("\n\t"));
    add_secret(t, input, "\n");
    add(t, SPAN("\r\n"));
    add_input(t, input, "");
}

/* The name of a parameter, some letters of it encoded. */
static void add_name(struct text *t, struct span name, unsigned which)
{
    for (size_t i = 0; i < name.n; i++) {
        if (which >> i % 8 & 1) {
            t->p[t->n++] = '%';
            t->p[t->n++] = "0123456789abcdef"[name.p[i] >> 4 & 15];
            t->p[t->n++] = "0123456789ABCDEF"[name.p[i] & 15];
        } else {
            t->p[t->n++] = name.p[i];
        }
    }
}

static void plant_parameter(struct text *t, struct span *input, unsigned which)
{
    static const struct span starts[] = { SPAN_INIT("GET /"), SPAN_INIT("GET / HTTP/1.1\r\nReferer:"),
                                          SPAN_INIT("HTTP/1.1 302 Found\r\nLocation: ") };

    add(t, starts[which % 3]);
    add_input(t, input, "\r\n ");
    add(t, which & 4 ? SPAN("?") : SPAN("&"));
    add_name(t, secrets_standard.queries[which / 8 % secrets_standard.query_count], which);
    add(t, SPAN("="));
    add_secret(t, input, "\r\n &#");
    add(t, which & 16 ? SPAN("&") : which & 32 ? SPAN(" HTTP/1.1\r\n") : SPAN("#"));
    add_input(t, input, "");
}

static void plant_userinfo(struct text *t, struct span *input, unsigned which)
{
    add(t, which & 1 ? SPAN("GET ") : SPAN("GET / HTTP/1.1\r\nReferer: "));
    add_input(t, input, "\r\n ");
    add(t, SPAN("://"));
    add_secret(t, input, "\r\n /?#");
    add(t, SPAN("@"));
    add_input(t, input, "");
}

static void check_room(struct span text, struct span whole, size_t room)
{
    char *out = malloc(room > 0 ? room : 1);
    bool cut;
    size_t n;

    DIE_UNLESS(out != NULL);
    n = secrets_copy(&secrets_standard, text, out, room, &cut);
    DIE_UNLESS(n <= room && n <= whole.n && cut == (room < whole.n) && (n == 0 || memcmp(out, whole.p, n) == 0));
    free(out);
}

static void check(struct span text, unsigned which)
{
    size_t room = text.n * sizeof SECRET_REMOVED + 1;
    char *out = malloc(room);
    bool cut;
    size_t n;

    DIE_UNLESS(out != NULL);
    n = secrets_copy(&secrets_standard, text, out, room, &cut);
    DIE_UNLESS(!cut && memchr(out, PLANTED, n) == NULL);
    for (size_t i = 0; i < 16; i++)
        check_room(text, (struct span){ out, n }, n * i / 15 + which % 3);
    n = secrets_copy_uris(&secrets_standard, text, out, room, &cut);
    DIE_UNLESS(!cut && n <= room);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const plant[])(struct text *, struct span *, unsigned) = { plant_field, plant_parameter,
                                                                             plant_userinfo };
    struct span input = { (const char *)data, size };
    struct text text = { malloc(size + 400), 0 };
    unsigned which;

    DIE_UNLESS(text.p != NULL);
    if (size >= 2) {
        which = data[0] | (unsigned)data[1] << 8;
        input = span_from(input, 2);
        plant[which % 3](&text, &input, which / 3);
        check((struct span){ text.p, text.n }, which);
    }
    free(text.p);
    return 0;
}
