#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include "base/span.h"

/* A file of the console, or the picture of the graph, as built into the program (tools/embed). All static. */
struct admin_page {
    struct span path; /* begins with '/' */
    struct span media_type;
    struct span tag; /* opaque part of a strong entity tag: other content has another one */
    struct span content;
};

/* The page at a decoded path, "/" included; NULL: there is none. */
const struct admin_page *admin_page_find(struct span path);

#endif
