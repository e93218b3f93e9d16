#ifndef CLI_LOCALE_H
#define CLI_LOCALE_H

#include "explain/text.h"

/* The language that LC_ALL, LC_MESSAGES or LANG asks for, the first of them that is set: "zh_TW.UTF-8" is zh-TW. English
 * when none is, or it is a language that there are no texts in. */
enum language locale_language(void);

#endif
