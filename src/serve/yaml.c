/*
 * A tree from libyaml's events. libyaml's own document API is not used: it follows aliases, resolves tags and has no
 * bounds.
 *
 *   text --> yaml_parser_parse() --event--> the innermost open list or map of the stack
 */
#include "serve/yaml.h"

#include <yaml.h>

#include "base/check.h"

/* A list or map that is not closed yet. */
struct level {
    struct yaml_node *node;
    const struct yaml_node **tail; /* where the next member goes */
    struct yaml_node *key;         /* of a map: waits for its value */
};

struct builder {
    struct arena *arena;
    struct span text;
    struct yaml_problem *problem;
    yaml_parser_t parser;
    struct yaml_node *root;
    uint32_t depth, nodes;
    bool over;
    struct level levels[YAML_DEPTH_MOST];
};

static bool refuse(struct builder *b, yaml_mark_t at, const char *what)
{
    *b->problem = (struct yaml_problem){ (uint32_t)at.line + 1, (uint32_t)at.column + 1, span_of(what) };
    return false;
}

/* libyaml tells where bytes are no text only by their offset. */
static yaml_mark_t mark_of_offset(struct span text, size_t offset)
{
    yaml_mark_t mark = { 0 };

    for (size_t i = 0; i < offset && i < text.n; i++) {
        bool follower = ((uint8_t)text.p[i] & 0xC0) == 0x80;

        mark.column = text.p[i] == '\n' ? 0 : mark.column + !follower;
        mark.line += text.p[i] == '\n';
    }
    return mark;
}

static const char *advice(const yaml_parser_t *p, char byte)
{
    if (p->error == YAML_READER_ERROR)
        return "";
    if (p->context != NULL && strstr(p->context, "alias") != NULL)
        return ": a text that begins with * needs quotes";
    if (byte == '\t')
        return ": indent with spaces, not with tabs";
    if (byte == '@' || byte == '`' || byte == '%')
        return ": a text that begins so needs quotes";
    return "";
}

/* "while scanning ... (from 3:7): ", or nothing. */
static const char *context_told(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    struct span told = { 0 };

    if (p->context == NULL)
        return "";
    if (p->context_mark.index == p->problem_mark.index)
        told = arena_print(b->arena, "%s: ", p->context);
    else
        told = arena_print(b->arena, "%s (from %zu:%zu): ", p->context, p->context_mark.line + 1,
                           p->context_mark.column + 1);
    return told.p != NULL ? told.p : "";
}

/* The mark's index counts characters, so it leads to the byte only as long as all are ASCII: good enough for advice. */
static bool refuse_syntax(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    yaml_mark_t at = p->error == YAML_READER_ERROR ? mark_of_offset(b->text, p->problem_offset) : p->problem_mark;
    char byte = p->problem_mark.index < b->text.n ? b->text.p[p->problem_mark.index] : ' ';
    const char *what = p->problem != NULL ? p->problem : "not readable as YAML";
    struct span told;

    if (p->error == YAML_MEMORY_ERROR)
        return refuse(b, at, "not enough memory");
    told = arena_print(b->arena, "%s%s%s", p->error == YAML_READER_ERROR ? "" : context_told(b), what, advice(p, byte));
    return refuse(b, at, told.p != NULL ? told.p : what);
}

/* A key, or a value where one is wanted. */
static bool place(struct builder *b, struct yaml_node *node, yaml_mark_t at)
{
    struct level *l;

    if (b->depth == 0) {
        b->root = node;
        return true;
    }
    l = &b->levels[b->depth - 1];
    if (l->key != NULL) {
        l->key->value = node;
        l->key = NULL;
        return true;
    }
    if (l->node->kind == YAML_MAP && node->kind != YAML_TEXT)
        return refuse(b, at, "a key must be text");
    if (l->node->kind == YAML_MAP)
        l->key = node;
    *l->tail = node;
    l->tail = &node->next;
    l->node->count++;
    return true;
}

static struct yaml_node *node_add(struct builder *b, enum yaml_kind kind, const yaml_event_t *e)
{
    struct yaml_node *node;

    if (++b->nodes > YAML_NODES_MOST) {
        refuse(b, e->start_mark, "too many values: at most " STR(YAML_NODES_MOST));
        return NULL;
    }
    node = arena_zero(b->arena, sizeof *node);
    if (node == NULL) {
        refuse(b, e->start_mark, "not enough memory");
        return NULL;
    }
    node->kind = kind;
    node->line = (uint32_t)e->start_mark.line + 1;
    node->column = (uint32_t)e->start_mark.column + 1;
    return place(b, node, e->start_mark) ? node : NULL;
}

static bool plain_only(struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return refuse(b, e->start_mark, "anchors (&name) and aliases (*name) are not taken: write the value out");
    if (tag != NULL)
        return refuse(b, e->start_mark, "tags (!name) are not taken: write the value alone");
    return true;
}

static bool text_add(struct builder *b, const yaml_event_t *e)
{
    struct span text = { (const char *)e->data.scalar.value, e->data.scalar.length };
    struct yaml_node *node;

    if (!plain_only(b, e, e->data.scalar.anchor, e->data.scalar.tag))
        return false;
    node = node_add(b, YAML_TEXT, e);
    if (node == NULL)
        return false;
    node->text = arena_copy(b->arena, text);
    return node->text.p != NULL || refuse(b, e->start_mark, "not enough memory");
}

static bool level_begin(struct builder *b, enum yaml_kind kind, const yaml_event_t *e)
{
    struct yaml_node *node;

    if (b->depth == YAML_DEPTH_MOST)
        return refuse(b, e->start_mark, "too deep: at most " STR(YAML_DEPTH_MOST) " lists and maps inside each other");
    node = node_add(b, kind, e);
    if (node == NULL)
        return false;
    b->levels[b->depth++] = (struct level){ .node = node, .tail = &node->first };
    return true;
}

static bool event_take(struct builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->root == NULL || refuse(b, e->start_mark, "a second document: only one is taken");
    case YAML_ALIAS_EVENT:
        return refuse(b, e->start_mark, "anchors (&name) and aliases (*name) are not taken: write the value out");
    case YAML_SCALAR_EVENT:
        return text_add(b, e);
    case YAML_SEQUENCE_START_EVENT:
        return plain_only(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag) &&
               level_begin(b, YAML_LIST, e);
    case YAML_MAPPING_START_EVENT:
        return plain_only(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag) && level_begin(b, YAML_MAP, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return true;
    case YAML_STREAM_END_EVENT:
        b->over = true;
        return b->root != NULL || refuse(b, (yaml_mark_t){ 0 }, "there is nothing in it");
    default:
        return true;
    }
}

static bool events_take(struct builder *b)
{
    bool good = true;

    while (good && !b->over) {
        yaml_event_t event;

        if (!yaml_parser_parse(&b->parser, &event))
            return refuse_syntax(b);
        good = event_take(b, &event);
        yaml_event_delete(&event);
    }
    return good;
}

const struct yaml_node *yaml_tree(struct arena *arena, struct span text, struct yaml_problem *problem)
{
    struct builder b = { .arena = arena, .text = text, .problem = problem };
    bool good;

    if (!yaml_parser_initialize(&b.parser)) {
        refuse(&b, (yaml_mark_t){ 0 }, "not enough memory");
        return NULL;
    }
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text.p, text.n);
    good = events_take(&b);
    yaml_parser_delete(&b.parser);
    return good ? b.root : NULL;
}
