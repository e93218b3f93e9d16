#include "graph/graph.h"

bool ask_admitted(const struct exchange *x)
{
    return !x->descriptors_full && !x->server_full && !x->client_full;
}

bool ask_descriptors_left(const struct exchange *x)
{
    return !x->descriptors_full;
}

bool ask_server_has_room(const struct exchange *x)
{
    return !x->server_full;
}

bool ask_port_fits(const struct exchange *x)
{
    return !x->transport->on_tls_port;
}

bool ask_port_redirects(const struct exchange *x)
{
    return x->transport->port_redirects;
}

bool ask_version_supported(const struct exchange *x)
{
    return x->req.head.major == x->codec->major;
}

bool ask_method_known(const struct exchange *x)
{
    return x->req.head.method != M_UNKNOWN;
}

/* A 1.0 client cannot take part in the handshake of 100: its Expect is ignored. */
bool ask_expectation_met(const struct exchange *x)
{
    const struct head *head = &x->req.head;

    if (!request_has(x, FIELD_EXPECT) || (head->major == 1 && head->minor == 0))
        return true;
    return x->req.expects_continue && !head_repeated(head, FIELD_EXPECT);
}

bool ask_server_wide(const struct exchange *x)
{
    return x->req.target.form == TARGET_ASTERISK;
}
