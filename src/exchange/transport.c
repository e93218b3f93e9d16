#include "exchange/transport.h"

const struct transport transport_plain = { .secured = false };
