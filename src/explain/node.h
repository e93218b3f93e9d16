#ifndef EXPLAIN_NODE_H
#define EXPLAIN_NODE_H

#include "base/span.h"
#include "explain/text.h"

/*
 * The nodes of the decision graph in words, by their names: "Does the target exist?", "Yes, something is there." Static;
 * any thread; not for the hot path. A test holds the rows to the nodes of the graph.
 */

enum node_answer { NODE_NO, NODE_YES, NODE_DONE, NODE_STOPPED, NODE_WAITS };

/* What is asked or done, one sentence. NULL: no node has the name. */
const char *explain_node(struct span name, enum language language);

/* What the answer was, one sentence. Never NULL: without a text of its own, "Yes.", "No.", "Done.", "It ended here.", ... */
const char *explain_node_answer(struct span name, enum node_answer answer, enum language language);

#endif
