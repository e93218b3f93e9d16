/* Dates: what parses is in range and is written back; the first eight bytes are the clock. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now, seconds = 0, back = 0;
    char text[DATE_BYTES];

    if (size < sizeof now)
        return 0;
    memcpy(&now, data, sizeof now);
    date_write(text, now);
    DIE_UNLESS(date_parse((struct span){ text, DATE_BYTES }, 0, &back));
    DIE_UNLESS(back == (now < DATE_FIRST ? DATE_FIRST : now > DATE_LAST ? DATE_LAST : now));
    if (!date_parse((struct span){ (const char *)data + sizeof now, size - sizeof now }, now, &seconds))
        return 0;
    DIE_UNLESS(seconds >= DATE_FIRST && seconds <= DATE_LAST);
    date_write(text, seconds);
    DIE_UNLESS(date_parse((struct span){ text, DATE_BYTES }, 0, &back) && back == seconds);
    return 0;
}
