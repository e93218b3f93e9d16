#ifndef SERVE_YAML_H
#define SERVE_YAML_H

#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

#define YAML_DEPTH_MOST 12     /* lists and maps inside each other */
#define YAML_NODES_MOST 200000 /* values and keys of a document */

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

/* A value of a YAML document, with its place. Text is not interpreted: `on`, `10s` and `null` are text. */
struct yaml_node {
    enum yaml_kind kind;
    uint32_t line, column;         /* from 1; columns count characters */
    uint32_t count;                /* members of the list, keys of the map */
    struct span text;              /* YAML_TEXT: UTF-8; a NUL follows, outside the length */
    const struct yaml_node *first; /* member of the list, or key of the map, or NULL */
    const struct yaml_node *next;  /* member or key, or NULL */
    const struct yaml_node *value; /* of a key; never NULL */
};

/* Why a text is no document for us. */
struct yaml_problem {
    uint32_t line, column; /* from 1 */
    struct span what;      /* for people; in the arena or static */
};

/*
 * The tree of the one document in text. Keys are text. What would make the tree larger than the text is refused:
 * anchors and aliases; so are tags, several documents and more depth or values than stated above.
 *
 * problem  set when refused
 * Returns  the root, or NULL
 * Memory   all in arena, texts too; a full arena is a problem like the others
 */
const struct yaml_node *yaml_tree(struct arena *arena, struct span text, struct yaml_problem *problem);

#endif
