#include "res/file/put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "res/file/quota.h"
#include "res/file/tombstone.h"

/* To free a file longer than this takes long enough to matter. */
#define SHORT_BYTES ((uint64_t)1024 * 1024)

#define PERMISSIONS 0777U
#define OF_GROUP    0070U
#define OF_OTHERS   0007U

struct file_put *file_put_new(void)
{
    struct file_put *p = calloc(1, sizeof *p);

    if (p != NULL)
        file_temp_init(&p->temp);
    return p;
}

void file_put_release(struct file_put **put)
{
    struct file_put *p = *put;

    *put = NULL;
    if (p == NULL)
        return;
    if (p->change.root != NULL)
        file_quota_release(p->change.root, &p->reserved_bytes);
    file_temp_fini(&p->temp);
    free(p);
}

static void burial_run(struct job *job)
{
    file_temp_fini(&((struct file_put *)job)->temp);
}

static void burial_done(struct job *job)
{
    struct file_put *p = (struct file_put *)job;

    file_put_release(&p);
}

void file_put_bury(struct file_put **put, struct offload *helpers, struct mail_box *mail)
{
    struct file_put *p = *put;

    if (p != NULL && p->temp.fd >= 0 && p->written_bytes > SHORT_BYTES) {
        p->burial.run = burial_run;
        p->burial.done = p->burial.drop = burial_done;
        if (offload_submit(helpers, &p->burial, mail) == 0)
            *put = NULL;
    }
    file_put_release(put);
}

static void fail(struct file_put *p, enum reason why, int error)
{
    p->why = why;
    p->error = error;
}

static bool fits(struct file_put *p, uint64_t bytes)
{
    uint64_t before = p->change.existed ? p->change.judged.size : 0;

    if (p->change.quota_bytes == 0 || bytes <= before)
        return true;
    return file_quota_reserve(p->change.root, p->change.quota_bytes, bytes - before, &p->reserved_bytes);
}

/* A guess, so that nobody sends for nothing: what counts is whether the writes succeed. */
static bool has_room(int directory_fd, uint64_t bytes)
{
    struct statvfs fs;

    if (bytes == 0 || fstatvfs(directory_fd, &fs) != 0 || fs.f_blocks == 0 || fs.f_frsize == 0)
        return true;
    return bytes / fs.f_frsize <= (geteuid() == 0 ? fs.f_bfree : fs.f_bavail);
}

static int temp_open(struct file_put *p, struct file_name *n)
{
    int directory_fd = n->directory_fd;
    struct stat st;

    if (fstatat(directory_fd, n->text, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
        return -errno;
    if (!has_room(directory_fd, p->declared_bytes))
        return -ENOSPC;
    n->directory_fd = -1;
    return file_temp_open(&p->temp, directory_fd, FILE_TEMP_BEST);
}

void file_put_open(struct file_put *p, struct span path)
{
    struct file_name n;
    int err;

    if (p->change.quota_bytes > 0)
        file_quota_count(p->change.root, &p->change.shared->roots.stopping);
    if (!fits(p, p->declared_bytes)) {
        fail(p, R_quota_exceeded, 0);
        return;
    }
    err = file_name_open(&n, &p->change, path);
    if (err == 0)
        err = temp_open(p, &n);
    file_name_fini(&n);
    if (err != 0)
        fail(p, file_change_reason(-err), -err);
}

enum reason file_put_write(struct file_put *p, struct span piece)
{
    int err;

    if (!fits(p, p->written_bytes + piece.n))
        return R_quota_exceeded;
    err = file_temp_write(&p->temp, piece, p->written_bytes);
    p->error = -err;
    if (err != 0)
        return file_change_reason(-err);
    p->written_bytes += piece.n;
    return R_NONE;
}

static int content_sync(const struct file_put *p)
{
    int err = 0;

    if (p->change.sync == FILE_SYNC_FULL)
        err = fsync(p->temp.fd);
    else if (p->change.sync == FILE_SYNC_DATA)
        err = fdatasync(p->temp.fd);
    return err == 0 ? 0 : -errno;
}

/* As the next look-up will tag it (tag.h). Read before anybody else can change it. RFC9110:9.3.4 */
static void content_tag(struct file_put *p)
{
    struct file_content c = { .fd = p->temp.fd, .length = p->written_bytes };
    struct stat st;

    if (p->written_bytes > p->tag_max_bytes || fstat(c.fd, &st) != 0)
        return;
    c.stamp = file_stamp_of(&st);
    if (file_content_read(&c, false) == 1)
        file_tag_of_content(&p->tag, (struct span){ c.bytes, c.length }, p->tag_seed);
    free(c.bytes);
}

/* Who had no right to the old file gets none to the new one: another group has no more rights than others. */
static void attributes_keep(int fd, const struct stat *before)
{
    mode_t mode = before->st_mode & PERMISSIONS;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return;
    if ((st.st_uid != before->st_uid || st.st_gid != before->st_gid) &&
        fchown(fd, before->st_uid, before->st_gid) != 0 && fchown(fd, (uid_t)-1, before->st_gid) != 0)
        mode &= ~OF_GROUP | (mode & OF_OTHERS) << 3;
    fchmod(fd, mode);
}

/* -EEXIST: something took the name that must not have been there. */
static int name_take(struct file_put *p, struct file_name *n)
{
    int err = -EEXIST;

    if (!n->is_there)
        err = file_temp_link(&p->temp, n->directory_fd, n->text);
    p->created = err == 0;
    if (err != -EEXIST || p->change.guard == GUARD_ABSENT)
        return err;
    if (n->is_there && S_ISREG(n->st.st_mode))
        attributes_keep(p->temp.fd, &n->st);
    return file_temp_rename(&p->temp, n->directory_fd, n->text);
}

static void committed(struct file_put *p, const struct file_name *n)
{
    int64_t before = n->is_there && S_ISREG(n->st.st_mode) ? (int64_t)n->st.st_size : 0;

    file_quota_add(p->change.root, (int64_t)p->written_bytes - before);
    file_quota_release(p->change.root, &p->reserved_bytes);
    if (p->change.tombstones)
        file_tombstone_remove(p->change.root->fd, (struct span){ n->at.text, n->at.n });
    file_name_changed(&p->change);
}

static void commit(struct file_put *p, struct file_name *n)
{
    int err = 0;

    p->why = file_name_lock(n, &p->change, &p->error);
    if (p->why != R_NONE)
        return;
    err = name_take(p, n);
    if (err == 0)
        committed(p, n);
    file_name_unlock(n);
    if (err == 0)
        err = file_name_sync(n, &p->change);
    if (err == -EEXIST)
        fail(p, R_if_none_match_failed, EEXIST);
    else if (err != 0)
        fail(p, file_change_reason(-err), -err);
}

void file_put_commit(struct file_put *p, struct span path)
{
    struct file_name n;
    int err = content_sync(p);

    p->is_committed = true;
    content_tag(p);
    if (err == 0)
        err = file_name_open(&n, &p->change, path);
    if (err == 0) {
        commit(p, &n);
        file_name_fini(&n);
    } else {
        fail(p, file_change_reason(-err), -err);
    }
    file_temp_fini(&p->temp);
}
