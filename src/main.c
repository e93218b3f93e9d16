#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    { "serve", cli_serve, "serve a directory" },
    { "check", cli_check, "check a configuration" },
    { "explain", cli_explain, "what a status, code or reason means, and what to do" },
    { "why", cli_why, "why an exchange of the running server ended so" },
    { "graph", cli_graph, "the decision graph" },
    { "reasons", cli_reasons, "every way an exchange can end" },
    { "version", cli_version, "the version of this program" },
};

static int usage(FILE *to)
{
    fputs("Usage: verdict COMMAND [ARGUMENT...]\n\nA web server that always knows why.\n\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\nverdict COMMAND --help tells more about one.\n", to);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout);
    if (strcmp(argv[1], "--version") == 0)
        return cli_version(1, argv + 1);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "verdict: %s: no such command: verdict --help lists them\n", argv[1]);
    return 2;
}
