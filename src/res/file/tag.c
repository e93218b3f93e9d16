#include "res/file/tag.h"

#include <xxhash.h>

#define LETTER_BITS 5

/* 100 of the 128 bits: a chance of one in 2^100 is never, and the field stays short. */
#define STRONG_LETTERS 20
#define HASH_LETTERS   13

static void put(struct file_tag *tag, struct span s)
{
    for (size_t i = 0; i < s.n && tag->bytes < FILE_TAG_BYTES; i++)
        tag->text[tag->bytes++] = s.p[i];
}

static void put_hash(struct file_tag *tag, XXH128_hash_t hash, unsigned letters)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

    for (unsigned i = 0; i < letters; i++) {
        put(tag, (struct span){ &alphabet[hash.low64 & 31], 1 });
        hash.low64 = hash.low64 >> LETTER_BITS | hash.high64 << (64 - LETTER_BITS);
        hash.high64 >>= LETTER_BITS;
    }
}

static void put_hash64(struct file_tag *tag, uint64_t hash)
{
    put_hash(tag, (XXH128_hash_t){ .low64 = hash }, HASH_LETTERS);
}

static void begin(struct file_tag *tag, bool weak)
{
    tag->bytes = 0;
    tag->weak = weak;
    put(tag, weak ? SPAN("W/\"") : SPAN("\""));
}

uint64_t file_tag_seed(struct span type, struct span language)
{
    return XXH3_64bits_withSeed(type.p, type.n, XXH3_64bits(language.p, language.n));
}

void file_tag_of_content(struct file_tag *tag, struct span content, uint64_t seed)
{
    begin(tag, false);
    put_hash(tag, XXH3_128bits_withSeed(content.p, content.n, seed), STRONG_LETTERS);
    put(tag, SPAN("\""));
}

void file_tag_of_stamp(struct file_tag *tag, const struct file_stamp *stamp, uint64_t seed, bool weak)
{
    begin(tag, weak);
    put_hash64(tag, file_tag_hash_stamp(stamp) ^ seed);
    put(tag, SPAN("\""));
}

void file_tag_of_coded(struct file_tag *tag, const struct file_tag *plain, uint64_t hash, enum coding coding, bool weak)
{
    begin(tag, weak || plain->weak);
    put(tag, file_tag_parsed(plain).opaque);
    put(tag, SPAN("."));
    put_hash64(tag, hash);
    put(tag, coding_info(coding)->tag_suffix);
    put(tag, SPAN("\""));
}

uint64_t file_tag_hash(struct span content)
{
    return XXH3_64bits(content.p, content.n);
}

/* Not the device: its number may differ after a restart. */
uint64_t file_tag_hash_stamp(const struct file_stamp *stamp)
{
    const uint64_t parts[] = { stamp->inode, stamp->size, (uint64_t)stamp->modified_ns, (uint64_t)stamp->changed_ns };

    return XXH3_64bits(parts, sizeof parts);
}

struct etag file_tag_parsed(const struct file_tag *tag)
{
    size_t before = tag->weak ? 3 : 1;

    return (struct etag){ .opaque = { tag->text + before, tag->bytes - before - 1u }, .weak = tag->weak };
}
