#include "admin/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "admin/count.h"
#include "admin/upstream_rows.h"
#include "graph/graph.h"

struct metrics {
    FILE *out;
    const struct admin_source *source;
    bool openmetrics;
};

/* What a family is called in OpenMetrics is without the _total of its counters. */
static void family(const struct metrics *m, const char *name, const char *kind, const char *help)
{
    const char *total = !m->openmetrics && kind[0] == 'c' ? "_total" : "";

    fprintf(m->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name, total, kind);
}

static void counter(const struct metrics *m, const char *name, const char *help, uint64_t value)
{
    family(m, name, "counter", help);
    fprintf(m->out, "%s_total %" PRIu64 "\n", name, value);
}

static void gauge(const struct metrics *m, const char *name, const char *help, uint64_t value)
{
    family(m, name, "gauge", help);
    fprintf(m->out, "%s %" PRIu64 "\n", name, value);
}

/* The value of a label, in quotes. */
static void put_value(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

/* The number of a site that bears the name under which those without a number are counted; else TALLY_SITE_OTHER. */
static uint16_t site_called_other(const struct admin_source *source)
{
    const char *other = source->site_name(source->server, TALLY_SITE_OTHER), *name;
    uint16_t site = 0;

    while (site < TALLY_SITE_OTHER && other != NULL && (name = source->site_name(source->server, site)) != NULL) {
        if (strcmp(name, other) == 0)
            return site;
        site++;
    }
    return TALLY_SITE_OTHER;
}

static void request_row(const struct metrics *m, const char *site, enum reason why, uint16_t wire, uint64_t count)
{
    if (count == 0)
        return;
    fputs("verdict_requests_total{site=", m->out);
    put_value(m->out, site);
    fprintf(m->out, ",reason=\"%s\",status=\"", reason_info(why)->name);
    if (wire > 0)
        fprintf(m->out, "%u\"} %" PRIu64 "\n", wire, count);
    else
        fprintf(m->out, "none\"} %" PRIu64 "\n", count);
}

/* A row for each status that a dialect sends for the reason. */
static void request_rows(const struct metrics *m, uint16_t site, uint16_t also, enum reason why)
{
    const char *name = m->source->site_name(m->source->server, site);
    uint64_t counts[DIALECTS] = { 0 }; /* at the first dialect of that status */

    for (enum dialect d = 0; d < DIALECTS; d++) {
        enum dialect first = 0;

        while (reason_code(why, first).wire != reason_code(why, d).wire)
            first++;
        counts[first] += count_ends(m->source, site, d, why);
        if (also != site)
            counts[first] += count_ends(m->source, also, d, why);
    }
    for (enum dialect d = 0; d < DIALECTS; d++)
        request_row(m, name, why, reason_code(why, d).wire, counts[d]);
}

static void requests(const struct metrics *m)
{
    uint16_t twin = site_called_other(m->source);

    family(m, "verdict_requests", "counter", "Requests that have ended, by site, reason and status sent.");
    for (uint16_t site = 0; site < TALLY_SITES; site++) {
        if (m->source->site_name(m->source->server, site) == NULL || (site == TALLY_SITE_OTHER && twin != site))
            continue;
        for (enum reason why = R_MORE + 1; why < R_COUNT; why++)
            request_rows(m, site, site == twin ? TALLY_SITE_OTHER : site, why);
    }
}

static uint64_t sum(const struct metrics *m, size_t offset)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < m->source->view_count; i++) {
        const char *tally = (const char *)m->source->views[i].tally;

        if (!m->source->views[i].is_admin)
            all += atomic_load_explicit((const _Atomic uint64_t *)(tally + offset), memory_order_relaxed);
    }
    return all;
}

/* What was decided and could not be sent to its end. */
static void broken(const struct metrics *m)
{
    family(m, "verdict_broken", "counter", "Answers that could not be sent to their end, by reason.");
    for (enum reason why = R_MORE + 1; why < R_COUNT; why++) {
        uint64_t count = sum(m, offsetof(struct tally, broken) + why * sizeof(uint64_t));

        if (count > 0)
            fprintf(m->out, "verdict_broken_total{reason=\"%s\"} %" PRIu64 "\n", reason_info(why)->name, count);
    }
}

/* The bounds with a point, as OpenMetrics wants them, so that series are the same in both formats. */
static void durations(const struct metrics *m)
{
    uint64_t count = 0;

    family(m, "verdict_request_duration_seconds", "histogram",
           "From the first byte of a request to the end of its answer.");
    for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
        uint32_t ms = i < TALLY_DURATIONS - 1 ? tally_duration_ms[i] : 0;

        count += sum(m, offsetof(struct tally, durations) + i * sizeof(uint64_t));
        if (i == TALLY_DURATIONS - 1)
            fprintf(m->out, "verdict_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", count);
        else
            fprintf(m->out, "verdict_request_duration_seconds_bucket{le=\"%g%s\"} %" PRIu64 "\n", ms / 1000.0,
                    ms % 1000 == 0 ? ".0" : "", count);
    }
    fprintf(m->out, "verdict_request_duration_seconds_sum %.3f\n",
            (double)sum(m, offsetof(struct tally, duration_ms)) / 1000.0);
    fprintf(m->out, "verdict_request_duration_seconds_count %" PRIu64 "\n", count);
}

static void branch_row(const struct metrics *m, unsigned node, const char *answer, uint64_t count)
{
    if (count > 0)
        fprintf(m->out, "verdict_branches_total{node=\"%s\",answer=\"%s\"} %" PRIu64 "\n", graph_nodes[node].name,
                answer, count);
}

