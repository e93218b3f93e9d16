#ifndef ADMIN_TEXT_H
#define ADMIN_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A text that grows as it is written, whole or not at all: open_memstream() and json_dumps() leave out, without a word,
 * what they find no memory for.
 *
 *   struct text t = { 0 };
 *   FILE *out = text_open(&t);
 *   if (out != NULL)
 *       ... fprintf(out, ...);
 *   char *all = text_close(&t, out, &bytes);
 */
struct text {
    char *p;
    size_t bytes, room;
    bool failed;
    char buffer[1024]; /* of the stream, which thus needs no memory of its own */
};

/* NULL without memory. */
FILE *text_open(struct text *t);

/* The text with a NUL behind it, to be given to free(); NULL: out is, or there was no memory. */
char *text_close(struct text *t, FILE *out, size_t *bytes_out);

/* A value as compact text, in the same way; NULL: the value is, or there was no memory. */
char *text_of_json(const json_t *value, size_t *bytes_out);

#endif
