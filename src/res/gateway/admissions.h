#ifndef RES_GATEWAY_ADMISSIONS_H
#define RES_GATEWAY_ADMISSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "io/address.h"

/*
 * Clients whom the network has let in, by address (of IPv6 the first 64 bits): for proxies that intercept. RFC6585:6
 *
 * Threads  any; a short lock
 * Memory   at most `most` clients, 32 bytes each, taken at the start; nothing is kept over a restart
 */
struct admissions;

/* NULL without memory. */
struct admissions *admissions_new(uint32_t most);
void admissions_release(struct admissions **a);

/* Let the client in until then (milliseconds of the server's clock). False: there is no place; who was let in stays. */
bool admissions_add(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES], uint64_t until_ms, uint64_t now_ms);

/* Let it out. False: it was not in. */
bool admissions_remove(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES]);

/* Is it in? A NULL table has nobody. */
bool admissions_have(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES], uint64_t now_ms);

/* How many are in. */
uint32_t admissions_count(struct admissions *a, uint64_t now_ms);

#endif
