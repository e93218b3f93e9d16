#ifndef SERVE_REFRESH_H
#define SERVE_REFRESH_H

#include <stdbool.h>

#include "serve/config.h"

/* Files that a running server reads again by itself when they have changed. */

/* Does a configuration name any? */
bool refresh_wanted(const struct config *config);

/* Look at all of them, and tell on standard error what has come of it; make new keys for tickets when it is time. */
void refresh_all(const struct config *config, struct tls_tickets *tickets);

#endif
