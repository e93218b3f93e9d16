#ifndef TEST_UPSTREAM_SCENE_H
#define TEST_UPSTREAM_SCENE_H

#include "exchange/wait.h"
#include "io/resolve.h"
#include "upstream/upstream.h"

/* A worker's upstreams on a real loop, servers on loopback, and clients that pretend to be exchanges: in one thread. */
#define SCENE_MEMBERS 4

struct server {
    int listener; /* -1: nobody listens */
    struct sockaddr_storage at;
    socklen_t len;
};

struct client {
    struct exchange x;
    struct upstream_search search;
    struct upstream *up; /* NULL: none (yet) */
    enum flow flow;
    uint64_t hash;
    unsigned wakes; /* while it had a connection */
    unsigned order; /* in which clients were given one */
};

struct scene {
    struct loop loop;
    struct wheel wheel;
    struct resolver *resolver;
    struct upstreams *u;
    struct upstream_group group;
    struct upstream_origin members[SCENE_MEMBERS];
    struct server servers[SCENE_MEMBERS];
    char texts[SCENE_MEMBERS][ADDRESS_TEXT_BYTES];
    unsigned given;
    char name_servers[ADDRESS_TEXT_BYTES]; /* empty: the system's */
    const struct upstream_place *place;    /* NULL: clients ask the group */
};

extern struct scene scene;

/* So many servers that listen, and a group of them with generous limits, to be changed before scene_open(). */
void scene_prepare(unsigned servers);
/* Another one, on a unix socket. */
void scene_add(const char *path);
void scene_open(void);
/* All has to be released. */
void scene_close(void);

struct upstream_status scene_status(unsigned member);

/* What listens on 127.0.0.1, or at `path`. */
struct server server_listen(const char *path);
void server_stop(struct server *s);
/* The next connection; fails when none comes at once. */
int server_accept(const struct server *s);
bool server_has_one(const struct server *s);

void round_once(int wait_ms);
/* Rounds for so long. */
void rounds_for(unsigned ms);
/* Rounds until it holds; fails after five seconds. */
#define rounds_until(condition)                             \
    do {                                                    \
        for (unsigned tries_ = 0; !(condition); tries_++) { \
            assert_true(tries_ < 500);                      \
            round_once(10);                                 \
        }                                                   \
    } while (0)

struct client *client_new(void);
/* Ask for a connection, and wait for the outcome if need be. */
enum flow client_take(struct client *c);
enum flow client_ask(struct client *c);
/* It is given one: its other end. */
int client_take_from(struct client *c, unsigned server);
/* It is given none, for this reason. */
void client_expect(struct client *c, const char *why);
/* All of it goes, and comes, in one piece. */
void client_write(struct client *c, const char *text);
void client_read(struct client *c, const char *text);
void client_release(struct client *c, enum upstream_end how);
/* Park it, to be woken by its connection. */
void client_watch(struct client *c, uint32_t deadline_ms);
/* The exchange ends: cancelled if it waits, its search abandoned, its connection closed. */
void client_free(struct client *c);

/* What the other end says or hears, all at once. */
void say(int fd, const char *text);
void hear(int fd, const char *text);
/* The connection closes, in order or broken. */
void hang_up(int fd);
void reset(int fd);
bool is_hung_up(int fd);

#endif
