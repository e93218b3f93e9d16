#ifndef SERVE_OPERAND_H
#define SERVE_OPERAND_H

#include "exchange/exchange.h"

/*
 * Say what x's verdict is about where those who gave it did not: the limit that was passed ("8192 bytes"), the path, the
 * name of the field or of the method. Part of why the request was refused (RFC6585:5), so for errors only.
 *
 * x        has a verdict, a policy and a worker
 *
 * Memory   what is written comes from x's arena; an operand that does not fit there stays as it is
 * Threads  the worker's
 */
void operand_fill(struct exchange *x);

#endif
