#ifndef RES_CGI_FIND_H
#define RES_CGI_FIND_H

#include "base/arena.h"
#include "reason/verdict.h"
#include "res/cgi/cgi.h"

/* A program that a path leads to. */
struct cgi_program {
    int folder_fd;          /* of the folder it lies in, O_PATH; the finder's to close */
    const char *file;       /* within the folder: "./hello.cgi" */
    struct span path;       /* all of it; NUL behind it */
    size_t path_info_bytes; /* of the path that was asked for, behind the program */
};

/*
 * Find the program: the first beginning of the path, by whole segments, that is a file. The kernel keeps the way beneath
 * the directory. Blocks on the disk.
 *
 * path     decoded, begins with '/'
 * v        set when refused: errno
 * Returns  R_NONE; not_found, acl_denied (the access list, or a link that leads outside), execute_denied (a file that may
 *          not be executed, and no interpreter), exchange_memory_exhausted, worker_memory_exhausted; *out is untouched
 */
enum reason cgi_find(const struct cgi_settings *settings, struct span path, struct arena *arena,
                     struct cgi_program *out, struct verdict *v);

#endif
