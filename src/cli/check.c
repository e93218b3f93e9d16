#include <getopt.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "serve/config.h"

static const char help[] = "Usage: verdict check FILE\n"
                           "\n"
                           "Check a configuration (- is standard input) without serving anything. Each mistake is told "
                           "in one line on standard\n"
                           "error: file, line, column, what is wrong, what is allowed, and the nearest name.\n"
                           "\n"
                           "Exit code: 0 it is fine, 1 it has mistakes, 2 wrong usage.\n";

static const struct option long_options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_fine(const char *file, const struct config *config)
{
    uint32_t routes = 0;

    for (uint32_t s = 0; s < config->site_count; s++)
        routes += config->sites[s].route_count;
    printf("%s: ok: %u site%s, %u route%s\n", file, config->site_count, plural(config->site_count), routes,
           plural(routes));
}

int cli_check(int argc, char **argv)
{
    struct config_options options = { .log_combined = -1, .dialect = DIALECTS };
    struct config *config;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option != 'h')
            return output_wrong("check", argv[optind - 1], "no such option", "verdict check FILE");
        fputs(help, stdout);
        return output_end("check", stdout);
    }
    if (argc - optind != 1)
        return output_wrong("check", argc == optind ? "no file" : argv[optind + 1],
                            argc == optind ? "nothing to check" : "only one file can be checked", "verdict check FILE");
    options.file = argv[optind];
    config = config_load(&options, stderr);
    if (config == NULL)
        return 1;
    print_fine(options.file, config);
    config_release(&config);
    return output_end("check", stdout);
}
