/* Targets: the parts put together are the target; a path decodes to one without ways up, and back again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/host.h"
#include "http/path.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct span part, struct span whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_parts(const struct target *t, struct span s)
{
    size_t sum = t->scheme.n + t->authority.n + t->path.n + t->query.n + t->has_query;
    struct host host;
    size_t bad;

    DIE_UNLESS(lies_in(t->scheme, s) && lies_in(t->authority, s) && lies_in(t->path, s) && lies_in(t->query, s));
    DIE_UNLESS(sum + (t->form == TARGET_ABSOLUTE ? 3 : 0) + (t->form == TARGET_ASTERISK) == s.n);
    DIE_UNLESS(t->path.n == 0 || t->path.p[0] == '/');
    DIE_UNLESS(host_parse(t->authority, &host, &bad) && host.name.n <= t->authority.n);
}

/* Encoding gives what decodes to the same path, except that an escaped slash is escaped once more. */
static void check_path(struct span raw)
{
    char *out = malloc(raw.n + 2), *text, *back;
    struct verdict v = { 0 };
    size_t n = 0, encoded, again = 0;

    DIE_UNLESS(out != NULL);
    if (path_decode(raw, out, raw.n + 1, &n, &v) == R_NONE) {
        struct span path = { out, n };

        DIE_UNLESS(n > 0 && n <= (raw.n > 0 ? raw.n : 1) && out[0] == '/' && memchr(out, '\0', n) == NULL);
        DIE_UNLESS(memmem(out, n, "//", 2) == NULL && memmem(out, n, "/../", 4) == NULL);
        DIE_UNLESS(memmem(out, n, "/./", 3) == NULL && !span_ends(path, SPAN("/..")) && !span_ends(path, SPAN("/.")));
        DIE_UNLESS(path_first_hidden(path) <= n && path_segments(path) <= n);
        encoded = path_encode(path, NULL, 0);
        text = malloc(encoded);
        back = malloc(encoded + 1);
        DIE_UNLESS(text != NULL && back != NULL && path_encode(path, text, encoded) == encoded && encoded <= 3 * n);
        DIE_UNLESS(path_decode((struct span){ text, encoded }, back, encoded + 1, &again, &v) == R_NONE);
        DIE_UNLESS(span_is(path, (struct span){ back, again }));
        free(text);
        free(back);
    } else {
        DIE_UNLESS(v.at < raw.n);
    }
    free(out);
}

/* The first byte chooses the method. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum method methods[] = { M_GET, M_OPTIONS, M_CONNECT };
    struct target target;
    struct verdict v = { 0 };
    struct span s;

    if (size == 0)
        return 0;
    s = (struct span){ (const char *)data + 1, size - 1 };
    if (target_parse(s, methods[data[0] % 3], &target, &v) == R_NONE)
        check_parts(&target, s);
    else
        DIE_UNLESS(v.at <= s.n);
    check_path(s);
    return 0;
}
