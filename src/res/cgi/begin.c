#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "exchange/cgi_message.h"
#include "io/address.h"
#include "res/cgi/cgi_impl.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

/* --- As whom --- */

bool cgi_identity_find(struct cgi *g)
{
    const struct cgi_settings *s = g->settings;

    if (s->user == NULL || (s->uid == geteuid() && s->gid == getegid()))
        return true;
    g->switches_user = true;
    return geteuid() == 0;
}

static void groups_find(struct cgi_worker *w, const struct cgi_settings *s)
{
    if (w->groups.known && w->groups.uid == s->uid && w->groups.gid == s->gid)
        return;
    w->groups.count = CGI_GROUPS_MAX;
    if (getgrouplist(s->user, s->gid, w->groups.list, &w->groups.count) < 0) {
        w->groups.list[0] = s->gid;
        w->groups.count = 1;
    }
    w->groups.uid = s->uid;
    w->groups.gid = s->gid;
    w->groups.known = true;
}

/* --- What it is told --- */

static void pairs_of_route(const struct cgi_settings *s, struct cgi_pair *pairs, size_t *count)
{
    cgi_pair_set(pairs, count, SPAN("PATH"), SPAN(PATH_DEFAULT));
    for (uint16_t i = 0; i < s->variable_count; i++)
        cgi_pair_set(pairs, count, s->variables[i].name, s->variables[i].value);
}

static struct cgi_request request_of(struct cgi *g)
{
    struct exchange *x = g->x;
    char text[ADDRESS_TEXT_BYTES];
    struct span client = address_print((const struct sockaddr *)x->peer.p, (socklen_t)x->peer.n, ADDRESS_HOST, text);
    struct cgi_request r;

    cgi_request_fill(x, g->program.path_info_bytes, &r);
    r.client = arena_copy(&x->arena, client);
    r.script_file = g->program.path;
    r.root = span_of(g->settings->directory);
    return r;
}

/* "NAME=value" of each, and NULL. NULL: the arena is full. */
static char **environment_of(struct cgi *g)
{
    struct arena *arena = &g->x->arena;
    struct cgi_request r = request_of(g);
    size_t most = g->x->req.head.count + CGI_PAIRS + 1u + g->settings->variable_count, count;
    struct cgi_pair *pairs = arena_take(arena, most * sizeof *pairs);
    char **all = arena_take(arena, (most + 1) * sizeof *all);

    if (pairs == NULL || all == NULL)
        return NULL;
    count = cgi_pairs(&r, arena, pairs);
    pairs_of_route(g->settings, pairs, &count);
    for (size_t i = 0; i < count; i++) {
        struct span parts[] = { pairs[i].name, SPAN("="), pairs[i].value };

        all[i] = (char *)(uintptr_t)arena_join(arena, parts, 3).p;
    }
    all[count] = NULL;
    return arena->full ? NULL : all;
}

/* --- Its start --- */

static enum reason reason_of(int error)
{
    if (error == -EMFILE || error == -ENFILE)
        return R_descriptors_exhausted;
    return error == -ENOMEM ? R_worker_memory_exhausted : R_cgi_start_failed;
}

static enum flow start(struct cgi *g, const struct cgi_start *start)
{
    struct cgi_worker *w = g->x->res_worker;
    int error = cgi_process_start(&w->processes, start, g->x, &g->process);

    if (error != 0) {
        cgi_slot_free(&w->processes);
        return FAIL(g, reason_of(error), -error);
    }
    forwarding_now(&g->forwarding)->connected_ms = g->x->now_ms;
    g->phase = PHASE_RUNNING;
    g->taken_all = !g->x->req.has_content;
    if (g->taken_all)
        cgi_process_end_input(g->process);
    return FLOW_GO;
}

enum flow cgi_begin(struct cgi *g)
{
    const struct cgi_settings *s = g->settings;
    struct cgi_worker *w = g->x->res_worker;
    char **environment = environment_of(g);
    const char *arguments[] = { s->interpreter != NULL ? s->interpreter : g->program.path.p,
                                s->interpreter != NULL ? g->program.path.p : NULL, NULL };
    struct cgi_start how = { .file = s->interpreter != NULL ? s->interpreter : g->program.file,
                             .arguments = (char *const *)(uintptr_t)arguments,
                             .environment = environment,
                             .folder_fd = g->program.folder_fd,
                             .switches_user = g->switches_user,
                             .uid = s->uid,
                             .gid = s->gid };

    if (environment == NULL) {
        cgi_slot_free(&w->processes);
        g->phase = PHASE_IDLE;
        return STOP(g->x, R_exchange_memory_exhausted, 0);
    }
    if (g->switches_user) {
        groups_find(w, s);
        how.groups = w->groups.list;
        how.group_count = (uint32_t)w->groups.count;
    }
    return start(g, &how);
}
