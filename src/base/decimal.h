#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#define DECIMAL_BYTES 20u /* of the largest number */

/* For decimal_write(): number has two digits at least. */
char *decimal_write_long(char *at, uint64_t number);

/* Writes number without leading zeros, at most DECIMAL_BYTES and no NUL; returns where it ends. */
static inline char *decimal_write(char *at, uint64_t number)
{
    if (number >= 10)
        return decimal_write_long(at, number);
    *at = (char)('0' + number);
    return at + 1;
}

/* Writes the two last digits of number, a leading zero too; returns where they end. */
char *decimal_write_two(char *at, unsigned number);

#endif
