/*
 * Which form of the variant? A coded sibling costs nothing and comes first; then what can be coded here. Identity is
 * sent when nothing better is wished for, or nothing is gained. A client that refuses identity gets whatever coding it
 * takes, made even of content that does not shrink (RFC9110:12.5.3).
 */
#include "http/accept.h"
#include "res/file/coding_job.h"

#define ALL_MADE (CODING_BIT(CODING_IDENTITY) - 1U)
#define IDENTITY CODING_BIT(CODING_IDENTITY)

static const unsigned *qualities(struct file_wish *wish, struct span accepted)
{
    if (accepted.n == wish->n && accepted.n > 0 && memcmp(wish->text, accepted.p, accepted.n) == 0)
        return wish->quality;
    wish->n = 0;
    accept_codings(accepted, wish->quality);
    if (accepted.n > sizeof wish->text)
        return wish->quality;
    wish->n = accepted.n;
    if (accepted.n > 0)
        memcpy(wish->text, accepted.p, accepted.n);
    return wish->quality;
}

/* As coding_choose(). */
static enum coding choose(const unsigned quality[CODINGS], unsigned available)
{
    enum coding best = CODINGS;
    unsigned highest = 0;

    for (enum coding i = 0; i < CODINGS; i++) {
        if (!(available & CODING_BIT(i)) || quality[i] <= highest)
            continue;
        best = i;
        highest = quality[i];
    }
    return best;
}

static unsigned stored_codings(const struct file_variant *v)
{
    unsigned set = 0;

    for (enum coding i = 0; i < CODING_IDENTITY; i++)
        set |= v->files[i].is_there ? CODING_BIT(i) : 0U;
    return set;
}

static unsigned worthwhile_codings(const struct file_settings *settings, const struct file_variant *v)
{
    uint64_t length = v->files[CODING_IDENTITY].length;

    if (!settings->compress || !v->compressible || length < settings->compress_min_bytes ||
        length > settings->compress_max_bytes)
        return 0;
    return ALL_MADE;
}

static enum coding force(const struct file_settings *settings, const struct file_variant *v,
                         const unsigned quality[CODINGS])
{
    if (!settings->compress || v->unsteady || v->files[CODING_IDENTITY].length > settings->compress_max_bytes)
        return CODINGS;
    return choose(quality, ALL_MADE);
}

/* CODINGS: the client takes none that can be had. Apart, for most clients of small files do not come here. */
static __attribute__((noinline)) enum coding wished_coding(struct exchange *x, unsigned stored, unsigned worthwhile)
{
    struct file_state *s = file_state(x);
    const struct file_variant *v = s->variant;
    const unsigned *quality = qualities(&file_worker(x)->wish, request_field(x, FIELD_ACCEPT_ENCODING));
    enum coding coding = choose(quality, stored | IDENTITY);

    if (coding == CODING_IDENTITY || coding == CODINGS)
        coding = choose(quality, IDENTITY | stored | (v->unsteady ? 0 : worthwhile & ~v->useless));
    if (coding == CODINGS) {
        s->coding_matters = true;
        coding = force(file_settings(x), v, quality);
    }
    return coding;
}

/* Likewise. */
static enum coding coding_for(struct exchange *x)
{
    struct file_state *s = file_state(x);
    unsigned stored = stored_codings(s->variant);
    unsigned worthwhile = worthwhile_codings(file_settings(x), s->variant);

    s->coding_matters = (stored | worthwhile) != 0;
    return request_has(x, FIELD_ACCEPT_ENCODING) ? wished_coding(x, stored, worthwhile) : CODING_IDENTITY;
}

static void use_content(struct exchange *x, enum coding coding, struct file_content *c)
{
    struct file_state *s = file_state(x);
    struct facts *f = &x->facts;

    s->coding = coding;
    s->content = c;
    f->coding_acceptable = true;
    f->has_etag = true;
    f->etag = file_tag_parsed(&c->tag);
    f->length = c->length;
    f->modified = s->variant->modified;
    f->has_modified = f->modified >= FILE_CREDIBLE && f->modified <= x->unix_seconds;
}

enum flow file_encode(struct exchange *x)
{
    struct file_state *s = file_state(x);
    struct file_variant *v = s->variant;
    enum coding coding = CODING_IDENTITY;

    if (NEVER(v == NULL))
        return STOP(x, R_file_system_error, 0);
    if (s->job != NULL && file_coding_use(x) == FLOW_STOP)
        return FLOW_STOP;
    if (file_is_read(x))
        coding = coding_for(x);
    if (coding == CODINGS)
        x->facts.coding_acceptable = false;
    else if (v->files[coding].is_there)
        use_content(x, coding, &v->files[coding]);
    else if (v->made[coding] != NULL)
        use_content(x, coding, v->made[coding]);
    else
        return file_coding_start(x, coding);
    return FLOW_GO;
}
