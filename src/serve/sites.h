#ifndef SERVE_SITES_H
#define SERVE_SITES_H

#include <stdint.h>

#include "serve/config.h"

/*
 * Names of sites by number, for records and counters. A name keeps its number while the server runs, so that counters
 * outlive the configurations that the name stood in. Number 0 is no site, with an empty name; those that find no place
 * share TALLY_SITE_OTHER.
 */
struct sites;

struct sites *sites_new(void); /* NULL without memory */
void sites_release(struct sites **s);

/* Number the sites of a configuration, the admin listener's included. The server's first thread only. */
void sites_number(struct sites *s, struct config *config);

/* Any thread. NULL: no site has the number. */
const char *sites_name(const struct sites *s, uint16_t number);

#endif