static void branches(const struct metrics *m)
{
    struct branches b;
    uint64_t stops[GRAPH_NODES] = { 0 };

    count_branches(m->source, false, &b);
    for (size_t row = 0; row < graph_stop_count && row < TALLY_STOPS; row++)
        stops[graph_stops[row].node] += b.stops[row];
    family(m, "verdict_branches", "counter", "Ways that requests took out of the nodes of the decision graph.");
    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        bool asks = graph_nodes[n].ask != NULL;

        branch_row(m, n, asks ? "no" : "next", b.edges[n][0]);
        branch_row(m, n, "yes", b.edges[n][1]);
        branch_row(m, n, "stop", stops[n]);
    }
}

static void build(const struct metrics *m)
{
    family(m, "verdict_build_info", "gauge", "What runs.");
    fprintf(m->out, "verdict_build_info{version=\"%s\"} 1\n", VERDICT_VERSION);
    family(m, "verdict_start_time_seconds", "gauge", "When the server started, in Unix time.");
    fprintf(m->out, "verdict_start_time_seconds %.3f\n", (double)m->source->started_unix_ms / 1000.0);
    gauge(m, "verdict_workers", "Threads that serve requests.", count_workers(m->source));
}

static void upstream_sample(const struct metrics *m, const struct upstream_row *row, const char *name, uint64_t value)
{
    fprintf(m->out, "verdict_upstream_%s{upstream=", name);
    put_value(m->out, row->upstream);
    fputs(",server=", m->out);
    put_value(m->out, row->server);
    fprintf(m->out, "} %" PRIu64 "\n", value);
}

/* One number of each server. */
struct upstream_family {
    const char *name, *kind, *help;
    size_t offset; /* in struct upstream_row, of a uint64_t */
};

static const struct upstream_family upstream_families[] = {
    { "connections", "gauge", "Connections to the server, and those being made.",
      offsetof(struct upstream_row, connections) },
    { "connections_idle", "gauge", "Kept connections that nothing uses.", offsetof(struct upstream_row, idle) },
    { "requests_running", "gauge", "Requests that the server has, or that wait for it.",
      offsetof(struct upstream_row, exchanges) },
    { "requests_waiting", "gauge", "Requests that wait for a connection.", offsetof(struct upstream_row, waiting) },
    { "requests", "counter", "Requests that were handed on, since the configuration was read.",
      offsetof(struct upstream_row, requests) },
    { "failures", "counter", "Failures that count against the server, since the configuration was read.",
      offsetof(struct upstream_row, failures) },
};

static void upstream_numbers(const struct metrics *m, const struct upstream_row *rows, uint32_t count)
{
    char name[64];

    for (size_t f = 0; f < sizeof upstream_families / sizeof upstream_families[0]; f++) {
        const struct upstream_family *of = &upstream_families[f];

        snprintf(name, sizeof name, "verdict_upstream_%s", of->name);
        family(m, name, of->kind, of->help);
        snprintf(name, sizeof name, "%s%s", of->name, of->kind[0] == 'c' ? "_total" : "");
        for (uint32_t i = 0; i < count; i++)
            upstream_sample(m, &rows[i], name, *(const uint64_t *)(const void *)((const char *)&rows[i] + of->offset));
    }
}

/* Of all upstreams together: who is asked by a forward proxy has no number here. */
static void upstream_tries(const struct metrics *m)
{
    family(m, "verdict_upstream_tries", "counter", "Tries to have a request answered, by how they failed.");
    for (enum reason why = R_NONE; why < R_COUNT; why++) {
        uint64_t count = sum(m, offsetof(struct tally, tries) + why * sizeof(uint64_t));

        if (count > 0)
            fprintf(m->out, "verdict_upstream_tries_total{reason=\"%s\"} %" PRIu64 "\n",
                    why == R_NONE ? "none" : reason_info(why)->name, count);
    }
}

static void upstreams(const struct metrics *m)
{
    uint32_t count;
    struct upstream_row *rows = upstream_rows(m->source, &count);

    upstream_tries(m);
    if (count > 0) {
        family(m, "verdict_upstream_up", "gauge", "1: some worker would hand a request on to the server.");
        for (uint32_t i = 0; i < count; i++)
            upstream_sample(m, &rows[i], "up", rows[i].live > 0);
        family(m, "verdict_upstream_workers_live", "gauge", "Workers that would hand a request on to the server.");
        for (uint32_t i = 0; i < count; i++)
            upstream_sample(m, &rows[i], "workers_live", rows[i].live);
        upstream_numbers(m, rows, count);
    }
    free(rows);
}

void metrics_write(FILE *out, const struct api *api, bool openmetrics)
{
    const struct metrics m = { out, api->source, openmetrics };
    struct count c = count_all(api->source);

    requests(&m);
    broken(&m);
    gauge(&m, "verdict_requests_running", "Requests that have not ended.", c.running);
    durations(&m);
    counter(&m, "verdict_received_bytes", "Bytes of requests.", c.bytes_in);
    counter(&m, "verdict_sent_bytes", "Bytes of answers.", c.bytes_out);
    gauge(&m, "verdict_connections", "Connections that are open.", c.connections);
    counter(&m, "verdict_connections_accepted", "Connections that were accepted.", c.connections_accepted);
    counter(&m, "verdict_connections_refused", "Connections that were closed at once, because there were too many.",
            c.connections_refused);
    counter(&m, "verdict_log_lines_lost", "Lines of the access log that could not be written.", c.log_lines_lost);
    upstreams(&m);
    branches(&m);
    build(&m);
    if (openmetrics)
        fputs("# EOF\n", out);
}
