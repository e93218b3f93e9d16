#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "io/address.h"
#include "serve/server.h"

#define LISTEN_MOST 64

static const char help[] =
    "Usage: verdict serve [DIR] [options]\n"
    "\n"
    "Serve the files of DIR (default: the current directory) on http://127.0.0.1:8080/.\n"
    "\n"
    "  -l, --listen ADDR:PORT       listen there; repeatable; [::1]:8080 and unix:/path too\n"
    "      --tls[=ADDR:PORT]        HTTPS too (default: 127.0.0.1:8443), with a certificate for development unless -c\n"
    "                               names one\n"
    "      --forward[=ADDR:PORT]    a forward proxy too, for this machine alone (default: 127.0.0.1:3128); who else "
    "may\n"
    "                               use it is said in -c\n"
    "  -w, --write                  allow PUT and DELETE (default: 405 with Allow)\n"
    "  -c, --config FILE            sites, routes, limits and times from a YAML file\n"
    "      --dialect NAME           whose codes are spoken: rfc, nginx, iis or cloudflare (default: rfc)\n"
    "      --workers N              threads that serve (default: one per core)\n"
    "      --log FILE|-|off         access log (default: -, standard output)\n"
    "      --log-format json|combined\n"
    "      --admin ADDR:PORT|off    console, metrics and admin API (default: 127.0.0.1:8081)\n"
    "      --help                   this text\n"
    "\n"
    "SIGTERM and SIGINT finish what runs and stop, SIGHUP reads the configuration anew, SIGUSR1 reopens the log.\n";

enum {
    OPTION_HELP = 256,
    OPTION_DIALECT,
    OPTION_WORKERS,
    OPTION_LOG,
    OPTION_LOG_FORMAT,
    OPTION_ADMIN,
    OPTION_TLS,
    OPTION_FORWARD
};

static const struct option long_options[] = {
    { "listen", required_argument, NULL, 'l' },
    { "tls", optional_argument, NULL, OPTION_TLS },
    { "forward", optional_argument, NULL, OPTION_FORWARD },
    { "write", no_argument, NULL, 'w' },
    { "config", required_argument, NULL, 'c' },
    { "dialect", required_argument, NULL, OPTION_DIALECT },
    { "workers", required_argument, NULL, OPTION_WORKERS },
    { "log", required_argument, NULL, OPTION_LOG },
    { "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
    { "admin", required_argument, NULL, OPTION_ADMIN },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

static int listen_add(struct config_options *o, const char **listen, const char *text)
{
    if (o->listen_count == LISTEN_MOST)
        return output_wrong("serve", text, "too many addresses", "at most 64 --listen");
    listen[o->listen_count++] = text;
    o->listen = listen;
    return 0;
}

static int tls_set(struct config_options *o, const char *text)
{
    if (o->tls)
        return output_wrong("serve", text != NULL ? text : "--tls", "--tls can be given once",
                            "name more addresses as tls.listen in a configuration");
    o->tls = true;
    o->tls_listen = text;
    return 0;
}

static int forward_set(struct config_options *o, const char *text)
{
    if (o->forward)
        return output_wrong("serve", text != NULL ? text : "--forward", "--forward can be given once",
                            "name more addresses as forward.listen in a configuration");
    o->forward = true;
    o->forward_listen = text;
    return 0;
}

static int dialect_set(struct config_options *o, const char *text)
{
    o->dialect = dialect_find(span_of(text));
    return o->dialect < DIALECTS ? 0 : output_wrong("serve", text, "no such dialect", "rfc, nginx, iis or cloudflare");
}

static int workers_set(struct config_options *o, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 1024)
        return output_wrong("serve", text, "no number of workers", "1 to 1024");
    o->workers = (uint32_t)n;
    return 0;
}

static int log_format_set(struct config_options *o, const char *text)
{
    o->log_combined = strcmp(text, "combined") == 0;
    if (!o->log_combined && strcmp(text, "json") != 0)
        return output_wrong("serve", text, "no such log format", "json or combined");
    return 0;
}

static int option_take(struct config_options *o, const char **listen, int option, char *argument)
{
    switch (option) {
    case 'l':
        return listen_add(o, listen, argument);
    case OPTION_TLS:
        return tls_set(o, argument);
    case OPTION_FORWARD:
        return forward_set(o, argument);
    case 'w':
        o->write = true;
        return 0;
    case 'c':
        o->file = argument;
        return 0;
    case OPTION_DIALECT:
        return dialect_set(o, argument);
    case OPTION_WORKERS:
        return workers_set(o, argument);
    case OPTION_LOG:
        o->log_file = argument;
        return 0;
    case OPTION_LOG_FORMAT:
        return log_format_set(o, argument);
    case OPTION_ADMIN:
        o->admin = argument;
        return 0;
    default:
        return output_wrong("serve", argument, "option unknown or without its value", "verdict serve --help");
    }
}

/* An address behind --tls or --forward that no "=" ties to it is read as a directory. */
static int directory_set(struct config_options *o, const char *text)
{
    bool tls = o->tls && o->tls_listen == NULL, forward = o->forward && o->forward_listen == NULL;
    struct address address;
    const char *why;

    o->directory = text;
    if ((!tls && !forward) || access(text, F_OK) == 0 || address_parse(span_of(text), &address, &why) != 0)
        return 0;
    return output_wrong("serve", text, "no such directory",
                        tls ? "an address for TLS is written --tls=ADDR:PORT"
                            : "an address for the proxy is written --forward=ADDR:PORT");
}

int cli_serve(int argc, char **argv)
{
    const char *listen[LISTEN_MOST];
    struct config_options o = { .log_combined = -1, .dialect = DIALECTS };
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "l:wc:", long_options, NULL)) != -1) {
        int code;

        if (option == OPTION_HELP)
            return fputs(help, stdout) >= 0 ? output_end("serve", stdout) : 1;
        code = option_take(&o, listen, option, option == '?' ? argv[optind - 1] : optarg);
        if (code != 0)
            return code;
    }
    if (argc - optind > 1)
        return output_wrong("serve", argv[optind + 1], "only one directory can be named", "verdict serve [DIR]");
    if (optind < argc && directory_set(&o, argv[optind]) != 0)
        return 2;
    return server_run(&o);
}
