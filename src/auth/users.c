#include "auth/users.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/users_impl.h"

#define ROOM_FIRST 64u

struct users {
    const char *const *paths;
    uint32_t count;

    struct {
        pthread_mutex_t lock;
        struct users_set *present;
    } shared;

    /* One thread at a time looks at the files. */
    struct {
        pthread_mutex_t lock;
        struct file_stamp *seen, *now;
    } reading;
};

static int span_compare(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Whoever it is. */
static int realm_compare(const void *left, const void *right)
{
    const struct user *a = left, *b = right;
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    return order != 0 ? order : span_compare(a->realm, b->realm);
}

static int user_compare(const void *left, const void *right)
{
    const struct user *a = left, *b = right;
    int order = realm_compare(a, b);

    return order != 0 ? order : span_compare(a->name, b->name);
}

static struct users_set *set_new(uint32_t file_count)
{
    static atomic_uint_fast64_t last_number;
    struct users_set *set = calloc(1, sizeof *set + file_count * sizeof *set->texts);

    if (set == NULL)
        return NULL;
    atomic_init(&set->references, 1);
    set->number = 1 + atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed);
    set->file_count = file_count;
    return set;
}

void users_set_release(struct users_set **held)
{
    struct users_set *set = *held;

    *held = NULL;
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < set->file_count; i++) {
        if (set->texts[i].n > 0)
            explicit_bzero((void *)set->texts[i].p, set->texts[i].n);
        free((void *)set->texts[i].p);
    }
    free(set->all);
    free(set);
}

/* Room for one more; NULL: no memory. */
static struct user *user_add(struct users_set *set)
{
    if (set->count == set->room) {
        uint32_t room = set->room > 0 ? 2 * set->room : ROOM_FIRST;
        struct user *all = realloc(set->all, room * sizeof *all);

        if (all == NULL)
            return NULL;
        set->all = all;
        set->room = room;
    }
    return &set->all[set->count];
}

static int line_take(struct users_set *set, struct span line, const char *path, struct user at,
                     char why[USERS_WHY_BYTES])
{
    const char *fault;
    struct user *u;

    if (set->count == USERS_MAX)
        return users_why(why, -EFBIG, "%s:%u: more than %d users: use another kind of store", path, at.line, USERS_MAX);
    u = user_add(set);
    if (u == NULL)
        return users_why(why, -ENOMEM, "%s: no memory", path);
    if (!users_line_read((char *)line.p, line.n, u, &fault))
        return users_why(why, -EINVAL, "%s:%u: %s", path, at.line, fault);
    u->file = at.file;
    u->line = at.line;
    set->passwords += u->kind == USER_PASSWORD;
    set->count++;
    return 0;
}

static int text_take(struct users_set *set, struct span text, const char *path, uint32_t file,
                     char why[USERS_WHY_BYTES])
{
    struct user at = { .file = file };
    int error = 0;

    while (text.n > 0 && error == 0) {
        size_t n = span_find(text, '\n');
        struct span line = span_trim((struct span){ text.p, n > 0 && text.p[n - 1] == '\r' ? n - 1 : n });

        at.line++;
        if (line.n > 0 && line.p[0] != '#')
            error = line_take(set, line, path, at, why);
        text = span_from(text, n < text.n ? n + 1 : n);
    }
    return error;
}

/* A second line for somebody would never count, or count by chance. */
static int set_sort(struct users_set *set, const char *const *paths, char why[USERS_WHY_BYTES])
{
    if (set->count > 0)
        qsort(set->all, set->count, sizeof *set->all, user_compare);
    for (uint32_t i = 1; i < set->count; i++) {
        const struct user *a = &set->all[i - 1], *b = &set->all[i];

        if (user_compare(a, b) != 0)
            continue;
        if (a->file > b->file || (a->file == b->file && a->line > b->line)) {
            a = &set->all[i];
            b = &set->all[i - 1];
        }
        return users_why(why, -EINVAL, "%s:%u: %.*s is in %s:%u already: remove one of them", paths[b->file], b->line,
                         (int)b->name.n, b->name.p, paths[a->file], a->line);
    }
    return 0;
}

static int set_fill(struct users_set *set, const struct users *users, char why[USERS_WHY_BYTES])
{
    for (uint32_t i = 0; i < users->count; i++) {
        int error = users_file_read(users->paths[i], &set->texts[i], why);

        if (error == 0)
            error = text_take(set, set->texts[i], users->paths[i], i, why);
        if (error != 0)
            return error;
    }
    return set_sort(set, users->paths, why);
}

static int set_read(const struct users *users, struct users_set **out, char why[USERS_WHY_BYTES])
{
    struct users_set *set = set_new(users->count);
    int error = set != NULL ? set_fill(set, users, why) : users_why(why, -ENOMEM, "%s: no memory", users->paths[0]);

    if (error == 0)
        *out = set;
    else
        users_set_release(&set);
    return error;
}

