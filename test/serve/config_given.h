#ifndef TEST_SERVE_CONFIG_GIVEN_H
#define TEST_SERVE_CONFIG_GIVEN_H

#include <stdio.h>
#include <string.h>

#include "serve/config.h"

/* What a text of YAML gives, in a file called c.yaml. */
struct given {
    struct config *config;
    char complaints[16384];
};

static inline void given_read(struct given *g, const struct config_options *options, struct span text)
{
    FILE *out = fmemopen(g->complaints, sizeof g->complaints, "w");

    g->complaints[0] = '\0';
    g->config = config_read(options, text, CONFIG_STRUCTURE, out);
    fclose(out);
}

static inline struct config_options given_options(void)
{
    return (struct config_options){ .file = "c.yaml", .log_combined = -1, .dialect = DIALECTS };
}

#endif
