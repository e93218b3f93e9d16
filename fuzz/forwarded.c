/* Forwarded, X-Forwarded-For, Via, CDN-Loop, Connection: parts lie where they may, and what is written can be read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/forward.h"
#include "http/forwarded.h"
#include "http/token.h"
#include "http/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct span part, struct span whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static bool trusts(const void *owner, const struct forwarded_node *address)
{
    DIE_UNLESS(address->kind == FORWARDED_IPV4 || address->kind == FORWARDED_IPV6);
    DIE_UNLESS(address->name.n > 0 && owner == NULL);
    return address->name.p[0] == '1';
}

static void check_elements(struct span value)
{
    struct span rest = value, element;
    struct forwarded f;

    while (token_next(&rest, &element)) {
        if (!forwarded_parse(element, &f))
            continue;
        struct span text = { f.text, f.text_bytes };

        DIE_UNLESS(f.text_bytes <= FORWARDED_TEXT_BYTES);
        DIE_UNLESS(lies_in(f.client.name, value) || lies_in(f.client.name, text));
        DIE_UNLESS(lies_in(f.by.name, value) || lies_in(f.by.name, text));
        DIE_UNLESS(lies_in(f.host, value) || lies_in(f.host, text));
        DIE_UNLESS(lies_in(f.proto, value) || lies_in(f.proto, text));
    }
}

static void check_client(const struct head *head, enum field_id id)
{
    static const struct forwarded_trust trust = { trusts, NULL };
    struct forwarded f, again;
    char text[4096];
    struct bounded b = { text, sizeof text, 0 };
    struct forwarded_hop hop;

    if (!forwarded_find_client(head, id, &trust, &f))
        return;
    hop = (struct forwarded_hop){ f.client.name, f.client.port, f.by.name, f.host, f.proto };
    forwarded_put(&b, &hop);
    if (b.bytes > sizeof text)
        return;
    DIE_UNLESS(forwarded_parse((struct span){ text, b.bytes }, &again));
    DIE_UNLESS(again.client.kind == f.client.kind && again.client.port == f.client.port);
    DIE_UNLESS(span_is(again.client.name, f.client.name) && span_is(again.host, f.host));
    DIE_UNLESS(span_is(again.proto, f.proto));
}

static void check_lines(const struct head *head)
{
    struct forward f;
    const struct field *line, *before = NULL;

    DIE_UNLESS(via_count(head, SPAN("a")) <= head->fields[0].value.n);
    DIE_UNLESS(via_count_cdn(head, SPAN("a")) <= head->fields[0].value.n);
    if (!forward_choose(head, 0, &f))
        return;
    while ((line = forward_take(&f)) != NULL) {
        DIE_UNLESS(line > before && !field_info(line->id)->hop);
        before = line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span names[] = { SPAN_INIT("forwarded"), SPAN_INIT("x-forwarded-for"), SPAN_INIT("via"),
                                         SPAN_INIT("cdn-loop"), SPAN_INIT("connection") };
    struct span value = { (const char *)data, size };
    struct field fields[sizeof names / sizeof names[0] + 1];
    struct head head;

    head_init(&head, fields);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        head_add(&head, names[i], value);
    head_add(&head, SPAN("a"), SPAN("b"));
    check_elements(value);
    check_client(&head, FIELD_FORWARDED);
    check_client(&head, FIELD_X_FORWARDED_FOR);
    check_lines(&head);
    return 0;
}
