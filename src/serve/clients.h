#ifndef SERVE_CLIENTS_H
#define SERVE_CLIENTS_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * Who is connected, over all workers: the count of connections in all and of each client address.
 *
 * Threads  any; one short lock, taken when a connection comes and when it goes, never for a request.
 */
struct clients;
struct client;

/* seed: random, so that nobody can choose addresses that meet in one bucket. NULL without memory. */
struct clients *clients_new(uint64_t seed);
void clients_release(struct clients **all);

/* One more connection of this peer. total_out and same_out get the counts with it. NULL without memory: the connection
 * is then counted in the total only. */
struct client *clients_enter(struct clients *all, const struct sockaddr *peer, uint32_t *total_out, uint32_t *same_out);

/* That connection has gone; what clients_enter() returned. */
void clients_leave(struct clients *all, struct client *c);

/* Connections in all, now. */
uint32_t clients_total(struct clients *all);

#endif
