#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "res/file/lookup_impl.h"

#define NS_PER_S UINT64_C(1000000000)

/* Unsigned, so that years beyond 2262 wrap instead of being undefined: only equality counts. */
static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)((uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec);
}

struct file_stamp file_stamp_of(const struct stat *st)
{
    return (struct file_stamp){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .modified_ns = nanoseconds(st->st_mtim),
        .changed_ns = nanoseconds(st->st_ctim),
    };
}

/* As pread(). A file system that cannot read at once says so as if it would have to wait. */
static ssize_t read_at(int fd, char *out, size_t room, uint64_t offset, bool at_once)
{
    struct iovec to = { out, room };
    ssize_t n = at_once ? preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT) : pread(fd, out, room, (off_t)offset);

    if (n < 0 && at_once && errno == EOPNOTSUPP)
        errno = EAGAIN;
    return n;
}

/* Bytes read, or -errno. Less than `length`: the file ended early. */
static ssize_t read_whole(int fd, char *out, uint64_t length, bool at_once)
{
    uint64_t got = 0;

    while (got < length) {
        ssize_t n = read_at(fd, out + got, length - got, got, at_once);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        got += n > 0 ? (uint64_t)n : 0;
    }
    return (ssize_t)got;
}

int file_content_read(struct file_content *c, bool at_once)
{
    char *bytes = malloc(c->length + 1);
    struct file_stamp after;
    struct stat st;
    ssize_t n;

    if (bytes == NULL)
        return -ENOMEM;
    n = read_whole(c->fd, bytes, c->length, at_once);
    if (n < 0 || fstat(c->fd, &st) != 0) {
        int err = n < 0 ? (int)n : -errno;

        free(bytes);
        return err;
    }
    after = file_stamp_of(&st);
    if ((uint64_t)n == c->length && memcmp(&after, &c->stamp, sizeof after) == 0) {
        c->bytes = bytes;
        return 1;
    }
    free(bytes);
    c->stamp = after;
    c->length = after.size;
    return 0;
}

/* A file that changes while it is read, twice, is being written in place; it is sent from the descriptor then. */
static int read_content(struct file_content *c, uint32_t content_max_bytes, bool at_once)
{
    for (int i = 0; i < 2 && c->length <= content_max_bytes; i++) {
        int done = file_content_read(c, at_once);

        if (done < 0)
            return done;
        if (done == 0)
            continue;
        close(c->fd);
        c->fd = -1;
        return 0;
    }
    return 0;
}

static void tag_content(struct file_variant *v, enum coding coding, bool settled)
{
    struct file_content *c = &v->files[coding];
    struct span bytes = { c->bytes, c->length };
    bool by_stamp = c->bytes == NULL;
    uint64_t seed = file_tag_seed(v->type, v->language);

    if (coding != CODING_IDENTITY)
        file_tag_of_coded(&c->tag, &v->files[CODING_IDENTITY].tag,
                          by_stamp ? file_tag_hash_stamp(&c->stamp) : file_tag_hash(bytes), coding,
                          by_stamp && !settled);
    else if (by_stamp)
        file_tag_of_stamp(&c->tag, &c->stamp, seed, !settled);
    else
        file_tag_of_content(&c->tag, bytes, seed);
}

static int load_content(struct file_lookup *l, struct file_variant *v, enum coding coding, int64_t now_ns)
{
    struct file_content *c = &v->files[coding];
    int err = read_content(c, l->content_max_bytes, l->at_once);
    bool settled;

    if (err < 0)
        return err;
    settled = c->stamp.changed_ns <= now_ns - FILE_SETTLED_NS;
    tag_content(v, coding, settled);
    l->made->settled &= settled;
    if (c->bytes != NULL)
        l->made->bytes += c->length + 1 + FILE_MALLOC_BYTES;
    else
        l->made->from_disk = true;
    return 0;
}

/* The plain file first: the tags of the others begin with its own. */
static int load_variant(struct file_lookup *l, struct file_variant *v, int64_t now_ns)
{
    int err = load_content(l, v, CODING_IDENTITY, now_ns);

    for (enum coding i = 0; i < CODING_IDENTITY && err == 0; i++)
        if (v->files[i].is_there)
            err = load_content(l, v, i, now_ns);
    return err;
}

int file_load(struct file_lookup *l, int64_t now_ns)
{
    struct file_entry *e = l->made;
    int err = 0;

    e->settled = true;
    e->bytes = sizeof *e + e->path_bytes + 1 + e->variant_count * sizeof(struct file_variant) + 3 * FILE_MALLOC_BYTES;
    for (uint32_t i = 0; i < e->variant_count; i++)
        e->bytes += strlen(e->variants[i].name) + 1 + FILE_MALLOC_BYTES;
    for (uint32_t i = 0; i < e->variant_count && err == 0; i++)
        if (!e->variants[i].negotiates)
            err = load_variant(l, &e->variants[i], now_ns);
    return err;
}
