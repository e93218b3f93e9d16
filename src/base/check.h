#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define STR_(x) #x
#define STR(x)  STR_(x)
#define HERE    __FILE__ ":" STR(__LINE__)

/* Writes what failed and where to standard error and aborts. Safe in any thread. */
_Noreturn void check_die(const char *what, const char *where);

/* Counts a survivable surprise; the first of each process is said on standard error. Any thread. */
void check_count(const char *where);

/* Survivable surprises so far. Any thread. */
uint64_t check_counted(void);

/* Memory or logic would be corrupt: stop, in every build. */
#define DIE_UNLESS(c) ((c) ? (void)0 : check_die(#c, HERE))

/* Cannot happen, yet the code has a sane answer: if (NEVER(n > max)) return STOP(...); */
#if defined COVERAGE
#define ALWAYS(c) true
#define NEVER(c)  false
#elif !defined NDEBUG
#define ALWAYS(c) ((c) ? true : (check_die(#c, HERE), false))
#define NEVER(c)  ((c) ? (check_die(#c, HERE), true) : false)
#else
#define ALWAYS(c) ((c) ? true : (check_count(HERE), false))
#define NEVER(c)  ((c) ? (check_count(HERE), true) : false)
#endif

#endif
