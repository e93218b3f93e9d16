#include "exchange/allow.h"
#include "graph/graph.h"
#include "http/websocket.h"

bool ask_tunnels(const struct exchange *x)
{
    return x->policy->tunnels;
}

/* CONNECT without a protocol is for proxies. */
bool ask_tunnel_method(const struct exchange *x)
{
    return x->req.connect_protocol.n > 0 || (exchange_methods(x, METHODS_DECIDE) >> x->req.head.method & 1) != 0;
}

bool ask_tunnel_options(const struct exchange *x)
{
    return x->req.head.method == M_OPTIONS;
}

bool ask_connects(const struct exchange *x)
{
    return x->req.connect_protocol.n > 0;
}

bool ask_connect_protocol_spoken(const struct exchange *x)
{
    return span_is(x->req.connect_protocol, SPAN("websocket"));
}

/* A 1.0 client cannot change the protocol: its Upgrade is ignored. RFC9110:7.8 */
bool ask_websocket_offered(const struct exchange *x)
{
    const struct head *head = &x->req.head;

    return head->major == 1 && head->minor > 0 && head_list_has(head, FIELD_CONNECTION, SPAN("upgrade")) &&
           head_list_has(head, FIELD_UPGRADE, SPAN("websocket"));
}

bool ask_websocket_key_valid(const struct exchange *x)
{
    const struct field *key = head_field(&x->req.head, FIELD_SEC_WEBSOCKET_KEY);

    return key != NULL && !head_repeated(&x->req.head, FIELD_SEC_WEBSOCKET_KEY) && websocket_key_valid(key->value);
}

bool ask_websocket_version_given(const struct exchange *x)
{
    return request_has(x, FIELD_SEC_WEBSOCKET_VERSION);
}

bool ask_websocket_version_spoken(const struct exchange *x)
{
    return head_list_has(&x->req.head, FIELD_SEC_WEBSOCKET_VERSION, SPAN("13"));
}

bool ask_has_stream(const struct exchange *x)
{
    return x->req.connect_protocol.n > 0;
}
