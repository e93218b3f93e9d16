#include "io/rlimit.h"

#include <errno.h>
#include <sys/resource.h>

int rlimit_raise_files(uint64_t *files_out)
{
    struct rlimit limit, wanted;
    int err = 0;

    *files_out = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -errno;
    wanted = (struct rlimit){ .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };
    if (limit.rlim_cur != limit.rlim_max) {
        if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
            limit = wanted;
        else
            err = -errno;
    }
    *files_out = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
    return err;
}
