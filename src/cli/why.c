#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>

#include "cli/admin_get.h"
#include "cli/cli.h"
#include "cli/locale.h"
#include "cli/output.h"
#include "cli/printable.h"
#include "cli/why_impl.h"

#define ID_LETTERS    8
#define SHOWN_COLUMNS 120 /* of what was given, in an error */

static const char help[] =
    "Usage: verdict why ID|last [options]\n"
    "\n"
    "Why did this exchange of the running server end so? Tells the way that it took through the decision graph. The id "
    "is\n"
    "in the access log, on the error page and in the field Verdict of the answer, which may be pasted whole. last is "
    "the\n"
    "newest exchange.\n"
    "\n"
    "      --admin ADDR:PORT        the console of the server, unix:/path too (default: 127.0.0.1:8081)\n"
    "      --token TOKEN            the console's token. Others see it in ps: better put it into the environment\n"
    "                               variable VERDICT_ADMIN_TOKEN\n"
    "      --lang en|zh-CN|zh-TW    default: by LC_ALL, LC_MESSAGES or LANG, else en\n"
    "      --format text|json       default: text; json is all that the server tells\n"
    "      --help                   this text\n"
    "\n"
    "Exit code: 0 it was told, 1 it is not kept any more or the server cannot be asked, 2 wrong usage.\n";

enum { OPTION_HELP = 256, OPTION_ADMIN, OPTION_TOKEN, OPTION_LANG, OPTION_FORMAT };

static const struct option long_options[] = {
    { "admin", required_argument, NULL, OPTION_ADMIN }, { "token", required_argument, NULL, OPTION_TOKEN },
    { "lang", required_argument, NULL, OPTION_LANG },   { "format", required_argument, NULL, OPTION_FORMAT },
    { "help", no_argument, NULL, OPTION_HELP },         { NULL, 0, NULL, 0 },
};

struct options {
    const char *admin, *token;
    enum language language;
    bool json;
};

/* Not a wrong use of the command: it could not do what was asked. */
static int cannot(const char *what, const char *sentence)
{
    fprintf(stderr, "verdict: why: %s: %s\n", what, sentence);
    return 1;
}

static bool is_id(struct span s)
{
    for (size_t i = 0; i < ID_LETTERS; i++)
        if (i == s.n || !isalnum((unsigned char)s.p[i]) || strchr("ilou", tolower((unsigned char)s.p[i])) != NULL)
            return false;
    return s.n == ID_LETTERS || !isalnum((unsigned char)s.p[ID_LETTERS]);
}

static bool is_mark(char c)
{
    return strchr("\"'=: ", c) != NULL && c != '\0';
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* The id as the last word of s. */
static struct span last_id(struct span s)
{
    while (s.n > 0 && is_mark(s.p[s.n - 1]))
        s.n--;
    if (s.n < ID_LETTERS || (s.n > ID_LETTERS && is_of_word(s.p[s.n - ID_LETTERS - 1])))
        return (struct span){ 0 };
    s = span_from(s, s.n - ID_LETTERS);
    return is_id(s) ? s : (struct span){ 0 };
}

/* The id behind the first "id" in s. */
static struct span named_id(struct span s)
{
    for (bool inside_word = false; s.n > 2; s = span_from(s, 1)) {
        struct span rest = span_from(s, 2);

        while (rest.n > 0 && is_mark(rest.p[0]))
            rest = span_from(rest, 1);
        if (!inside_word && span_starts(s, SPAN("id")) && rest.p > s.p + 2 && is_id(rest))
            return rest;
        inside_word = is_of_word(s.p[0]);
    }
    return (struct span){ 0 };
}

bool why_id_read(struct span text, struct why_id *out)
{
    struct span s = last_id(text);

    if (span_is_nocase(span_trim(text), SPAN("last"))) {
        *out = (struct why_id){ "last" };
        return true;
    }
    if (s.n == 0)
        s = named_id(text);
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < ID_LETTERS; i++)
        out->text[i] = (char)tolower((unsigned char)s.p[i]);
    out->text[ID_LETTERS] = '\0';
    return true;
}

