#include "base/decimal.h"

#include <string.h>

#define PAIR 100u /* what two digits count to: not a status */

/* Two digits at a time: dividing is the dear part. */
static const char pairs[] = "00010203040506070809"
                            "10111213141516171819"
                            "20212223242526272829"
                            "30313233343536373839"
                            "40414243444546474849"
                            "50515253545556575859"
                            "60616263646566676869"
                            "70717273747576777879"
                            "80818283848586878889"
                            "90919293949596979899";

static unsigned digits_of(uint64_t number)
{
    unsigned digits = 1;

    for (; number >= 10000; number /= 10000)
        digits += 4;
    return digits + (number >= 10) + (number >= PAIR) + (number >= 1000);
}

/* At least 10, below 10,000: what most lengths are. */
static char *write_short(char *at, unsigned number)
{
    unsigned high = number / PAIR;

    if (high >= 10)
        at = decimal_write_two(at, high);
    else if (high > 0)
        *at++ = (char)('0' + high);
    return decimal_write_two(at, number);
}

char *decimal_write_long(char *at, uint64_t number)
{
    char *end, *to;

    if (number < 10000)
        return write_short(at, (unsigned)number);
    to = end = at + digits_of(number);
    for (; number >= PAIR; number /= PAIR)
        memcpy(to -= 2, pairs + 2 * (number % PAIR), 2);
    if (number >= 10)
        memcpy(to - 2, pairs + 2 * number, 2);
    else
        to[-1] = (char)('0' + number);
    return end;
}

char *decimal_write_two(char *at, unsigned number)
{
    memcpy(at, pairs + 2 * (size_t)(number % PAIR), 2);
    return at + 2;
}
