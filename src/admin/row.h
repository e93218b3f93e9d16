#ifndef ADMIN_ROW_H
#define ADMIN_ROW_H

#include <jansson.h>

#include "admin/source.h"
#include "io/address.h"

/* A ROW of docs/admin.md; the caller owns it; NULL without memory. */
json_t *row_json(const struct admin_source *source, const struct record *r, uint32_t worker);

/* Text from outside as a JSON string: bytes that are no UTF-8 become U+FFFD. */
json_t *row_text(struct span text);

/* The eight letters of an exchange. */
json_t *row_id(uint64_t number);

/* The address, without port, of a client as a record keeps it: as text, which lies in `out`, and as JSON. */
struct span row_client_print(const uint8_t *peer, uint8_t bytes, char out[ADDRESS_TEXT_BYTES]);
json_t *row_client(const uint8_t *peer, uint8_t bytes);

/* "2026-11-21T06:32:14.123Z" */
json_t *row_time(uint64_t unix_ms);

#endif
