/* The decision graph for graphviz, on standard output: the picture inside the program is drawn from it at build time. */
#include <stdio.h>

#include "graph/draw.h"

int main(void)
{
    draw_dot(stdout, DIALECT_RFC);
    return fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}
