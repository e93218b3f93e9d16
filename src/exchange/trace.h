#ifndef EXCHANGE_TRACE_H
#define EXCHANGE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The path of an exchange through the graph, always recorded: the answer to each question, oldest first, behind a
 * leading one; and the node it has come to. Acts leave no mark: they have one way on. Ten bytes tell the whole path,
 * because the graph is fixed: walk it from the top and take each answer in its turn (graph/walk.h).
 */
struct trace {
    uint64_t answers; /* 1, then a bit for each question; 0: nothing asked yet, as 1 */
    uint16_t at;      /* the node that ran last, or that waits */
};

/* False in one build alone: the one that shows what tracing and recording cost. */
#ifndef RECORDER
#define RECORDER true
#endif

/* Questions on the longest path; graph_lint() holds the graph to it. */
#define TRACE_ANSWERS_MAX 63

#endif
