#ifndef TEST_RES_FILE_FEED_H
#define TEST_RES_FILE_FEED_H

#include "site.h"

/* What a client sends, in place of a codec: x->conn is one of these. */
struct feed {
    struct span content;
    size_t piece_bytes; /* of each piece; 0: all in one */
    bool waits;         /* before each piece, and before the end */
    bool declared;      /* the request tells the length */
    enum reason broken; /* instead of the end; R_NONE: it ends well */
    size_t at;          /* what was taken so far */
    bool waited;
};

/* The exchange "METHOD /path\nName: value", opened and, if something is there, encoded; *feed is its content. */
struct exchange *feed_open(struct site *s, const char *head, struct feed *feed);

/* Call a method until it does not wait for anything any more. */
enum flow feed_run(struct site *s, struct exchange *x, enum flow (*method)(struct exchange *x));

/* One round for an exchange that may wait. True: it may be called again. */
bool feed_round(struct site *s, struct exchange *x);

/* feed_open() and accept. */
struct exchange *feed_put(struct site *s, const char *head, struct feed *feed);
struct exchange *feed_put_text(struct site *s, const char *head, const char *text);

/* feed_open() and remove. */
struct exchange *feed_delete(struct site *s, const char *head);

/* What is in a file of the site, in the arena of x; p == NULL: there is none. */
struct span feed_file(const struct site *s, const char *path, struct exchange *x);

/* Names in the directory that are not content: "." and ".." left out. */
unsigned feed_hidden_names(const struct site *s, const char *path);

#endif
