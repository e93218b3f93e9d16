#include "graph/draw.h"

/* Prints the graph for tools/graph-svg while the program is being built. */
int main(void)
{
    draw_dot(stdout, DIALECT_RFC);
    return fflush(stdout) == 0 ? 0 : 1;
}
