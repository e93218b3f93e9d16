#include "http/head.h"

#include "http/token.h"

void head_init(struct head *head, struct field *array)
{
    *head = (struct head){ .fields = array };
}

/* Hang line number `added` (from 1) behind the last of its id. */
static void chain(struct head *head, enum field_id id, uint8_t added)
{
    uint8_t *link = &head->first[id];

    while (*link != 0)
        link = &head->fields[*link - 1].next;
    *link = added;
}

void head_add_found(struct head *head, enum field_id id, struct span name, struct span value)
{
    head->fields[head->count++] = (struct field){ name, value, (uint8_t)id, 0 };
    if (id != FIELD_OTHER)
        chain(head, id, (uint8_t)head->count);
}

void head_add(struct head *head, struct span name, struct span value)
{
    head_add_found(head, field_find(name), name, value);
}

bool head_list_has(const struct head *head, enum field_id id, struct span token)
{
    for (const struct field *f = head_field(head, id); f != NULL; f = head_next(head, f)) {
        struct span rest = f->value, element;

        while (token_next(&rest, &element))
            if (span_is_nocase(element, token))
                return true;
    }
    return false;
}
