#ifndef RES_FILE_COMPRESS_H
#define RES_FILE_COMPRESS_H

#include "base/span.h"
#include "http/coding.h"

/*
 * Code content as a whole; takes milliseconds, so helpers do it. Any thread.
 *
 * coding    not CODING_IDENTITY
 * *out      from malloc(), the caller's; untouched when it fails
 *
 * Returns   0, or -ENOMEM, or -EINVAL when the library refuses
 */
int file_compress(enum coding coding, struct span content, struct span *out);

#endif
