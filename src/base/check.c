#include "base/check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic uint64_t counted;

_Noreturn void check_die(const char *what, const char *where)
{
    fprintf(stderr, "verdict: internal check failed: %s: %s\n", where, what);
    abort();
}

void check_count(const char *where)
{
    if (atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed) == 0)
        fprintf(stderr, "verdict: internal surprise: %s: the server goes on\n", where);
}

uint64_t check_counted(void)
{
    return atomic_load_explicit(&counted, memory_order_relaxed);
}
