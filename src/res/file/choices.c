/* The variants to choose from, for 300 and 406: the content made of them tells what all such content tells.
 * RFC9110:15.4.1, 15.5.7 */
#include "res/file/file_impl.h"

static struct alternative alternative_of(struct exchange *x, const struct file_variant *v)
{
    return (struct alternative){
        .uri = file_link(x, v->name),
        .name = span_of(v->name),
        .type = v->type,
        .language = v->language,
        .has_length = !v->negotiates,
        .length = v->files[CODING_IDENTITY].length,
    };
}

/* One line for each variant. RFC8288:3 */
static void add_link(struct exchange *x, const struct alternative *a)
{
    const struct span parts[] = { SPAN("<"),
                                  a->uri,
                                  SPAN(">; rel=\"alternate\"; type=\""),
                                  { a->type.p, span_find(a->type, ';') },
                                  a->language.n > 0 ? SPAN("\"; hreflang=\"") : SPAN(""),
                                  a->language,
                                  SPAN("\"") };

    reply_add(x, SPAN("Link"), arena_join(&x->arena, parts, sizeof parts / sizeof parts[0]));
}

/* They live as long as the exchange: their texts are in its arena, or in the entry that it pins. */
static void add_alternatives(struct exchange *x, const struct file_entry *e)
{
    struct alternative *all = arena_take(&x->arena, e->variant_count * sizeof *all);

    if (all == NULL)
        return;
    for (uint32_t i = 0; i < e->variant_count; i++) {
        all[i] = alternative_of(x, &e->variants[i]);
        add_link(x, &all[i]);
    }
    x->reply.alternatives = all;
    x->reply.alternative_count = e->variant_count;
}

enum flow file_choices(struct exchange *x)
{
    const struct file_state *s = file_state(x);
    bool reactive = x->policy->negotiation == NEGOTIATE_REACTIVE;

    if (reactive && x->facts.acceptable && !s->variant->negotiates) /* RFC9110:15.4.1: the one we would prefer */
        reply_add(x, SPAN("Location"), file_link(x, s->variant->name));
    add_alternatives(x, s->entry);
    file_fields(x, reactive ? R_multiple_choices : R_not_acceptable);
    return x->arena.full ? STOP(x, R_exchange_memory_exhausted, 0) : FLOW_GO;
}
