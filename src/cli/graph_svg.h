#ifndef CLI_GRAPH_SVG_H
#define CLI_GRAPH_SVG_H

#include <stddef.h>

/* The picture of the server's graph in the RFC dialect, drawn by Graphviz when the program was built (tools/graph-svg,
 * tools/embed), so that showing it needs nothing. */
extern const unsigned char graph_svg[];
extern const size_t graph_svg_bytes;

#endif
