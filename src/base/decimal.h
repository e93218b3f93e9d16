#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#define DECIMAL_BYTES 20u /* of the largest number */

/* Writes number without leading zeros, at most DECIMAL_BYTES and no NUL; returns where it ends. */
char *decimal_write(char *at, uint64_t number);

#endif
