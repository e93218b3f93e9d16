#ifndef RES_FILE_TEXT_H
#define RES_FILE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Growing text of a page. Any thread, one at a time. Without memory `failed` stays set and all further puts do nothing.
 * Begins zeroed; `bytes` is from malloc() and the caller's.
 */
struct file_text {
    char *bytes;
    size_t n, room;
    bool failed;
};

void file_text_put(struct file_text *t, struct span s);
void file_text_put_number(struct file_text *t, uint64_t number);

/* For element content and quoted attributes. */
void file_text_put_markup(struct file_text *t, struct span s);

/* A JSON string with its quotes. */
void file_text_put_json(struct file_text *t, struct span s);

/* A path made of any bytes, as a URI path that can stand in a quoted attribute or a JSON string. */
void file_text_put_path(struct file_text *t, struct span path);

/* "512 B", "1.5 KiB" */
void file_text_put_size(struct file_text *t, uint64_t bytes);

/* "2026-01-31 12:00", and with seconds as RFC3339:5.6 has it: "2026-01-31T12:00:00Z". UTC, seconds since 1970. */
void file_text_put_minute(struct file_text *t, int64_t seconds);
void file_text_put_time(struct file_text *t, int64_t seconds);

#endif
