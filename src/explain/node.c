#include "explain/node.h"

#include <stddef.h>

#define ANSWERS (NODE_WAITS + 1)

/* The place of each row in its table; a row of another language that has none here does not compile. */
enum row {
#define ASK_TEXT(node, ...) ROW_##node,
#define ACT_TEXT(node, ...) ROW_##node,
#include "explain/nodes.en.def"
#undef ASK_TEXT
#undef ACT_TEXT
    ROWS
};

static const char *const names[ROWS] = {
#define ASK_TEXT(node, ...) [ROW_##node] = #node,
#define ACT_TEXT(node, ...) [ROW_##node] = #node,
#include "explain/nodes.en.def"
#undef ASK_TEXT
#undef ACT_TEXT
};

struct text {
    const char *what;
    const char *says[ANSWERS]; /* NULL or empty: nothing of its own */
};

#define ASK_TEXT(node, what_, yes, no) [ROW_##node] = { (what_), { [NODE_YES] = (yes), [NODE_NO] = (no) } },
#define ACT_TEXT(node, what_, done, stopped) \
    [ROW_##node] = { (what_), { [NODE_DONE] = (done), [NODE_STOPPED] = (stopped) } },

static const struct text texts[LANGUAGES][ROWS] = {
    [LANGUAGE_EN] = {
#include "explain/nodes.en.def"
    },
    [LANGUAGE_ZH_CN] = {
#include "explain/nodes.zh-CN.def"
    },
    [LANGUAGE_ZH_TW] = {
#include "explain/nodes.zh-TW.def"
    },
};

/* What is said where a node has nothing of its own to say. */
static const char *const plain[LANGUAGES][ANSWERS] = {
    [LANGUAGE_EN] = { [NODE_NO] = "No.",
                      [NODE_YES] = "Yes.",
                      [NODE_DONE] = "Done.",
                      [NODE_STOPPED] = "It ended here.",
                      [NODE_WAITS] = "It is not finished: it waits." },
    [LANGUAGE_ZH_CN] = { [NODE_NO] = "否。",
                         [NODE_YES] = "是。",
                         [NODE_DONE] = "完成。",
                         [NODE_STOPPED] = "到此结束。",
                         [NODE_WAITS] = "尚未完成，仍在等待。" },
    [LANGUAGE_ZH_TW] = { [NODE_NO] = "否。",
                         [NODE_YES] = "是。",
                         [NODE_DONE] = "完成。",
                         [NODE_STOPPED] = "到此結束。",
                         [NODE_WAITS] = "尚未完成，仍在等待。" },
};

static const struct text *text_of(struct span name, enum language language)
{
    for (unsigned row = 0; row < ROWS; row++)
        if (span_is(name, span_of(names[row])))
            return &texts[language][row];
    return NULL;
}

const char *explain_node(struct span name, enum language language)
{
    const struct text *text = text_of(name, language);

    return text != NULL ? text->what : NULL;
}

const char *explain_node_answer(struct span name, enum node_answer answer, enum language language)
{
    const struct text *text = text_of(name, language);
    const char *says = text != NULL ? text->says[answer] : NULL;

    return says != NULL && says[0] != '\0' ? says : plain[language][answer];
}
