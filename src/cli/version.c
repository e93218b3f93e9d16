#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"

int cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") != 0)
        return output_wrong("version", argv[1], "it takes no argument", "verdict version");
    puts(argc > 1 ? "Usage: verdict version\n\nPrint the version of this program." : "verdict " VERDICT_VERSION);
    return output_end("version", stdout);
}
