#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include "exchange/exchange.h"

/* x has its verdict: choose the status by the dialect, add the fields and the content that belong to the reason, and
 * hand the reply to the codec. */
void answer(struct exchange *x);

#endif
