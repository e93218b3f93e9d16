#ifndef TEST_RES_FILE_SITE_H
#define TEST_RES_FILE_SITE_H

#include "exchange/exchange.h"
#include "io/loop.h"
#include "io/offload.h"
#include "res/file/file_impl.h"

/* A directory of its own, served by file_resource with a real loop and real helpers, and no socket. */
struct site {
    char root[64];
    struct file_settings settings;
    struct policy policy;
    struct file_worker_settings worker_settings;
    struct file_worker *worker;
    struct file_shared *shared;
    struct loop loop;
    struct mail_box mail;
    struct offload helpers;
    struct media_types types;
    struct arena arena;
    uint64_t now_ms;
};

/* All of the policy and the settings may be changed before the first request. */
void site_open(struct site *s);
void site_close(struct site *s);

/* Paths are relative to the root. */
void site_write(const struct site *s, const char *path, struct span content);
void site_mkdir(const struct site *s, const char *path);
void site_link(const struct site *s, const char *target, const char *path);
void site_remove(const struct site *s, const char *path);
/* Both times; seconds since 1970. */
void site_touch(const struct site *s, const char *path, int64_t modified);
/* Until no change of the past can be mistaken for one of the future: see tag.h. */
void site_settle(void);

/* An exchange with the head "GET /path" and lines "Name: value", separated by '\n'. */
struct exchange *site_ask(struct site *s, const char *head);
void site_done(struct exchange **x);

/* Call a method until it does not wait. */
enum flow site_run(struct site *s, struct exchange *x, enum flow (*method)(struct exchange *x));

/* site_ask(), then open, select, encode, as far as the facts lead. */
struct exchange *site_encoded(struct site *s, const char *head);

/* All that and produce. */
struct exchange *site_get(struct site *s, const char *head);

/* The value of a field of the reply; "" when it is absent, "twice" when it is there twice. */
const char *site_field(struct exchange *x, const char *name);

/* The content of the reply, in the exchange's arena, with a NUL behind. */
struct span site_content(struct exchange *x);

#endif
