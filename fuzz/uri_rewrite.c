/* URIs moved between outside and upstream: they decode to the inside prefix and the rest, and never leave it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/path.h"
#include "http/uri_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct uri_site site = { SPAN_INIT("https"), SPAN_INIT("h"), SPAN_INIT("http"), SPAN_INIT("u:8") };

static struct span decoded(struct arena *a, struct span raw)
{
    char *out = arena_take(a, raw.n + 1);
    struct verdict v;
    size_t n = 0;

    DIE_UNLESS(out != NULL);
    return path_decode(raw, out, raw.n + 1, &n, &v) == R_NONE ? (struct span){ out, n } : (struct span){ 0 };
}

static bool is_in(struct span path, struct span prefix)
{
    return span_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

/* What the upstream sees is what the route saw, but for the prefix. */
static void check_target(struct arena *a, const struct uri_mount *mount, struct span s)
{
    struct target target;
    struct verdict v;
    struct span sent, seen, meant;

    if (target_parse(s, M_GET, &target, &v) != R_NONE)
        return;
    meant = decoded(a, target.path);
    sent = uri_rewrite_target(a, mount, &target);
    if (sent.p == NULL)
        return;
    DIE_UNLESS(!span_starts(sent, SPAN("//")) && meant.n > 0 && is_in(meant, mount->outside));
    DIE_UNLESS(target_parse(sent, M_GET, &target, &v) == R_NONE && target.form == TARGET_ORIGIN);
    seen = decoded(a, target.path);
    DIE_UNLESS(is_in(seen, mount->inside));
    meant = span_from(meant, mount->outside.n);
    seen = span_from(seen, mount->inside.n);
    DIE_UNLESS(span_is(meant, seen) || (meant.n == 0 && span_is(seen, SPAN("/"))) ||
               (seen.n == 0 && span_is(meant, SPAN("/"))));
}

static void check_references(struct arena *a, const struct uri_mount *mount, struct span s)
{
    static const struct uri_domain domain = { SPAN_INIT("a"), SPAN_INIT("b") };
    struct span location = uri_rewrite_location(a, mount, &site, s), out;

    DIE_UNLESS(location.p == s.p || (location.n > 0 && !span_starts(location, SPAN("//"))));
    if (uri_rewrite_destination(a, mount, &site, s, &out) == R_NONE)
        DIE_UNLESS(span_starts(out, SPAN("http://u:8/")) || (out.p[0] == '/' && !span_starts(out, SPAN("//"))));
    DIE_UNLESS(uri_rewrite_cookie(a, mount, &domain, s).n <= 2 * s.n + 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span prefixes[] = { SPAN_INIT("/"), SPAN_INIT("/a"), SPAN_INIT("/a/b") };
    struct span s = { (const char *)data + 1, size - 1 };
    struct uri_mount mount;
    struct arena a;

    if (size == 0)
        return 0;
    arena_init(&a, NULL, 0, 1 << 20);
    if (uri_rewrite_mount(&a, prefixes[data[0] % 3], prefixes[data[0] / 3 % 3], &mount)) {
        check_target(&a, &mount, s);
        check_references(&a, &mount, s);
    }
    DIE_UNLESS(!a.full || size > 1 << 17);
    arena_reset(&a);
    return 0;
}
