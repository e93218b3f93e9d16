#include <getopt.h>

#include "admin/reason_json.h"
#include "cli/cli.h"
#include "cli/explain_impl.h"
#include "cli/output.h"

static const char help[] =
    "Usage: verdict reasons [--format tsv|json]\n"
    "\n"
    "The whole registry: every way in which an exchange can end, with the codes that each system has for it.\n"
    "\n"
    "      --format tsv|json        default: tsv: a line of names, then a line a reason; `-` is an empty cell\n"
    "      --help                   this text\n"
    "\n"
    "In brackets stands what is logged or told besides, and not sent. verdict explain NAME says more.\n";

enum { OPTION_HELP = 256, OPTION_FORMAT };

static const struct option long_options[] = {
    { "format", required_argument, NULL, OPTION_FORMAT },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

static const char *cell(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static int reasons_tsv(void)
{
    fputs("name\tid", stdout);
    for (enum dialect d = 0; d < DIALECTS; d++)
        printf("\t%s", dialect_name(d));
    puts("\tothers\tafter\tlasts\tproxy_error\tspec\ttext");
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
        const struct reason_info *info = reason_info(r);

        printf("%s\t%u", info->name, info->id);
        for (enum dialect d = 0; d < DIALECTS; d++)
            printf("\t%s", explain_code(r, d).text);
        printf("\t%s\t%s\t%s\t%s\t%s\t%s\n", cell(explain_other_codes(r).text), reason_after_name(info->after),
               reason_lasts_name(info->lasts), cell(info->proxy_error), info->spec, info->text);
    }
    return output_end("reasons", stdout);
}

static int reasons_json(void)
{
    json_t *list = json_array();

    for (enum reason r = R_MORE + 1; r < R_COUNT; r++)
        json_array_append_new(list, reason_json(r));
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(list);
    return output_end("reasons", stdout);
}

int cli_reasons(int argc, char **argv)
{
    bool json = false;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_HELP:
            fputs(help, stdout);
            return output_end("reasons", stdout);
        case OPTION_FORMAT:
            json = strcmp(optarg, "json") == 0;
            if (!json && strcmp(optarg, "tsv") != 0)
                return output_wrong("reasons", optarg, "no such format", "--format tsv or json");
            break;
        default:
            return output_wrong("reasons", argv[optind - 1], "option unknown or without its value",
                                "verdict reasons --help");
        }
    }
    if (optind < argc)
        return output_wrong("reasons", argv[optind], "not expected", "verdict reasons prints them all");
    return json ? reasons_json() : reasons_tsv();
}
