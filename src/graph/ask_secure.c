#include "graph/graph.h"

bool ask_secured(const struct exchange *x)
{
    return x->transport->secured;
}

bool ask_authority_covered(const struct exchange *x)
{
    return !x->misdirected;
}

bool ask_tls_strong(const struct exchange *x)
{
    return x->transport->tls_version >= x->policy->tls_version_min;
}

bool ask_certificate_asked(const struct exchange *x)
{
    return x->transport->client_auth != CLIENT_AUTH_OFF;
}

bool ask_certificate_shown(const struct exchange *x)
{
    return x->transport->client_certificate != R_client_cert_required;
}

bool ask_certificate_optional(const struct exchange *x)
{
    return x->transport->client_auth == CLIENT_AUTH_OPTIONAL && x->policy->subject_count == 0;
}

bool ask_certificate_current(const struct exchange *x)
{
    return x->transport->client_certificate != R_client_cert_expired;
}

bool ask_certificate_standing(const struct exchange *x)
{
    return x->transport->client_certificate != R_client_cert_revoked;
}

bool ask_certificate_trusted(const struct exchange *x)
{
    return x->transport->client_certificate == R_NONE;
}

bool ask_subject_admitted(const struct exchange *x)
{
    for (unsigned i = 0; i < x->policy->subject_count; i++)
        if (span_is(x->policy->subjects[i], x->transport->client_subject))
            return true;
    return x->policy->subject_count == 0;
}

bool ask_port_moves(const struct exchange *x)
{
    return x->transport->on_tls_port;
}

/* A client of HTTP/1.0 need not say which host it means: then there is no address to send it to. */
bool ask_place_known(const struct exchange *x)
{
    return x->req.host.name.n > 0;
}

/* A proxy that the operator trusts has kept the promise of https on its own side; who asks a forward proxy means the other
 * side. */
bool ask_https_meant(const struct exchange *x)
{
    struct span scheme = x->req.target.scheme.n > 0 ? x->req.target.scheme : x->req.head.scheme;

    return span_is_nocase(scheme, SPAN("https")) && !x->from_trusted && !x->policy->proxies;
}

bool ask_tls_wanted(const struct exchange *x)
{
    return x->policy->tls_need != TLS_ANY;
}

bool ask_tls_redirects(const struct exchange *x)
{
    return x->policy->tls_need == TLS_REDIRECT && ask_place_known(x);
}

bool ask_tls_upgrades(const struct exchange *x)
{
    return x->policy->tls_need == TLS_UPGRADE;
}
