#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/span.h"

/* Text for people at a terminal: 80 columns, in which a Chinese character takes two. One thread. */
#define OUTPUT_COLUMNS 80

struct output {
    FILE *file;
    bool colour;
    bool begun; /* something has been written */
};

/* Colour only on a terminal, and never when NO_COLOR is set to anything. */
void output_init(struct output *o, FILE *file);

/* How text looks where there is colour; elsewhere it is plain. */
enum output_style { OUTPUT_PLAIN, OUTPUT_DIM, OUTPUT_BOLD, OUTPUT_RED };

/* The text as it is, in a style. */
void output_styled(struct output *o, enum output_style style, const char *text);

/* A heading, after an empty line unless it is the first; `aside` (may be empty) stands at the right end. */
void output_heading(struct output *o, const char *heading, const char *aside);

/* A label and its text, wrapped below itself. Nothing for an empty text. */
void output_row(struct output *o, const char *label, const char *text);

/* As output_row(), with so many columns for the label. */
void output_entry(struct output *o, size_t label_columns, const char *label, const char *text);

/* Text wrapped with this indent, in columns. */
void output_paragraph(struct output *o, size_t indent, const char *text);

/* `text` and spaces up to `columns`; the text alone when it is longer. */
void output_cell(struct output *o, size_t columns, const char *text);

/* Text in a style from column `at` on, where the line has come to; what does not fit goes on below, from column `indent` on.
 * Ends the line. */
void output_wrapped(struct output *o, enum output_style style, size_t at, size_t indent, const char *text);

/* Columns that text takes. */
size_t output_width(struct span text);

/* Says `verdict: command: what: why: todo` on standard error; returns 2. */
int output_wrong(const char *command, const char *what, const char *why, const char *todo);

/* Flushes `file`. Returns 0, or says that writing failed and returns 1. */
int output_end(const char *command, FILE *file);

#endif
