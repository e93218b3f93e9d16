#include "feed.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "exchange/wait.h"

static enum flow content(struct exchange *x, struct span *piece)
{
    struct feed *f = x->conn;
    size_t left = f->content.n - f->at;
    size_t n = f->piece_bytes > 0 && f->piece_bytes < left ? f->piece_bytes : left;

    *piece = (struct span){ 0 };
    if (f->waits && !f->waited) {
        f->waited = true;
        return exchange_wait(x, "content", NULL, NULL);
    }
    f->waited = false;
    if (left == 0 && f->broken != R_NONE)
        return STOP(x, f->broken, f->at);
    *piece = (struct span){ f->content.p + f->at, n };
    f->at += n;
    return FLOW_GO;
}

static const struct codec_ops codec = { .name = "feed", .content = content };

bool feed_round(struct site *s, struct exchange *x)
{
    if (x->wait.what == NULL)
        return true;
    if (strcmp(x->wait.what, "content") == 0)
        exchange_wake(x, x->wait.ticket);
    else
        DIE_UNLESS(loop_round(&s->loop, 10) >= 0);
    return x->wait.what == NULL;
}

enum flow feed_run(struct site *s, struct exchange *x, enum flow (*method)(struct exchange *x))
{
    enum flow flow;

    while ((flow = method(x)) == FLOW_WAIT)
        while (!feed_round(s, x))
            ;
    return flow;
}

struct exchange *feed_open(struct site *s, const char *head, struct feed *feed)
{
    struct exchange *x = site_ask(s, head);

    x->codec = &codec;
    x->conn = feed;
    x->req.has_content = true;
    x->req.length_known = feed->declared;
    x->req.length = feed->declared ? feed->content.n : 0;
    if (feed_run(s, x, file_resource.open) == FLOW_GO && x->facts.exists && !x->facts.is_collection)
        feed_run(s, x, file_resource.encode);
    return x;
}

struct exchange *feed_put(struct site *s, const char *head, struct feed *feed)
{
    struct exchange *x = feed_open(s, head, feed);

    if (x->verdict.why == R_NONE)
        feed_run(s, x, file_resource.accept);
    return x;
}

struct exchange *feed_put_text(struct site *s, const char *head, const char *text)
{
    struct feed feed = { .content = span_of(text), .declared = true };

    return feed_put(s, head, &feed);
}

struct exchange *feed_delete(struct site *s, const char *head)
{
    struct feed feed = { .declared = true };
    struct exchange *x = feed_open(s, head, &feed);

    if (x->verdict.why == R_NONE)
        feed_run(s, x, file_resource.remove);
    return x;
}

struct span feed_file(const struct site *s, const char *path, struct exchange *x)
{
    char whole[PATH_MAX], *out = arena_take(&x->arena, 65536);
    ssize_t n;
    int fd;

    snprintf(whole, sizeof whole, "%s/%s", s->root, path);
    fd = open(whole, O_RDONLY);
    if (fd < 0)
        return (struct span){ 0 };
    n = read(fd, out, 65536);
    close(fd);
    DIE_UNLESS(n >= 0);
    return (struct span){ out, (size_t)n };
}

unsigned feed_hidden_names(const struct site *s, const char *path)
{
    char whole[PATH_MAX];
    unsigned count = 0;
    struct dirent *e;
    DIR *d;

    snprintf(whole, sizeof whole, "%s/%s", s->root, path);
    d = opendir(whole);
    DIE_UNLESS(d != NULL);
    while ((e = readdir(d)) != NULL)
        count += e->d_name[0] == '.' && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}
