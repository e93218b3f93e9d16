#ifndef TEST_CLI_RUN_H
#define TEST_CLI_RUN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a subcommand printed, and its exit code. Include behind cmocka.h. */
struct run {
    char *out, *err;
    int code;
};

static inline char *run_contents(FILE *file)
{
    size_t bytes;
    char *text;

    fseek(file, 0, SEEK_END);
    bytes = (size_t)ftell(file);
    text = malloc(bytes + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, bytes, file), bytes);
    text[bytes] = '\0';
    fclose(file);
    return text;
}

/* The line is cut at spaces; the last of `last`, if not NULL, is one more argument. */
static inline struct run run(int (*command)(int, char **), const char *line, const char *last)
{
    char *copy = strdup(line), *argv[16], *rest = copy;
    FILE *out = tmpfile(), *err = tmpfile();
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO), argc = 0;
    struct run r;

    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = word;
    if (last != NULL)
        argv[argc++] = (char *)(uintptr_t)last;
    argv[argc] = NULL;
    fflush(NULL);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    r.code = command(argc, argv);
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    r.out = run_contents(out);
    r.err = run_contents(err);
    free(copy);
    return r;
}

static inline void run_free(struct run *r)
{
    free(r->out);
    free(r->err);
}

#endif
