#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http/path.h"

#define HELPERS 2
#define QUEUE   16

static bool woken;

static void resume(struct exchange *x)
{
    (void)x;
    woken = true;
}

static void tick(struct exchange *x)
{
    (void)x;
}

static const struct exchange_host host = { .tick = tick, .resume = resume };

void site_open(struct site *s)
{
    *s = (struct site){ 0 };
    strcpy(s->root, "/tmp/verdict-file-XXXXXX");
    DIE_UNLESS(mkdtemp(s->root) != NULL);
    s->settings = (struct file_settings){
        .root = s->root,
        .root_fd = open(s->root, O_PATH | O_DIRECTORY),
        .id = 1,
        .index = { "index.html" },
        .variants = true,
        .precompressed = true,
        .compress = true,
        .compress_min_bytes = 64,
        .compress_max_bytes = 1 << 20,
        .default_language = "en",
    };
    s->worker_settings = (struct file_worker_settings){
        .cache_bytes = 1 << 20, .cache_entries = 64, .content_max_bytes = 4096, .recheck_ms = 1000
    };
    s->now_ms = 5000;
    arena_init(&s->arena, NULL, 0, 1 << 20);
    DIE_UNLESS(media_types_load(&s->types, SPAN(""), &s->arena));
    DIE_UNLESS(loop_init(&s->loop) == 0 && mail_box_init(&s->mail, &s->loop) == 0);
    offload_init(&s->helpers, HELPERS, QUEUE);
    s->shared = file_shared_new();
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

void site_close(struct site *s)
{
    offload_fini(&s->helpers);
    mail_box_fini(&s->mail);
    loop_fini(&s->loop);
    file_worker_release(&s->worker);
    file_shared_release(&s->shared);
    arena_reset(&s->arena);
    close(s->settings.root_fd);
    nftw(s->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *whole(const struct site *s, const char *path, char room[4200])
{
    snprintf(room, 4200, "%s/%s", s->root, path);
    return room;
}

void site_write(const struct site *s, const char *path, struct span content)
{
    char room[4200];
    int fd = open(whole(s, path, room), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    DIE_UNLESS(fd >= 0);
    DIE_UNLESS(write(fd, content.p, content.n) == (ssize_t)content.n);
    close(fd);
}

void site_mkdir(const struct site *s, const char *path)
{
    char room[4200];

    DIE_UNLESS(mkdir(whole(s, path, room), 0755) == 0);
}

void site_link(const struct site *s, const char *target, const char *path)
{
    char room[4200];

    DIE_UNLESS(symlink(target, whole(s, path, room)) == 0);
}

void site_remove(const struct site *s, const char *path)
{
    char room[4200];

    DIE_UNLESS(remove(whole(s, path, room)) == 0);
}

void site_touch(const struct site *s, const char *path, int64_t modified)
{
    const struct timespec times[2] = { { .tv_sec = modified }, { .tv_sec = modified } };
    char room[4200];

    DIE_UNLESS(utimensat(AT_FDCWD, whole(s, path, room), times, AT_SYMLINK_NOFOLLOW) == 0);
}

void site_settle(void)
{
    const struct timespec two_ticks = { .tv_nsec = FILE_SETTLED_NS + 5000000 };

    nanosleep(&two_ticks, NULL);
}

/* The head lives in the arena of the exchange. */
static void head_fill(struct exchange *x, const char *text)
{
    struct span rest = arena_copy(&x->arena, span_of(text));
    struct field *lines = arena_take(&x->arena, 16 * sizeof *lines);
    size_t line = span_find(rest, '\n'), space = span_find(rest, ' ');

    head_init(&x->req.head, lines);
    x->req.head.method = method_find((struct span){ rest.p, space });
    x->req.head.target = (struct span){ rest.p + space + 1, line - space - 1 };
    while (line < rest.n) {
        size_t colon;

        rest = span_from(rest, line + 1);
        line = span_find(rest, '\n');
        colon = span_find(rest, ':');
        head_add(&x->req.head, (struct span){ rest.p, colon },
                 span_trim((struct span){ rest.p + colon + 1, line - colon - 1 }));
    }
}

struct exchange *site_ask(struct site *s, const char *head)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct verdict v;
    char *room;

    if (s->worker == NULL)
        s->worker = file_worker_new(&s->worker_settings, &s->helpers, &s->mail, &s->types, s->shared);
    DIE_UNLESS(x != NULL && s->worker != NULL);
    arena_init(&x->arena, NULL, 0, 1 << 20);
    head_fill(x, head);
    room = arena_take(&x->arena, x->req.head.target.n + 1);
    DIE_UNLESS(path_decode(x->req.head.target, room, x->req.head.target.n + 1, &x->req.path.n, &v) == R_NONE);
    x->req.path.p = room;
    x->req.subpath = x->req.path;
    x->host = &host;
    x->policy = &s->policy;
    x->res = &file_resource;
    x->res_settings = &s->settings;
    x->res_worker = s->worker;
    x->res_state = arena_zero(&x->arena, file_resource.state_bytes);
    x->now_ms = s->now_ms;
    x->unix_seconds = time(NULL);
    return x;
}

void site_done(struct exchange **x)
{
    if ((*x)->res->close != NULL)
        (*x)->res->close(*x);
    arena_reset(&(*x)->arena);
    free(*x);
    *x = NULL;
}

enum flow site_run(struct site *s, struct exchange *x, enum flow (*method)(struct exchange *x))
{
    for (;;) {
        enum flow flow;

        woken = false;
        flow = method(x);
        if (flow != FLOW_WAIT)
            return flow;
        while (!woken)
            DIE_UNLESS(loop_round(&s->loop, 1000) >= 0);
    }
}

struct exchange *site_encoded(struct site *s, const char *head)
{
    struct exchange *x = site_ask(s, head);

    if (site_run(s, x, file_resource.open) != FLOW_GO || !x->facts.exists ||
        (x->facts.is_collection && !x->facts.has_index))
        return x;
    site_run(s, x, file_resource.select);
    if (!x->facts.variant_negotiates)
        site_run(s, x, file_resource.encode);
    return x;
}

struct exchange *site_get(struct site *s, const char *head)
{
    struct exchange *x = site_encoded(s, head);

    if (x->facts.coding_acceptable)
        site_run(s, x, file_resource.produce);
    return x;
}

const char *site_field(struct exchange *x, const char *name)
{
    const struct reply_field *f;
    const char *found = NULL;

    for (uint32_t i = 0; (f = reply_field_at(x, i)) != NULL; i++) {
        if (!span_is(f->name, span_of(name)))
            continue;
        if (found != NULL)
            return "twice";
        found = arena_copy(&x->arena, f->value).p;
    }
    return found != NULL ? found : "";
}

struct span site_content(struct exchange *x)
{
    struct body *b = x->reply.body;
    char *out = arena_take(&x->arena, (size_t)b->length + 1);
    size_t n = 0;
    struct piece piece;

    ((struct pieces_body *)b)->at = 0;
    while (b->ops->next(b, x, &piece) == FLOW_GO && piece.length > 0) {
        DIE_UNLESS(n + piece.length <= (size_t)b->length);
        if (piece.fd < 0)
            memcpy(out + n, piece.bytes.p, piece.length);
        else
            DIE_UNLESS(pread(piece.fd, out + n, piece.length, (off_t)piece.offset) == (ssize_t)piece.length);
        n += piece.length;
    }
    DIE_UNLESS(n == (size_t)b->length);
    out[n] = '\0';
    return (struct span){ out, n };
}
