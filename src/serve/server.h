#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "serve/config.h"

/*
 * Serve until SIGTERM or SIGINT, then drain; another one of them cuts the draining short. SIGHUP reads the configuration anew (sites and routes; what concerns
 * listeners, limits and threads waits for a restart), SIGUSR1 reopens the log. Says on standard error what it serves,
 * and why it cannot.
 *
 * Returns  the exit code: 0 after a clean stop, 1 when it could not start, 2 when the configuration is wrong
 * Threads  the process's first thread, before any other has been started
 */
int server_run(const struct config_options *options);

#endif