/* What the server's refusal means to who asked. */
static int refused(const struct options *o, const char *id, const struct admin_answer *answer)
{
    char what[96];

    snprintf(what, sizeof what, "%s answered %u", o->admin, answer->status);
    switch (answer->why) {
    case R_not_found:
    case R_gone:
        if (strcmp(id, "last") == 0)
            return cannot(
                id, "no exchange is kept there: send the server a request first, or name its console with --admin");
        return cannot(id, "not kept by this server: it may be too old, from before a restart or from another server: "
                          "look in the access log, or try --admin");
    case R_credentials_missing:
        return cannot(o->admin, "it wants a token: set VERDICT_ADMIN_TOKEN, or give --token");
    case R_credentials_refused:
        return cannot(o->admin, "the token is not its token: set VERDICT_ADMIN_TOKEN to admin.token of its "
                                "configuration");
    case R_site_not_found:
        return cannot(o->admin, "no console goes by this address: use the one that the server told when it started");
    default:
        return cannot(what, "that is no exchange: name the console of verdict serve with --admin");
    }
}

static int tell(const struct options *o, const char *id, const struct admin_answer *answer)
{
    json_t *exchange;

    if (answer->status / 100 != 2)
        return refused(o, id, answer);
    exchange = json_loadb(answer->content, answer->bytes, JSON_ALLOW_NUL, NULL);
    if (json_object_get(exchange, "id") == NULL) {
        json_decref(exchange);
        return cannot(o->admin, "what came is no exchange: name the console of verdict serve with --admin");
    }
    if (o->json) {
        json_dumpf(exchange, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    } else {
        why_text(stdout, exchange, o->language);
    }
    json_decref(exchange);
    return output_end("why", stdout);
}

/* A token that would break the request line by line is none. */
static bool token_is_fit(const char *token)
{
    size_t n = 0;

    while (token[n] > ' ' && token[n] < 0x7f)
        n++;
    return token[n] == '\0' && n <= ADMIN_GET_TOKEN_BYTES;
}

static int why(const struct options *o, const char *id)
{
    char path[64];
    struct admin_question question = { .token = span_of(o->token), .limit_ms = ADMIN_GET_LIMIT_MS };
    struct admin_answer answer;
    struct address to;
    const char *failed;
    int code;

    if (address_parse(span_of(o->admin), &to, &failed) != 0) {
        fprintf(stderr, "verdict: why: %s: %s\n", o->admin, failed);
        return 2;
    }
    if (!token_is_fit(o->token))
        return output_wrong("why", "token", "it holds spaces or other characters that no token has, or is too long",
                            "give the token as the configuration has it");
    snprintf(path, sizeof path, "/api/exchanges/%s?lang=%s", id, explain_language_tag(o->language));
    question.path = span_of(path);
    failed = admin_get(&to, &question, &answer);
    if (failed != NULL)
        return cannot(o->admin, failed);
    code = tell(o, id, &answer);
    free(answer.content);
    return code;
}

static int option_take(struct options *o, int option, const char *argument)
{
    switch (option) {
    case OPTION_ADMIN:
        o->admin = argument;
        return 0;
    case OPTION_TOKEN:
        o->token = argument;
        return 0;
    case OPTION_LANG:
        o->language = explain_language_find(span_of(argument));
        return o->language != LANGUAGES
                   ? 0
                   : output_wrong("why", argument, "no such language", "--lang en, zh-CN or zh-TW");
    case OPTION_FORMAT:
        o->json = strcmp(argument, "json") == 0;
        return o->json || strcmp(argument, "text") == 0
                   ? 0
                   : output_wrong("why", argument, "no such format", "--format text or json");
    default:
        return output_wrong("why", argument, "option unknown or without its value", "verdict why --help");
    }
}

int cli_why(int argc, char **argv)
{
    const char *token = getenv("VERDICT_ADMIN_TOKEN");
    struct options o = { .admin = "127.0.0.1:8081",
                         .token = token != NULL ? token : "",
                         .language = locale_language() };
    char shown[SHOWN_COLUMNS * 4 + 4];
    struct why_id id;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int code;

        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return output_end("why", stdout);
        }
        code = option_take(&o, option, option == '?' ? argv[optind - 1] : optarg);
        if (code != 0)
            return code;
    }
    if (optind == argc)
        return output_wrong("why", "ID", "missing", "give the id of an exchange, or last for the newest");
    if (optind + 1 < argc)
        return output_wrong("why", argv[optind + 1], "only one exchange can be asked for", "verdict why ID|last");
    if (!why_id_read(span_of(argv[optind]), &id)) {
        printable(span_of(argv[optind]), SHOWN_COLUMNS, shown, sizeof shown);
        return output_wrong("why", shown, "there is no id in it",
                            "eight letters and digits, as in id=\"7k3v9c2q\", or last");
    }
    return why(&o, id.text);
}
