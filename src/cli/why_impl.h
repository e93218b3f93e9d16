#ifndef CLI_WHY_IMPL_H
#define CLI_WHY_IMPL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"
#include "cli/output.h"
#include "explain/text.h"

/* An id is eight letters of the alphabet of exchange_id(), in lower case; or it is "last". */
struct why_id {
    char text[9];
};

/* Takes the id out of what people paste: the last word, as in 7K3V9C2Q, id="7k3v9c2q", a whole field Verdict, a URL that
 * ends in #id=7k3v9c2q; else what is behind the first "id", as in a line of the log; or "last". False: there is none. */
bool why_id_read(struct span text, struct why_id *out);

enum why_answer { ANSWER_YES, ANSWER_NO, ANSWER_DONE, ANSWER_STOPPED, ANSWER_WAITS, ANSWERS };

enum why_try_phase { TRY_CONNECT, TRY_SEND, TRY_HEAD, TRY_PHASES };

enum why_phase { PHASE_QUEUE, PHASE_HEAD, PHASE_CONTENT, PHASE_FIRST_BYTE, PHASE_TOTAL, PHASES };

/* What stands before and between the facts of a story. in_head and in_content are formats of a uint64_t, status_was and
 * try_number of an unsigned, the others with a %s of a text. */
struct why_labels {
    const char *what, *todo, *broken, *path, *no_path, *details, *reason, *about, *at, *in_head, *in_content, *codes;
    const char *others, *lasts, *temporary, *permanent, *spec, *no_rfc, *by, *route, *dialect, *times, *waits, *error;
    const char *slow, *sizes, *in, *out, *source, *nothing_sent, *no_site, *colon, *comma;
    const char *configured, *configured_so;
    const char *upstream, *by_upstream, *by_self, *by_self_unasked, *by_nobody, *status_was, *try_number, *kept, *fresh,
        *answered;
    const char *cut_off, *repeated, *not_repeated, *try_phases[TRY_PHASES];
    const char *answers[ANSWERS], *phases[PHASES];
};

extern const struct why_labels why_labels[LANGUAGES];

#define WHY_WHOLE 1000u /* columns: a text of ours */

/* A text that is fit for a terminal; room for WHY_WHOLE columns of letters. */
struct why_shown {
    char text[2048];
};

/* What every part of the story needs. */
struct why_story {
    struct output o;
    const json_t *exchange, *explanation;
    const struct why_labels *l;
    struct why_shown status, reason; /* as sent; the reason's name */
    bool failed;
    json_t *told; /* facts that need not be told again: values by name */
};

struct why_shown why_shown(struct span text, size_t columns);

/* A string, and the member of an object: as it is, made fit for so many columns, as a number; empty or 0 when it is none. */
struct span why_span(const json_t *string);
struct why_shown why_member(const json_t *object, const char *name, size_t columns);
uint64_t why_number(const json_t *object, const char *name);

/* `items` grows by one more, behind a comma unless it is the first. None where there is no room for a whole one. */
void why_item_add(struct why_shown *items, const struct why_labels *l, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "12 ms", "61.2 s" */
struct why_shown why_milliseconds(uint64_t ms);

size_t why_columns(const char *text);

/* Spaces from column `at` to column `to`, at least one. */
void why_feed(struct why_story *s, size_t at, size_t to);

/* The value of a fact of a node, or NULL. */
const json_t *why_fact(const json_t *node, const char *name);

/* The part of the story that tells the nodes; why_text() has set all but s->told. */
void why_path(struct why_story *s);

/* Likewise, the part that tells who else was asked, and whose answer it is; nothing when nobody was. */
void why_upstream(struct why_story *s);

/* Tells the story of one exchange, an object as docs/admin.md has it; members that are missing are not told. */
void why_text(FILE *out, const json_t *exchange, enum language language);

#endif
