#include "serve/forward.h"

#define ADMISSIONS_MOST 65536u

static bool wants_nonces(const struct auth_settings *auth)
{
    for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++)
        if (auth->digest[i])
            return true;
    return false;
}

bool forward_open(struct forward *f, struct config *config)
{
    bool nonces = wants_nonces(&config->forward.auth);

    if (f->admissions == NULL && config->forward.listen_count > 0)
        f->admissions = admissions_new(ADMISSIONS_MOST);
    if (f->nonces == NULL && nonces)
        f->nonces = nonces_new();
    config->forward.auth.nonces = nonces ? f->nonces : NULL;
    if ((f->admissions != NULL || config->forward.listen_count == 0) && (f->nonces != NULL || !nonces))
        return true;
    fprintf(stderr, "verdict: no memory, or no randomness, for the forward proxy\n");
    return false;
}

void forward_release(struct forward *f)
{
    nonces_release(&f->nonces);
    admissions_release(&f->admissions);
}

bool forward_accepts(const struct address *addresses, uint32_t count, const struct config *config)
{
    if (count > 0 && config->forward.listen_count == 0) {
        fprintf(stderr, "verdict: reload: forward: its listeners stay open: keep the map, or start anew\n");
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!address_is_local(&addresses[i]) && !config_forward_is_closed(&config->forward)) {
            fprintf(stderr,
                    "verdict: reload: forward: the listener stays at %s, which other machines reach: keep its users or "
                    "clients, or start anew\n",
                    addresses[i].text);
            return false;
        }
    return true;
}
