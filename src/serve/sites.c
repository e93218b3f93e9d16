#include "serve/sites.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "record/tally.h"

struct sites {
    _Atomic uint16_t count; /* names that others may read; they never change */
    char *names[TALLY_SITE_OTHER];
};

struct sites *sites_new(void)
{
    struct sites *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->names[0] = strdup("");
    if (s->names[0] == NULL) {
        free(s);
        return NULL;
    }
    atomic_init(&s->count, 1);
    return s;
}

void sites_release(struct sites **sites)
{
    struct sites *s = *sites;

    *sites = NULL;
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->count; i++)
        free(s->names[i]);
    free(s);
}

static uint16_t number_of(struct sites *s, struct span name)
{
    uint16_t count = atomic_load(&s->count);

    for (uint16_t i = 1; i < count; i++)
        if (span_is(span_of(s->names[i]), name))
            return i;
    if (count == TALLY_SITE_OTHER || (s->names[count] = strndup(name.p, name.n)) == NULL)
        return TALLY_SITE_OTHER;
    atomic_store(&s->count, (uint16_t)(count + 1));
    return count;
}

void sites_number(struct sites *s, struct config *config)
{
    config->admin.site.number = number_of(s, SPAN("admin")); /* before there may be no more room */
    if (config->forward.listen_count > 0)
        config->forward.site.number = number_of(s, SPAN("forward"));
    for (uint32_t i = 0; i < config->site_count; i++) {
        struct site *site = &config->sites[i];

        site->number = number_of(s, site->name_count > 0 ? site->names[0] : SPAN("default"));
    }
}

const char *sites_name(const struct sites *s, uint16_t number)
{
    if (number == TALLY_SITE_OTHER)
        return "other";
    return number < atomic_load(&s->count) ? s->names[number] : NULL;
}
