#ifndef ADMIN_ADMIN_IMPL_H
#define ADMIN_ADMIN_IMPL_H

#include "admin/admin.h"
#include "admin/admission.h"
#include "admin/api.h"
#include "admin/events.h"
#include "admin/page.h"
#include "admin/running_gather.h"
#include "exchange/exchange.h"
#include "io/loop.h"
#include "io/wheel.h"

/* What is at a path of the admin listener. */
enum admin_kind {
    ADMIN_NOTHING,
    ADMIN_PAGE,
    ADMIN_METRICS,
    ADMIN_EVENTS,
    ADMIN_ADMISSION,
    ADMIN_EXCHANGES,
    ADMIN_EXCHANGE,
    ADMIN_RUNNING,
    ADMIN_HEAT,
    ADMIN_WORKERS,
    ADMIN_GRAPH,
    ADMIN_REASONS,
    ADMIN_STATUSES,
    ADMIN_UPSTREAMS
};

struct admin {
    const struct admin_source *source;
    struct loop *loop;
    struct wheel *wheel;
    struct history *history;
    struct events *events;
    struct timer tick;
};

/* Of one exchange; x->res_state. */
struct admin_state {
    enum admin_kind kind;
    const struct admin_page *page;
    struct record *record; /* of ADMIN_EXCHANGE; ours until close */
    uint32_t record_worker;
    struct running_gather *gather;
    struct query query;
    char *content; /* made for the reply; ours until close */
    struct admission admission;
};

#endif
