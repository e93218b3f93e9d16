#include "io/complaint.h"

#include <sys/uio.h>
#include <unistd.h>

static void tell(struct span who, struct span line)
{
    struct iovec parts[] = { { (void *)(uintptr_t) "verdict: ", sizeof "verdict: " - 1 },
                             { (void *)(uintptr_t)who.p, who.n },
                             { (void *)(uintptr_t) ": ", 2 },
                             { (void *)(uintptr_t)line.p, line.n },
                             { (void *)(uintptr_t) "\n", 1 } };
    ssize_t written = writev(STDERR_FILENO, parts, sizeof parts / sizeof parts[0]);

    (void)written; /* there is nobody else to tell */
}

static void line_end(struct complaint *c, struct span who)
{
    if (c->at > 0)
        tell(who, (struct span){ c->line, c->at });
    c->at = 0;
}

static bool is_printable(char byte)
{
    return (unsigned char)byte >= ' ' && byte != 0x7f;
}

static void take_byte(struct complaint *c, struct span who, char byte)
{
    if (byte == '\n' || c->at == sizeof c->line)
        line_end(c, who);
    if (byte != '\n' && byte != '\r')
        c->line[c->at++] = is_printable(byte) || byte == '\t' ? byte : '?';
}

void complaint_take(struct complaint *c, struct span who, struct span bytes)
{
    for (size_t i = 0; i < bytes.n && !c->full; i++) {
        take_byte(c, who, bytes.p[i]);
        c->full = ++c->told == COMPLAINT_BYTES;
    }
    if (c->full && c->told == COMPLAINT_BYTES) {
        c->told++;
        line_end(c, who);
        tell(who, SPAN("(it says more, which is not told)"));
    }
}

void complaint_end(struct complaint *c, struct span who)
{
    line_end(c, who);
}
