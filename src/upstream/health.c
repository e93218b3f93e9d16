#include "upstream/health.h"

bool health_is_live(const struct health *h, uint64_t now_ms)
{
    if (h->checked_down)
        return false;
    return !h->rests || (now_ms >= h->rested_ms && now_ms >= h->probed_ms);
}

/* Nobody can tell how long it takes until an answer begins: a client may be slow to send its content. */
bool health_take(struct health *h, const struct upstream_group *rules, uint64_t now_ms)
{
    if (h->rests && now_ms >= h->rested_ms)
        h->probed_ms = now_ms + rules->rest_ms;
    return h->rests;
}

static void rest(struct health *h, const struct upstream_group *rules, uint64_t now_ms)
{
    h->rests = true;
    h->rested_ms = now_ms + rules->rest_ms;
    h->failures = 0;
}

static void come_back(struct health *h, uint64_t now_ms)
{
    h->rests = h->checked_down = false;
    h->failures = 0;
    h->back_ms = now_ms;
}

/* One failure is enough for somebody who was resting. */
void health_probed(struct health *h, const struct upstream_group *rules, enum health_probe how, uint64_t now_ms)
{
    h->probed_ms = 0;
    if (!h->rests)
        return;
    if (how == HEALTH_WELL)
        come_back(h, now_ms);
    else if (how == HEALTH_ILL)
        rest(h, rules, now_ms);
}

/* What fails during a rest began before it, or is the one exchange that health_probed() judges. */
bool health_failed(struct health *h, const struct upstream_group *rules, uint64_t now_ms)
{
    if (rules->fails == 0 || h->rests)
        return false;
    if (h->failures == 0 || now_ms - h->since_ms >= rules->fail_ms) {
        h->failures = 0;
        h->since_ms = now_ms;
    }
    if (++h->failures < rules->fails)
        return false;
    rest(h, rules, now_ms);
    return true;
}

bool health_checked(struct health *h, const struct upstream_group *rules, bool well, uint64_t now_ms)
{
    if (well != h->checked_down) {
        h->checks = 0;
        return false;
    }
    if (++h->checks < (well ? rules->check.rise : rules->check.fall))
        return false;
    h->checks = 0;
    if (well)
        come_back(h, now_ms);
    else
        h->checked_down = true;
    return true;
}

uint32_t health_share(const struct health *h, const struct upstream_group *rules, uint64_t now_ms)
{
    uint64_t past_ms = now_ms - h->back_ms, share;

    if (h->back_ms == 0 || past_ms >= rules->slow_start_ms)
        return HEALTH_WHOLE_SHARE;
    share = past_ms * HEALTH_WHOLE_SHARE / rules->slow_start_ms;
    return share > 0 ? (uint32_t)share : 1;
}
