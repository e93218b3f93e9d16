#include "admin/api.h"
#include "admin/count.h"
#include "admin/member.h"
#include "admin/row.h"

#define CLASSES 6 /* by the first digit of what is sent; 0: nothing */

/* How exchanges ended, whatever their site. */
struct ends {
    uint64_t classes[CLASSES];
    uint64_t reasons[R_COUNT];
};

static void ends_add(struct ends *e, enum dialect dialect, enum reason why, uint64_t count)
{
    if (count == 0)
        return;
    e->reasons[why] += count;
    e->classes[reason_code(why, dialect).wire / 100 % CLASSES] += count;
}

static void ends_gather(struct ends *e, const struct admin_source *source)
{
    for (uint16_t site = 0; site < TALLY_SITES; site++) {
        if (source->site_name(source->server, site) == NULL)
            continue;
        for (enum dialect d = 0; d < DIALECTS; d++)
            for (enum reason why = R_MORE + 1; why < R_COUNT; why++)
                ends_add(e, d, why, count_ends(source, site, d, why));
    }
}

static json_t *classes_json(const struct ends *e)
{
    json_t *o = json_object();

    for (unsigned class = 0; class < CLASSES; class ++) {
        const char name[] = { (char)('0' + class), '\0' };

        member_number(&o, name, e->classes[class]);
    }
    return o;
}

static json_t *reasons_json(const struct ends *e)
{
    json_t *o = json_object();

    for (enum reason why = R_MORE + 1; why < R_COUNT; why++)
        if (e->reasons[why] > 0)
            member_number(&o, reason_info(why)->name, e->reasons[why]);
    return o;
}

static void put_count(json_t **o, const struct count *c)
{
    member_number(o, "connections", c->connections);
    member_number(o, "running", c->running);
    member_number(o, "exchanges", c->exchanges);
    member_number(o, "bytes_in", c->bytes_in);
    member_number(o, "bytes_out", c->bytes_out);
    member_number(o, "log_lines_lost", c->log_lines_lost);
}

json_t *api_total(struct api *api)
{
    struct count c = count_all(api->source);
    struct ends e = { 0 };
    json_t *o = json_object();

    ends_gather(&e, api->source);
    put_count(&o, &c);
    member(&o, "rate", json_real(history_rate(api->history, api->now_ms)));
    member(&o, "classes", classes_json(&e));
    member(&o, "reasons", reasons_json(&e));
    return o;
}

static json_t *worker_json(const struct admin_source *source, uint32_t worker)
{
    const struct ring *all = &source->views[worker].recorder->all;
    struct count c = { 0 };
    json_t *o = json_object();

    count_add(&c, source, worker);
    member_number(&o, "index", worker);
    put_count(&o, &c);
    member_number(&o, "recorded", ring_next(all) - ring_first(all));
    return o;
}

static json_t *workers_json(const struct admin_source *source)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < source->view_count; i++)
        if (!source->views[i].is_admin)
            element(&list, worker_json(source, i));
    return list;
}

/* The admin listener's own exchanges are counted nowhere. */
static json_t *sites_json(const struct admin_source *source)
{
    json_t *list = json_array();

    for (uint16_t site = 0; site < TALLY_SITE_OTHER; site++) {
        const char *name = source->site_name(source->server, site);

        if (name != NULL && strcmp(name, "admin") != 0)
            element(&list, row_text(span_of(name)));
    }
    return list;
}

json_t *api_workers(struct api *api)
{
    uint64_t started_ms = (uint64_t)api->source->started_unix_ms;
    json_t *o = json_object();

    member_string(&o, "version", VERDICT_VERSION);
    member(&o, "started", row_time(started_ms));
    member_number(&o, "now_ms", api->unix_ms);
    member_number(&o, "uptime_ms", record_between(started_ms, api->unix_ms));
    member(&o, "sites", sites_json(api->source));
    member(&o, "workers", workers_json(api->source));
    member(&o, "total", api_total(api));
    return o;
}
