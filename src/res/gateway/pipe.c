#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "res/gateway/gateway_impl.h"

#define PIPE_BYTES 262144

bool gateway_pipe_take(struct gateway_pipes *pipes, int ends[2])
{
    if (pipes->count > 0) {
        pipes->count--;
        memcpy(ends, pipes->ends[pipes->count], sizeof pipes->ends[0]);
        return true;
    }
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return false;
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* else it has what the system gives */
    return true;
}

/* Only the system knows what was not taken out of it: left in there it would be the next client's. */
static bool is_empty(int end)
{
    int bytes;

    return ioctl(end, FIONREAD, &bytes) == 0 && bytes == 0;
}

void gateway_pipe_return(struct gateway_pipes *pipes, int ends[2])
{
    if (pipes->count < GATEWAY_PIPES && is_empty(ends[0])) {
        memcpy(pipes->ends[pipes->count++], ends, sizeof pipes->ends[0]);
    } else {
        close(ends[0]);
        close(ends[1]);
    }
    ends[0] = ends[1] = 0;
}

void gateway_worker_fini(struct gateway_worker *w)
{
    while (w->pipes.count > 0) {
        w->pipes.count--;
        close(w->pipes.ends[w->pipes.count][0]);
        close(w->pipes.ends[w->pipes.count][1]);
    }
}