static void stamps_take(struct users *users)
{
    for (uint32_t i = 0; i < users->count; i++)
        file_stamp_take(&users->reading.now[i], users->paths[i]);
}

static bool stamps_are_seen(const struct users *users)
{
    for (uint32_t i = 0; i < users->count; i++)
        if (!file_stamp_is(&users->reading.now[i], &users->reading.seen[i]))
            return false;
    return true;
}

static void stamps_keep(struct users *users)
{
    struct file_stamp *seen = users->reading.seen;

    users->reading.seen = users->reading.now;
    users->reading.now = seen;
}

static struct users *users_alloc(const char *const *paths, uint32_t count)
{
    struct users *users = calloc(1, sizeof *users);

    if (users == NULL)
        return NULL;
    users->paths = paths;
    users->count = count;
    pthread_mutex_init(&users->shared.lock, NULL);
    pthread_mutex_init(&users->reading.lock, NULL);
    users->reading.seen = calloc(count, sizeof *users->reading.seen);
    users->reading.now = calloc(count, sizeof *users->reading.now);
    if (users->reading.seen == NULL || users->reading.now == NULL)
        users_release(&users);
    return users;
}

int users_new(const char *const *paths, uint32_t count, struct users **out, char why[USERS_WHY_BYTES])
{
    struct users *users = users_alloc(paths, count);
    int error;

    if (users == NULL)
        return users_why(why, -ENOMEM, "%s: no memory", paths[0]);
    stamps_take(users);
    stamps_keep(users);
    error = set_read(users, &users->shared.present, why);
    if (error == 0)
        *out = users;
    else
        users_release(&users);
    return error;
}

void users_release(struct users **held)
{
    struct users *users = *held;

    *held = NULL;
    if (users == NULL)
        return;
    users_set_release(&users->shared.present);
    free(users->reading.seen);
    free(users->reading.now);
    pthread_mutex_destroy(&users->shared.lock);
    pthread_mutex_destroy(&users->reading.lock);
    free(users);
}

struct users_set *users_set_hold(struct users_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

struct users_set *users_hold(struct users *users)
{
    struct users_set *set;

    pthread_mutex_lock(&users->shared.lock);
    set = users_set_hold(users->shared.present);
    pthread_mutex_unlock(&users->shared.lock);
    return set;
}

/* The files were looked at before they are read: one that changes meanwhile is read again the next time. */
static int refresh(struct users *users, char why[USERS_WHY_BYTES])
{
    struct users_set *set, *old;
    int error;

    stamps_take(users);
    if (stamps_are_seen(users))
        return 0;
    error = set_read(users, &set, why);
    /* What is wrong with the process, not with the files, is tried again. */
    if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
        stamps_keep(users);
    if (error != 0)
        return error;
    pthread_mutex_lock(&users->shared.lock);
    old = users->shared.present;
    users->shared.present = set;
    pthread_mutex_unlock(&users->shared.lock);
    users_set_release(&old);
    return 1;
}

int users_refresh(struct users *users, char why[USERS_WHY_BYTES])
{
    int changed;

    pthread_mutex_lock(&users->reading.lock);
    changed = refresh(users, why);
    pthread_mutex_unlock(&users->reading.lock);
    return changed;
}

uint64_t users_set_number(const struct users_set *set)
{
    return set->number;
}

uint32_t users_set_lines(const struct users_set *set)
{
    return set->count;
}

static const struct user *user_find(const struct users_set *set, const struct user *wanted)
{
    return set->count > 0 ? bsearch(wanted, set->all, set->count, sizeof *set->all, user_compare) : NULL;
}

const char *users_hash(const struct users_set *set, struct span user)
{
    const struct user *found = user_find(set, &(struct user){ .kind = USER_PASSWORD, .name = user });

    return found != NULL ? found->secret.p : NULL;
}

const char *users_hash_of_somebody(const struct users_set *set, uint64_t pick)
{
    return set->passwords > 0 ? set->all[pick % set->passwords].secret.p : NULL;
}

struct span users_ha1(const struct users_set *set, struct span user, struct span realm, enum digest_algorithm a)
{
    const struct user *found =
        user_find(set, &(struct user){ .kind = USER_DIGEST + (unsigned)a, .name = user, .realm = realm });

    return found != NULL ? found->secret : (struct span){ 0 };
}

bool users_have_ha1(const struct users_set *set, struct span realm, enum digest_algorithm a)
{
    const struct user wanted = { .kind = USER_DIGEST + (unsigned)a, .realm = realm };

    return set->count > 0 && bsearch(&wanted, set->all, set->count, sizeof *set->all, realm_compare) != NULL;
}
