#include <getopt.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/explain_impl.h"
#include "cli/locale.h"
#include "cli/output.h"

static const char help[] = "Usage: verdict explain WHAT [options]\n"
                           "\n"
                           "Explain a status, a sub-status, a vendor's code or a reason: what it is, what each system "
                           "calls it, what a server\n"
                           "must send, what a client does, and where it is written.\n"
                           "\n"
                           "  404                          a status\n"
                           "  404.13                       a sub-status of IIS\n"
                           "  nginx:499, cloudflare:521    a code of a vendor\n"
                           "  if-match-failed              a reason\n"
                           "  too many redirects           words\n"
                           "\n"
                           "      --lang en|zh-CN|zh-TW    default: by LC_ALL, LC_MESSAGES or LANG, else en\n"
                           "      --format text|json       default: text\n"
                           "      --help                   this text\n";

enum { OPTION_HELP = 256, OPTION_LANG, OPTION_FORMAT };

static const struct option long_options[] = {
    { "lang", required_argument, NULL, OPTION_LANG },
    { "format", required_argument, NULL, OPTION_FORMAT },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

const struct status_info *explain_status_of(enum reason why)
{
    return status_first(reason_code(why, DIALECT_RFC).wire);
}

/* The words of the command line, joined with spaces; the caller frees. NULL when there is no memory. */
static char *join(int argc, char **argv)
{
    char *joined = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&joined, &bytes);

    if (out == NULL)
        return NULL;
    for (int i = 0; i < argc; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", argv[i]);
    if (fclose(out) != 0) {
        free(joined);
        return NULL;
    }
    return joined;
}

static int unknown(const char *what)
{
    struct look_up_item near[3];
    size_t count = look_up_near(span_of(what), near, 3);
    enum look_up_fault fault = look_up_fault(span_of(what));

    if (fault == LOOK_UP_NO_VENDOR) {
        fprintf(stderr, "verdict: explain: %s: no such vendor: try %s, or before it rfc, nginx, iis or cloudflare\n",
                what, strchr(what, ':') + 1);
        return 1;
    }
    if (fault == LOOK_UP_NO_NUMBER) {
        fprintf(stderr, "verdict: explain: %s: a number is missing: try nginx:499, iis:404.13 or the like\n", what);
        return 1;
    }
    fprintf(stderr, "verdict: explain: %s: not in the registry: ", what);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s %s", i == 0 ? "try" : i + 1 < count ? "," : " or", look_up_name(&near[i]).text);
    fputs(count > 0 ? "\n" : "try other words, or verdict reasons\n", stderr);
    return 1;
}

static int explain(const char *what, enum language language, bool json)
{
    struct look_up found;

    if (!look_up(span_of(what), &found))
        return unknown(what);
    if (json)
        explain_json(stdout, what, &found, language);
    else
        explain_text(stdout, &found, language);
    return output_end("explain", stdout);
}

int cli_explain(int argc, char **argv)
{
    enum language language = locale_language();
    bool json = false;
    char *what;
    int option, code;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_HELP:
            fputs(help, stdout);
            return output_end("explain", stdout);
        case OPTION_LANG:
            language = explain_language_find(span_of(optarg));
            if (language == LANGUAGES)
                return output_wrong("explain", optarg, "no such language", "--lang en, zh-CN or zh-TW");
            break;
        case OPTION_FORMAT:
            json = strcmp(optarg, "json") == 0;
            if (!json && strcmp(optarg, "text") != 0)
                return output_wrong("explain", optarg, "no such format", "--format text or json");
            break;
        default:
            return output_wrong("explain", argv[optind - 1], "option unknown or without its value",
                                "verdict explain --help");
        }
    }
    if (optind == argc || (optind + 1 == argc && argv[optind][0] == '\0'))
        return output_wrong("explain", "WHAT", "missing", "give a status, a code, a reason or words");
    what = join(argc - optind, argv + optind);
    if (what == NULL)
        return output_wrong("explain", "memory", "none left", "try again later");
    code = explain(what, language, json);
    free(what);
    return code;
}
