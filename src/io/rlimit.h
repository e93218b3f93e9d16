#ifndef IO_RLIMIT_H
#define IO_RLIMIT_H

#include <stdint.h>

/*
 * Raise the number of files this process may have open (RLIMIT_NOFILE, soft) to what the system allows it (hard).
 * *files_out: the limit in force afterwards, UINT64_MAX for none; set in every case but failing getrlimit (then 0).
 * Returns 0 or -errno: then the limit is what it was, which is survivable.
 */
int rlimit_raise_files(uint64_t *files_out);

#endif
