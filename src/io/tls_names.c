#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "io/tls_impl.h"

static bool is_asked_for(struct span name)
{
    if (name.n == 0 || name.n >= TLS_NAME_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '*')
            return false;
    return true;
}

static bool list_grow(struct tls_name_list *l)
{
    size_t room = l->room > 0 ? 2 * l->room : 8;
    struct tls_name *items = reallocarray(l->items, room, sizeof *items);

    if (items == NULL)
        return false;
    l->items = items;
    l->room = room;
    return true;
}

bool tls_names_add(struct tls_names *n, struct span name, uint32_t certificate)
{
    bool wild = span_starts(name, SPAN("*."));
    struct tls_name_list *l = wild ? &n->wild : &n->exact;
    struct span kept = wild ? span_from(name, 2) : name;
    char *copy;

    if (kept.n > 0 && kept.p[kept.n - 1] == '.')
        kept.n--;
    if (!is_asked_for(kept))
        return true;
    if ((l->count == l->room && !list_grow(l)) || (copy = malloc(kept.n + 1)) == NULL)
        return false;
    for (size_t i = 0; i < kept.n; i++)
        copy[i] = (char)tolower((unsigned char)kept.p[i]);
    l->items[l->count++] = (struct tls_name){ { copy, kept.n }, certificate };
    return true;
}

static struct span text_of(const ASN1_STRING *s)
{
    return (struct span){ (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s) };
}

static bool add_alternative(struct tls_names *n, const GENERAL_NAMES *all, uint32_t certificate)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

        if (name->type == GEN_DNS && !tls_names_add(n, text_of(name->d.dNSName), certificate))
            return false;
    }
    return true;
}

static bool add_common(struct tls_names *n, const X509 *leaf, uint32_t certificate)
{
    const X509_NAME *subject = X509_get_subject_name(leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return at < 0 || tls_names_add(n, text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))), certificate);
}

bool tls_names_add_all(struct tls_names *n, X509 *leaf, uint32_t certificate)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    bool added = all != NULL ? add_alternative(n, all, certificate) : add_common(n, leaf, certificate);

    GENERAL_NAMES_free(all);
    return added;
}

static int text_compare(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int first = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return first != 0 ? first : (a.n > b.n) - (a.n < b.n);
}

static int name_compare(const void *a, const void *b)
{
    const struct tls_name *x = a, *y = b;
    int text = text_compare(x->text, y->text);

    return text != 0 ? text : (x->certificate > y->certificate) - (x->certificate < y->certificate);
}

static void list_sort(struct tls_name_list *l)
{
    if (l->count > 1)
        qsort(l->items, l->count, sizeof *l->items, name_compare);
}

void tls_names_sort(struct tls_names *n)
{
    list_sort(&n->exact);
    list_sort(&n->wild);
}

/* The first with this text, which has the lowest number; count: none. */
static size_t list_find(const struct tls_name_list *l, struct span text)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_compare(l->items[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->count && span_is(l->items[low].text, text) ? low : l->count;
}

static bool list_choose(const struct tls_name_list *l, struct span text, uint32_t *certificate_out)
{
    size_t at = list_find(l, text);

    if (at < l->count)
        *certificate_out = l->items[at].certificate;
    return at < l->count;
}

static bool list_has(const struct tls_name_list *l, struct span text, uint32_t certificate)
{
    for (size_t at = list_find(l, text); at < l->count && span_is(l->items[at].text, text); at++)
        if (l->items[at].certificate == certificate)
            return true;
    return false;
}

/* What a wildcard would have behind "*."; empty: none can stand for the name. */
static struct span behind_label(struct span name)
{
    size_t dot = span_find(name, '.');

    return dot > 0 && dot + 1 < name.n ? span_from(name, dot + 1) : (struct span){ NULL, 0 };
}

bool tls_names_find(const struct tls_names *n, struct span name, uint32_t *certificate_out)
{
    struct span behind = behind_label(name);

    *certificate_out = 0;
    return list_choose(&n->exact, name, certificate_out) ||
           (behind.n > 0 && list_choose(&n->wild, behind, certificate_out));
}

bool tls_names_has(const struct tls_names *n, struct span name, uint32_t certificate)
{
    struct span behind = behind_label(name);

    return list_has(&n->exact, name, certificate) || (behind.n > 0 && list_has(&n->wild, behind, certificate));
}

static void list_fini(struct tls_name_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free((char *)l->items[i].text.p);
    free(l->items);
    *l = (struct tls_name_list){ 0 };
}

void tls_names_fini(struct tls_names *n)
{
    list_fini(&n->exact);
    list_fini(&n->wild);
}
