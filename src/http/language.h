#ifndef HTTP_LANGUAGE_H
#define HTTP_LANGUAGE_H

#include <stdbool.h>

#include "base/span.h"

/* Language tags (RFC5646:2.1), as far as choosing among files and texts needs them. Pure; any thread. */

/* Longest tag a file name may carry. */
#define LANGUAGE_TAG_BYTES 35

/*
 * Is this text built like a tag: two or three letters, then perhaps a script of four letters, a region of two letters
 * or three digits, and variants (`en`, `zh-TW`, `zh-Hant`, `sl-rozaj`)? No registry is asked, so `gz` and `js` pass
 * too: for a file's suffix look for a media type and a coding first.
 */
bool language_is_tag(struct span text);

/* RFC5646:2.1.1: tags are compared without regard to case. */
static inline bool language_is(struct span a, struct span b)
{
    return span_is_nocase(a, b);
}

/* How well a language range suits a tag; the larger the closer. */
enum language_match {
    LANGUAGE_OTHER,  /* not at all */
    LANGUAGE_NEAR,   /* same language and script, different region or variant: en-GB for en-US */
    LANGUAGE_LOOKUP, /* the range says more, as in RFC4647:3.4: en-US for en */
    LANGUAGE_FILTER, /* the tag says more, as in RFC4647:3.3.1: en for en-US */
    LANGUAGE_SAME    /* equal, or as good as: zh-Hant-TW for zh-TW */
};

/*
 * range        a basic language range other than `*`
 * tag          the tag of what there is
 *
 * Chinese without a script gets the one its region writes: TW, HK, MO Hant; CN, SG, MY Hans. So zh-Hant finds zh-TW,
 * zh-HK is near it, and zh-CN is another script, hence no match.
 */
enum language_match language_match(struct span range, struct span tag);

#endif
