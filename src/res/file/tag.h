#ifndef RES_FILE_TAG_H
#define RES_FILE_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/coding.h"
#include "http/etag.h"

/*
 * Entity tags of files. Pure; any thread.
 *
 * A strong tag promises: same tag, same bytes (RFC9110:8.8.1). A tag made of the time of the last change cannot keep
 * that promise by itself: the time can be set to anything, by `touch` or by unpacking an archive, and two changes may
 * fall into one tick of the clock. So:
 *
 * - Content that is in memory is tagged by its bytes. Nothing else can be truer, it costs one pass when the file is
 *   read, and the tag is the same after a restart and on every machine that has the same file.
 * - Content that stays on disk is tagged by inode, size, time of modification and time of the last status change, both
 *   in nanoseconds. The latter is set by the kernel at every change and cannot be set by anybody else. The kernel's
 *   clock moves in ticks of up to 10 ms: a file whose status changed within the last two ticks (FILE_SETTLED_NS) may
 *   change once more without a trace. Then the tag is weak, and what was found is not believed at the next request.
 *
 * Media type and language are part of both: two variants with the same bytes are two representations.
 */
#define FILE_TAG_BYTES  64
#define FILE_SETTLED_NS INT64_C(20000000)

/* What tells one state of a file from another. No padding: compared as a whole. */
struct file_stamp {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns; /* since 1970 UTC; wrapped when far away */
};

/* As the field value has it, with quotes. */
struct file_tag {
    uint8_t bytes;
    bool weak;
    char text[FILE_TAG_BYTES];
};

/* Goes into all tags of a representation. */
uint64_t file_tag_seed(struct span type, struct span language);

void file_tag_of_content(struct file_tag *tag, struct span content, uint64_t seed);
void file_tag_of_stamp(struct file_tag *tag, const struct file_stamp *stamp, uint64_t seed, bool weak);

/*
 * The tag of a coded form: that of the plain content, a hash, and the coding's suffix.
 *
 * hash      of the coded content: another compressor makes other bytes of the same file
 * weak      the hash is of a file that may still be changing; a weak `plain` makes the tag weak too
 */
void file_tag_of_coded(struct file_tag *tag, const struct file_tag *plain, uint64_t hash, enum coding coding,
                       bool weak);

/* For file_tag_of_coded(). */
uint64_t file_tag_hash(struct span content);
uint64_t file_tag_hash_stamp(const struct file_stamp *stamp);

/* Borrows tag's text. */
struct etag file_tag_parsed(const struct file_tag *tag);

static inline struct span file_tag_value(const struct file_tag *tag)
{
    return (struct span){ tag->text, tag->bytes };
}

#endif
