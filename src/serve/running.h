#ifndef SERVE_RUNNING_H
#define SERVE_RUNNING_H

#include "admin/source.h"
#include "serve/worker.h"

/* Ask a worker, from the thread of another one, what it has running: the answer comes by mail, r->done() is called on the
 * asker's thread. Neither worker goes away before. */
void running_ask(struct running_request *r, struct worker *worker, struct worker *asker);

/* What w runs now: the exchanges of all its connections, the longest running first to be told. w's own thread. */
void running_list_fill(const struct worker *w, struct running_list *out);

#endif
