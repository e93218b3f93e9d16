#ifndef CLI_WHY_IMPL_H
#define CLI_WHY_IMPL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"
#include "explain/text.h"

/* An id is eight letters of the alphabet of exchange_id(), in lower case; or it is "last". */
struct why_id {
    char text[9];
};

/* Takes the id out of what people paste: the last word, as in 7K3V9C2Q, id="7k3v9c2q", a whole field Verdict, a URL that
 * ends in #id=7k3v9c2q; else what is behind the first "id", as in a line of the log; or "last". False: there is none. */
bool why_id_read(struct span text, struct why_id *out);

enum why_answer { ANSWER_YES, ANSWER_NO, ANSWER_DONE, ANSWER_STOPPED, ANSWER_WAITS, ANSWERS };

enum why_phase { PHASE_QUEUE, PHASE_HEAD, PHASE_CONTENT, PHASE_FIRST_BYTE, PHASE_TOTAL, PHASES };

/* What stands before and between the facts of a story. in_head and in_content are formats of a uint64_t, the others with a %s
 * of a text. */
struct why_labels {
    const char *what, *todo, *broken, *path, *no_path, *details, *reason, *about, *at, *in_head, *in_content, *codes;
    const char *others, *lasts, *temporary, *permanent, *spec, *no_rfc, *by, *route, *dialect, *times, *waits, *waited;
    const char *slow, *sizes, *in, *out, *source, *nothing_sent, *no_site, *colon, *comma;
    const char *answers[ANSWERS], *phases[PHASES];
};

extern const struct why_labels why_labels[LANGUAGES];

/* Tells the story of one exchange, an object as docs/admin.md has it; members that are missing are not told. */
void why_text(FILE *out, const json_t *exchange, enum language language);

#endif
