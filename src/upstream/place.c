#include "upstream/take_impl.h"

enum flow upstream_take_place(struct exchange *x, struct upstreams *u, const struct upstream_place *place,
                              struct upstream_search *asked, struct upstream **out)
{
    struct upstream_member *m = &u->place;
    struct making_settings settings = { .member = m,
                                        .host = place->host,
                                        .port = place->port,
                                        .limit_ms = place->connect_ms,
                                        .allowed = place->allowed,
                                        .with = place->with };

    if (asked->state != NULL)
        return search_go_on(x, asked, out);
    asked->upstream = place->text;
    asked->another_left = false;
    m->exchanges++;
    m->slots++;
    return search_make(x, asked, &settings, false, out);
}
