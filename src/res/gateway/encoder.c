#include "res/gateway/encoder.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "io/jump_memory.h"

/* Content is coded while others wait: the steep part of each curve of bytes saved against time spent. */
#define BROTLI_QUALITY    4
#define ZSTD_LEVEL        3
#define ZLIB_LEVEL        5

#define WINDOW_BITS       17 /* of Brotli and Zstandard: what most pages fit in */
#define ZLIB_WINDOW_BITS  15
#define ZLIB_AS_GZIP      16 /* added to the window bits */
#define ZLIB_MEMORY_LEVEL 8

struct encoder {
    enum coding coding;
    union {
        z_stream zlib;
        ZSTD_CCtx *zstd;
        struct {
            BrotliEncoderState *state;
            struct jump_memory memory;
        } brotli;
    };
};

static bool zlib_open(struct encoder *e)
{
    int bits = e->coding == CODING_GZIP ? ZLIB_WINDOW_BITS + ZLIB_AS_GZIP : ZLIB_WINDOW_BITS;

    return deflateInit2(&e->zlib, ZLIB_LEVEL, Z_DEFLATED, bits, ZLIB_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

static bool zstd_open(struct encoder *e)
{
    e->zstd = ZSTD_createCCtx();
    if (e->zstd == NULL)
        return false;
    ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_windowLog, WINDOW_BITS);
    return true;
}

static bool brotli_open(struct encoder *e)
{
    jump_memory_init(&e->brotli.memory);
    if (setjmp(e->brotli.memory.out) != 0) {
        jump_memory_give_all(&e->brotli.memory);
        return false;
    }
    e->brotli.state = BrotliEncoderCreateInstance(jump_memory_take, jump_memory_give, &e->brotli.memory);
    BrotliEncoderSetParameter(e->brotli.state, BROTLI_PARAM_QUALITY, BROTLI_QUALITY);
    BrotliEncoderSetParameter(e->brotli.state, BROTLI_PARAM_LGWIN, WINDOW_BITS);
    return true;
}

struct encoder *encoder_new(enum coding coding)
{
    struct encoder *e = calloc(1, sizeof *e);
    bool opened;

    if (e == NULL)
        return NULL;
    e->coding = coding;
    opened = coding == CODING_BROTLI ? brotli_open(e) : coding == CODING_ZSTD ? zstd_open(e) : zlib_open(e);
    if (opened)
        return e;
    free(e);
    return NULL;
}

void encoder_release(struct encoder **e)
{
    if (*e == NULL)
        return;
    if ((*e)->coding == CODING_BROTLI)
        jump_memory_give_all(&(*e)->brotli.memory);
    else if ((*e)->coding == CODING_ZSTD)
        ZSTD_freeCCtx((*e)->zstd);
    else
        deflateEnd(&(*e)->zlib);
    free(*e);
    *e = NULL;
}

static int zlib_run(struct encoder *e, enum encoder_order order, struct span *in, char *room, size_t *bytes, bool *done)
{
    static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
    z_stream *z = &e->zlib;
    uInt most = in->n < UINT32_MAX ? (uInt)in->n : UINT32_MAX;
    int err;

    z->next_in = (Bytef *)(uintptr_t)in->p;
    z->avail_in = most;
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)*bytes;
    err = deflate(z, flushes[order]);
    if (err == Z_STREAM_ERROR)
        return -ENOMEM;
    *bytes -= z->avail_out;
    *in = span_from(*in, most - z->avail_in);
    *done = order == ENCODER_END ? err == Z_STREAM_END : in->n == 0 && z->avail_out > 0;
    return 0;
}

static int zstd_run(struct encoder *e, enum encoder_order order, struct span *in, char *room, size_t *bytes, bool *done)
{
    static const ZSTD_EndDirective directives[] = { ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end };
    ZSTD_inBuffer from = { in->p, in->n, 0 };
    ZSTD_outBuffer to = { room, *bytes, 0 };
    size_t left = ZSTD_compressStream2(e->zstd, &to, &from, directives[order]);

    if (ZSTD_isError(left))
        return -ENOMEM;
    *bytes = to.pos;
    *in = span_from(*in, from.pos);
    *done = in->n == 0 && (order == ENCODER_TAKE || left == 0);
    return 0;
}

/* The library ends the process when it gets no memory. */
static int brotli_run(struct encoder *e, enum encoder_order order, struct span *in, char *room, size_t *bytes,
                      bool *done)
{
    static const BrotliEncoderOperation operations[] = { BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                         BROTLI_OPERATION_FINISH };
    struct jump_memory *m = &e->brotli.memory;
    const uint8_t *next_in = (const uint8_t *)in->p;
    uint8_t *next_out = (uint8_t *)room;
    size_t left_in = in->n, left_out = *bytes;

    if (setjmp(m->out) != 0) {
        jump_memory_give_all(m);
        return -ENOMEM;
    }
    if (!BrotliEncoderCompressStream(e->brotli.state, operations[order], &left_in, &next_in, &left_out, &next_out,
                                     NULL))
        return -ENOMEM;
    *bytes -= left_out;
    *in = span_from(*in, in->n - left_in);
    *done = order == ENCODER_END ? BrotliEncoderIsFinished(e->brotli.state)
                                 : in->n == 0 && !BrotliEncoderHasMoreOutput(e->brotli.state);
    return 0;
}

int encoder_run(struct encoder *e, enum encoder_order order, struct span *in, char *room, size_t *bytes, bool *done)
{
    if (e->coding == CODING_BROTLI)
        return brotli_run(e, order, in, room, bytes, done);
    if (e->coding == CODING_ZSTD)
        return zstd_run(e, order, in, room, bytes, done);
    return zlib_run(e, order, in, room, bytes, done);
}
