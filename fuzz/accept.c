/* Accept fields: qualities stay in range, the choice is the best available. The first line is the subject.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/accept.h"
#include "http/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_codings(struct span field, unsigned available)
{
    unsigned quality[CODINGS];
    enum coding best = coding_choose(field, available);

    accept_codings(field, quality);
    DIE_UNLESS(best == CODINGS || ((available & CODING_BIT(best)) != 0 && quality[best] > 0));
    for (unsigned i = 0; i < CODINGS; i++) {
        DIE_UNLESS(quality[i] <= 1000);
        if ((available & CODING_BIT(i)) != 0)
            DIE_UNLESS(best == CODINGS ? quality[i] == 0 : quality[i] <= quality[best]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = { (const char *)data, size };
    size_t end = span_find(whole, '\n');
    struct span subject = { whole.p, end };
    struct span field = span_from(whole, end < size ? end + 1 : end);

    DIE_UNLESS(accept_quality_media(field, subject) <= 1000);
    DIE_UNLESS(accept_quality_media(field, SPAN("text/html; charset=utf-8")) <= 1000);
    DIE_UNLESS(accept_quality_language(field, subject) <= 1000);
    DIE_UNLESS(accept_quality_language(field, SPAN("zh-TW")) <= 1000);
    DIE_UNLESS(!language_is_tag(subject) || language_match(subject, subject) == LANGUAGE_SAME);
    check_codings(field, (unsigned)end % CODING_BIT(CODINGS));
    return 0;
}
