#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return puts("Usage: verdict version\n\nPrint the version of this program.") >= 0 ? 0 : 1;
    if (argc > 1) {
        fprintf(stderr, "verdict: version: %s: it takes no argument: verdict version\n", argv[1]);
        return 2;
    }
    return puts("verdict " VERDICT_VERSION) >= 0 ? 0 : 1;
}
