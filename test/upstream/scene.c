#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct scene scene;

static struct client *client_of(struct exchange *x)
{
    return (struct client *)((char *)x - offsetof(struct client, x));
}

static void tick(struct exchange *x)
{
    x->now_ms = scene.loop.now_ms;
}

static void ask(struct client *c)
{
    if (scene.place != NULL)
        c->flow = upstream_take_place(&c->x, scene.u, scene.place, &c->search, &c->up);
    else
        c->flow = upstream_take(&c->x, scene.u, 0, c->hash, &c->search, &c->up);
    if (c->flow == FLOW_GO)
        c->order = ++scene.given;
}

static void resume(struct exchange *x)
{
    struct client *c = client_of(x);

    if (c->up != NULL)
        c->wakes++;
    else
        ask(c);
}

static const struct exchange_host host = { .tick = tick, .resume = resume };

struct server server_listen(const char *path)
{
    struct server s = { .listener = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
    struct sockaddr_in ip4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    assert_true(s.listener >= 0);
    if (path != NULL) {
        strcpy(un.sun_path, path);
        assert_int_equal(bind(s.listener, (struct sockaddr *)&un, sizeof un), 0);
    } else {
        assert_int_equal(bind(s.listener, (struct sockaddr *)&ip4, sizeof ip4), 0);
    }
    assert_int_equal(listen(s.listener, 64), 0);
    s.len = sizeof s.at;
    assert_int_equal(getsockname(s.listener, (struct sockaddr *)&s.at, &s.len), 0);
    return s;
}

void server_stop(struct server *s)
{
    if (s->listener >= 0)
        close(s->listener);
    s->listener = -1;
}

bool server_has_one(const struct server *s)
{
    int fd = accept(s->listener, NULL, NULL);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int server_accept(const struct server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);

    assert_true(fd >= 0);
    return fd;
}

static void origin_set(unsigned i, const struct server *s)
{
    struct upstream_origin *o = &scene.members[i];

    *o = (struct upstream_origin){ .weight = 1 };
    memcpy(&o->address.socket, &s->at, sizeof s->at);
    o->address.len = s->len;
    o->text = address_print((const struct sockaddr *)&s->at, s->len, ADDRESS_WHOLE, scene.texts[i]);
    o->host = SPAN("127.0.0.1");
    o->port = ntohs(((const struct sockaddr_in *)&s->at)->sin_port);
}

void scene_prepare(unsigned servers)
{
    scene.given = 0;
    scene.place = NULL;
    scene.name_servers[0] = '\0';
    for (unsigned i = 0; i < servers; i++) {
        scene.servers[i] = server_listen(NULL);
        origin_set(i, &scene.servers[i]);
    }
    for (unsigned i = servers; i < SCENE_MEMBERS; i++)
        scene.servers[i].listener = -1;
    scene.group = (struct upstream_group){ .name = SPAN("group"),
                                           .members = scene.members,
                                           .count = (uint16_t)servers,
                                           .queue_limit = 8,
                                           .queue_ms = 10000,
                                           .idle_limit = 8,
                                           .idle_ms = 60000,
                                           .connect_ms = 5000 };
}

void scene_add(const char *path)
{
    unsigned i = scene.group.count++;

    scene.servers[i] = server_listen(path);
    origin_set(i, &scene.servers[i]);
}

void scene_open(void)
{
    static const struct upstream_group *groups[] = { &scene.group };
    struct resolver_settings settings = RESOLVER_SETTINGS_USUAL;
    struct upstream_world world = { .loop = &scene.loop, .wheel = &scene.wheel, .buffer_bytes = 64 };

    settings.servers = scene.name_servers[0] != '\0' ? scene.name_servers : NULL;
    assert_int_equal(loop_init(&scene.loop), 0);
    wheel_init(&scene.wheel, scene.loop.now_ms);
    assert_int_equal(resolver_new(&scene.loop, &scene.wheel, &settings, &scene.resolver), 0);
    world.resolver = scene.resolver;
    scene.u = upstreams_new(&world, groups, 1);
    assert_non_null(scene.u);
}

void scene_close(void)
{
    upstreams_release(&scene.u);
    assert_null(scene.u);
    resolver_release(&scene.resolver);
    assert_int_equal(wheel_wait_ms(&scene.wheel, scene.loop.now_ms), -1);
    loop_fini(&scene.loop);
    for (unsigned i = 0; i < SCENE_MEMBERS; i++)
        server_stop(&scene.servers[i]);
}

void round_once(int wait_ms)
{
    assert_true(loop_round(&scene.loop, wait_ms) >= 0);
    wheel_advance(&scene.wheel, scene.loop.now_ms);
}

void rounds_for(unsigned ms)
{
    uint64_t end_ms = scene.loop.now_ms + ms;

    while (scene.loop.now_ms < end_ms)
        round_once(10);
}

struct client *client_new(void)
{
    struct client *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->x.host = &host;
    arena_init(&c->x.arena, NULL, 0, 1 << 16);
    return c;
}

enum flow client_ask(struct client *c)
{
    c->up = NULL;
    tick(&c->x);
    ask(c);
    return c->flow;
}

enum flow client_take(struct client *c)
{
    client_ask(c);
    rounds_until(c->flow != FLOW_WAIT);
    return c->flow;
}

void client_watch(struct client *c, uint32_t deadline_ms)
{
    tick(&c->x);
    exchange_wait(&c->x, "upstream", NULL, NULL);
    upstream_watch(c->up, &c->x, deadline_ms);
}

void client_free(struct client *c)
{
    exchange_cancel(&c->x);
    upstream_abandon(&c->search);
    if (c->up != NULL)
        upstream_release(c->up, UPSTREAM_CLOSE);
    arena_reset(&c->x.arena);
    free(c);
}

int client_take_from(struct client *c, unsigned server)
{
    assert_int_equal(client_take(c), FLOW_GO);
    return server_accept(&scene.servers[server]);
}

void client_expect(struct client *c, const char *why)
{
    assert_int_equal(client_take(c), FLOW_STOP);
    assert_string_equal(reason_info(c->search.failed.why)->name, why);
    assert_null(c->search.state);
}

void client_write(struct client *c, const char *text)
{
    const struct iovec part = { (void *)(uintptr_t)text, strlen(text) };

    assert_int_equal(upstream_write(c->up, &part, 1), (int)strlen(text));
}

void client_read(struct client *c, const char *text)
{
    long n = upstream_read(c->up);

    if (n == -EAGAIN) {
        unsigned wakes = c->wakes;

        client_watch(c, 0);
        rounds_until(c->wakes > wakes);
        n = upstream_read(c->up);
    }
    assert_int_equal(n, (int)strlen(text));
    assert_memory_equal(c->up->buffer + c->up->at, text, strlen(text));
    c->up->at = c->up->have;
}

void client_release(struct client *c, enum upstream_end how)
{
    upstream_release(c->up, how);
    c->up = NULL;
}

struct upstream_status scene_status(unsigned member)
{
    struct upstream_status all[SCENE_MEMBERS];

    assert_int_equal(upstreams_status(scene.u, all, SCENE_MEMBERS), scene.group.count);
    return all[member];
}

void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

void hear(int fd, const char *text)
{
    char got[256] = { 0 };

    assert_int_equal(recv(fd, got, sizeof got - 1, 0), (int)strlen(text));
    assert_string_equal(got, text);
}

void hang_up(int fd)
{
    close(fd);
}

void reset(int fd)
{
    const struct linger now = { .l_onoff = 1 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

bool is_hung_up(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}
