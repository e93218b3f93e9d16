#include "res/file/compress.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "io/jump_memory.h"

/* Where each curve of bytes saved against time spent bends. */
#define BROTLI_QUALITY     5
#define ZSTD_LEVEL         6
#define ZLIB_LEVEL         6

#define ZLIB_WINDOW_BITS   15
#define ZLIB_AS_GZIP       16 /* added to the window bits */
#define ZLIB_MEMORY_LEVEL  8
#define GZIP_FRAMING_BYTES 32

static size_t bound(enum coding coding, size_t n)
{
    if (coding == CODING_BROTLI)
        return BrotliEncoderMaxCompressedSize(n) + 1;
    if (coding == CODING_ZSTD)
        return ZSTD_compressBound(n);
    return compressBound(n) + GZIP_FRAMING_BYTES;
}

static int code_zlib(struct span in, char *out, size_t *bytes, int window_bits)
{
    z_stream z = {
        .next_in = (Bytef *)in.p, .avail_in = (uInt)in.n, .next_out = (Bytef *)out, .avail_out = (uInt)*bytes
    };
    int done;

    if (in.n > UINT32_MAX || *bytes > UINT32_MAX)
        return -EINVAL;
    if (deflateInit2(&z, ZLIB_LEVEL, Z_DEFLATED, window_bits, ZLIB_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    done = deflate(&z, Z_FINISH);
    *bytes = z.total_out;
    deflateEnd(&z);
    return done == Z_STREAM_END ? 0 : -EINVAL;
}

/* Bytes written; 0: the encoder refuses. */
static size_t brotli_encode(struct jump_memory *m, struct span in, char *out, size_t room)
{
    BrotliEncoderState *e = BrotliEncoderCreateInstance(jump_memory_take, jump_memory_give, m);
    const uint8_t *next_in = (const uint8_t *)in.p;
    uint8_t *next_out = (uint8_t *)out;
    size_t in_left = in.n, out_left = room;

    BrotliEncoderSetParameter(e, BROTLI_PARAM_QUALITY, BROTLI_QUALITY);
    BrotliEncoderSetParameter(e, BROTLI_PARAM_SIZE_HINT, in.n < UINT32_MAX ? (uint32_t)in.n : UINT32_MAX);
    if (!BrotliEncoderCompressStream(e, BROTLI_OPERATION_FINISH, &in_left, &next_in, &out_left, &next_out, NULL) ||
        !BrotliEncoderIsFinished(e))
        return 0;
    return room - out_left;
}

/* The encoder ends the process when it gets no memory. */
static int code_brotli(struct span in, char *out, size_t *bytes)
{
    struct jump_memory m;

    jump_memory_init(&m);
    if (setjmp(m.out) != 0) {
        jump_memory_give_all(&m);
        return -ENOMEM;
    }
    *bytes = brotli_encode(&m, in, out, *bytes);
    jump_memory_give_all(&m);
    return *bytes > 0 ? 0 : -EINVAL;
}

static int code_zstd(struct span in, char *out, size_t *bytes)
{
    size_t n = ZSTD_compress(out, *bytes, in.p, in.n, ZSTD_LEVEL);

    if (ZSTD_isError(n))
        return -ENOMEM;
    *bytes = n;
    return 0;
}

static int code(enum coding coding, struct span in, char *out, size_t *bytes)
{
    switch (coding) {
    case CODING_BROTLI:
        return code_brotli(in, out, bytes);
    case CODING_ZSTD:
        return code_zstd(in, out, bytes);
    case CODING_GZIP:
        return code_zlib(in, out, bytes, ZLIB_WINDOW_BITS + ZLIB_AS_GZIP);
    case CODING_DEFLATE:
        return code_zlib(in, out, bytes, ZLIB_WINDOW_BITS);
    default:
        return -EINVAL;
    }
}

int file_compress(enum coding coding, struct span content, struct span *out)
{
    size_t bytes = bound(coding, content.n);
    char *room = malloc(bytes);
    char *fit;
    int err;

    if (room == NULL)
        return -ENOMEM;
    err = code(coding, content, room, &bytes);
    if (err != 0) {
        free(room);
        return err;
    }
    fit = realloc(room, bytes > 0 ? bytes : 1);
    *out = (struct span){ fit != NULL ? fit : room, bytes };
    return 0;
}
