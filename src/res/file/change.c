#include "res/file/change.h"

#include <errno.h>

#include "http/etag.h"
#include "res/file/cache.h"
#include "res/file/litter.h"

static bool list_is_any(const struct exchange *x, enum field_id id)
{
    for (const struct field *f = head_field(&x->req.head, id); f != NULL; f = head_next(&x->req.head, f))
        if (etag_list_is_any(f->value))
            return true;
    return false;
}

/* Did a date decide? RFC9110:13.1.4, and 13.2.2: not beside If-Match. */
static bool date_counts(const struct exchange *x)
{
    const struct field *f = head_field(&x->req.head, FIELD_IF_UNMODIFIED_SINCE);
    int64_t since;

    return f != NULL && x->facts.has_modified && !request_has(x, FIELD_IF_MATCH) &&
           !head_repeated(&x->req.head, FIELD_IF_UNMODIFIED_SINCE) && date_parse(f->value, x->unix_seconds, &since);
}

static enum file_guard guard_of(const struct exchange *x)
{
    bool has_match = request_has(x, FIELD_IF_MATCH);
    bool has_none_match = request_has(x, FIELD_IF_NONE_MATCH);

    if (!x->facts.exists)
        return has_none_match ? GUARD_ABSENT : GUARD_NONE;
    if (has_none_match || date_counts(x) || (has_match && !list_is_any(x, FIELD_IF_MATCH)))
        return GUARD_SAME;
    return has_match ? GUARD_PRESENT : GUARD_NONE;
}

enum reason file_change_init(struct file_change *c, const struct exchange *x, int *error_out)
{
    const struct file_settings *settings = file_settings(x);
    const struct file_variant *v = file_state(x)->variant;
    int err;

    *error_out = 0;
    if (file_path_is_own(x->req.subpath))
        return R_write_denied;
    *c = (struct file_change){ .shared = file_worker(x)->shared,
                               .guard = guard_of(x),
                               .existed = x->facts.exists && v != NULL,
                               .sync = settings->sync,
                               .tombstones = settings->tombstones,
                               .quota_bytes = settings->quota_bytes };
    if (c->existed)
        c->judged = v->files[CODING_IDENTITY].stamp;
    err = file_root_find(&c->shared->roots, settings->root_fd, &c->root);
    *error_out = -err;
    return err == 0 ? R_NONE : file_change_reason(-err);
}

void file_change_forget(const struct exchange *x)
{
    struct file_cache *cache = &file_worker(x)->cache;

    for (enum file_kind kind = FILE_READ; kind <= FILE_EXACT; kind++) {
        struct file_entry *e = file_cache_find(cache, file_settings(x)->id, kind, x->req.subpath);

        if (e != NULL)
            file_cache_remove(cache, e);
    }
}

enum reason file_change_reason(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return R_write_denied;
    case ENOENT:
    case ENOTDIR:
        return R_dav_parent_missing;
    case EISDIR:
        return R_dav_put_on_collection;
    case ENAMETOOLONG:
        return R_file_name_too_long;
    case ENOSPC:
        return R_insufficient_storage;
    case EDQUOT:
        return R_quota_exceeded;
    case EXDEV:
        return R_link_outside_root;
    case ELOOP:
        return R_link_loop;
    case EMFILE:
    case ENFILE:
        return R_descriptors_exhausted;
    case ENOMEM:
        return R_worker_memory_exhausted;
    default:
        return R_file_system_error;
    }
}
