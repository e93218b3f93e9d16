#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * The subcommands, one file each. argv[0] is the name of the subcommand. Each knows --help.
 *
 * Returns  the exit code: 0 it did what was asked, 1 the answer is no, 2 wrong usage. What is wrong is said on standard
 *          error as `verdict: what: why: what to do`.
 */
int cli_serve(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_reasons(int argc, char **argv);
int cli_graph(int argc, char **argv);
int cli_version(int argc, char **argv);

#endif
