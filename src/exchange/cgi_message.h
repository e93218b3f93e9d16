#ifndef EXCHANGE_CGI_MESSAGE_H
#define EXCHANGE_CGI_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "http/cgi.h"

/* Between exchanges and programs, whatever carries what they say. */

/*
 * What a program is told of x. The caller adds `client`, `script_file` and `root`, and says whether credentials are told.
 *
 * path_info_bytes  at the end of the path, behind what leads to the program
 * out              borrows from x, and from its arena
 */
void cgi_request_fill(struct exchange *x, size_t path_info_bytes, struct cgi_request *out);

/*
 * Make the answer of a program that of x, but for its content: status and fields, with a Date and a Server where it has
 * none. Without Status it is that of request_ok, or of moved_temporarily beside a Location: the path of a local redirect
 * (RFC3875:6.2.2) goes to the client, too, who asks for it himself.
 *
 * head     complete; its buffer lives as long as x
 */
void cgi_reply_fill(struct exchange *x, const struct cgi_head *head);

/* Say with Proxy-Status who gave the answer that cgi_reply_fill() made. next_hop: borrowed for the call. RFC9209:2 */
void cgi_status_tell(struct exchange *x, struct span next_hop);

/* Say with Proxy-Status why nobody gave an answer, where the reason has a type of error: of our own answers only. next_hop:
 * empty: not said. RFC9209:2.3 */
void cgi_status_explain(struct exchange *x, enum reason why, struct span next_hop);

/* Bytes of the content that the answer announces, or -1. */
int64_t cgi_reply_length(const struct cgi_head *head);

#endif
