#include "http/max_forwards.h"

#include "http/token.h"

enum max_forwards max_forwards_read(const struct head *head, uint32_t *next)
{
    const struct field *f = head_field(head, FIELD_MAX_FORWARDS);
    uint32_t number = 0;

    if (f == NULL || f->next != 0 || f->value.n == 0 || token_span(f->value, TOKEN_DIGIT) != f->value.n)
        return MAX_FORWARDS_NONE;
    for (size_t i = 0; i < f->value.n && number <= MAX_FORWARDS_MOST; i++)
        number = number * 10 + (uint32_t)(f->value.p[i] - '0');
    if (number == 0)
        return MAX_FORWARDS_LAST;
    *next = number > MAX_FORWARDS_MOST ? MAX_FORWARDS_MOST : number - 1;
    return MAX_FORWARDS_MORE;
}
