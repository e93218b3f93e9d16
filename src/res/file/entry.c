#include <stdlib.h>
#include <unistd.h>

#include "res/file/file_impl.h"

void file_content_init(struct file_content *c)
{
    *c = (struct file_content){ .fd = -1 };
}

static void ready_free(struct file_ready *ready)
{
    while (ready != NULL) {
        struct file_ready *next = ready->next;

        free(ready);
        ready = next;
    }
}

void file_content_fini(struct file_content *c)
{
    ready_free(c->ready);
    free(c->bytes);
    if (c->fd >= 0)
        close(c->fd);
    file_content_init(c);
}

static void variant_fini(struct file_variant *v)
{
    for (unsigned i = 0; i < CODINGS; i++) {
        file_content_fini(&v->files[i]);
        if (v->made[i] != NULL)
            file_content_fini(v->made[i]);
        free(v->made[i]);
    }
    free(v->name);
}

void file_entry_free(struct file_entry *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; i < e->variant_count; i++)
        variant_fini(&e->variants[i]);
    free(e->variants);
    free((void *)e->path);
    free(e);
}

void file_entry_take(struct file_entry *e)
{
    e->users++;
}

void file_entry_release(struct file_entry **entry)
{
    struct file_entry *e = *entry;

    *entry = NULL;
    if (e == NULL)
        return;
    DIE_UNLESS(e->users > 0);
    if (--e->users == 0 && !e->in_table)
        file_entry_free(e);
}
