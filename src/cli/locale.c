#include "cli/locale.h"

#include <stdlib.h>

enum language locale_language(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        char tag[16];
        size_t n = 0;
        enum language language;

        if (value == NULL || value[0] == '\0')
            continue;
        while (n < sizeof tag && value[n] != '\0' && value[n] != '.' && value[n] != '@') {
            tag[n] = value[n] == '_' ? '-' : value[n];
            n++;
        }
        language = explain_language_find((struct span){ tag, n });
        return language != LANGUAGES ? language : LANGUAGE_EN;
    }
    return LANGUAGE_EN;
}
