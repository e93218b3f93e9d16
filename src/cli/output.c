#include "cli/output.h"

#include <stdlib.h>
#include <unistd.h>

#define LABEL_INDENT  2
#define LABEL_COLUMNS 16

static const char *const styles[] = {
    [OUTPUT_PLAIN] = "",
    [OUTPUT_DIM] = "\033[2m",
    [OUTPUT_BOLD] = "\033[1m",
    [OUTPUT_RED] = "\033[1;31m",
};
static const char plain[] = "\033[0m";

void output_init(struct output *o, FILE *file)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

    *o = (struct output){ .file = file };
    o->colour = isatty(fileno(file)) && (no_colour == NULL || no_colour[0] == '\0') && terminal != NULL &&
                strcmp(terminal, "dumb") != 0;
}

static size_t character_bytes(struct span s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    return n < s.n ? n : s.n;
}

/* Chinese characters and their punctuation, full-width forms: U+1100 to U+115F, U+2E80 to U+A4CF, U+AC00 to U+D7A3,
 * U+F900 to U+FAFF, U+FE30 to U+FE4F, U+FF00 to U+FF60, U+20000 and more. */
static bool is_wide(struct span s)
{
    const unsigned char *u = (const unsigned char *)s.p;
    unsigned code;

    if (character_bytes(s) < 3)
        return false;
    if (character_bytes(s) == 4)
        return true;
    code = (u[0] & 0x0Fu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu);
    return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
           (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFE30 && code <= 0xFE4F) || (code >= 0xFF00 && code <= 0xFF60);
}

size_t output_width(struct span text)
{
    size_t columns = 0;

    while (text.n > 0) {
        columns += is_wide(text) ? 2 : 1;
        text = span_from(text, character_bytes(text));
    }
    return columns;
}

static bool is_one_of(struct span s, const char *characters)
{
    struct span rest = span_of(characters);

    while (rest.n > 0) {
        if (span_starts(s, (struct span){ rest.p, character_bytes(rest) }))
            return true;
        rest = span_from(rest, character_bytes(rest));
    }
    return false;
}

/* The bytes at the start of s that stay on one line: a word, or a wide character with the punctuation around it. */
static size_t unit_bytes(struct span s)
{
    size_t n = 0;
    bool wide, opens;
    struct span next;

    do {
        wide = is_wide(span_from(s, n));
        opens = is_one_of(span_from(s, n), "（「『《");
        n += character_bytes(span_from(s, n));
        if (n == s.n || s.p[n] == ' ')
            return n;
        next = span_from(s, n);
    } while (opens || (!wide && !is_wide(next)) || is_one_of(next, "，。；：、）」』》？！"));
    return n;
}

/* Writes text from column `at` on, further lines from `indent` on. The last line is left open. */
static void wrapped(struct output *o, size_t at, size_t indent, struct span text)
{
    bool space = false;

    while (text.n > 0) {
        struct span unit;
        size_t columns;

        if (text.p[0] == ' ') {
            space = true;
            text = span_from(text, 1);
            continue;
        }
        unit = (struct span){ text.p, unit_bytes(text) };
        columns = output_width(unit);
        if (at > indent && at + space + columns > OUTPUT_COLUMNS) {
            fprintf(o->file, "\n%*s", (int)indent, "");
            at = indent;
            space = false;
        }
        fprintf(o->file, "%s%.*s", space ? " " : "", (int)unit.n, unit.p);
        at += columns + space;
        space = false;
        text = span_from(text, unit.n);
    }
}

static void spaces(struct output *o, size_t columns)
{
    fprintf(o->file, "%*s", (int)columns, "");
}

static void style_begin(struct output *o, enum output_style style)
{
    if (o->colour && style != OUTPUT_PLAIN)
        fputs(styles[style], o->file);
}

static void style_end(struct output *o, enum output_style style)
{
    if (o->colour && style != OUTPUT_PLAIN)
        fputs(plain, o->file);
}

void output_styled(struct output *o, enum output_style style, const char *text)
{
    style_begin(o, style);
    fputs(text, o->file);
    style_end(o, style);
    o->begun = true;
}

void output_wrapped(struct output *o, enum output_style style, size_t at, size_t indent, const char *text)
{
    style_begin(o, style);
    wrapped(o, at, indent, span_of(text));
    style_end(o, style);
    fputc('\n', o->file);
    o->begun = true;
}

/* The aside has a line of its own where the heading leaves it no room. */
void output_heading(struct output *o, const char *heading, const char *aside)
{
    size_t left = output_width(span_of(heading)), right = output_width(span_of(aside));

    if (o->begun)
        fputc('\n', o->file);
    o->begun = true;
    if (left + 2 + right > OUTPUT_COLUMNS) {
        output_wrapped(o, OUTPUT_BOLD, 0, 0, heading);
        left = 0;
    } else {
        output_styled(o, OUTPUT_BOLD, heading);
    }
    if (right > 0) {
        spaces(o, OUTPUT_COLUMNS - left - right);
        output_styled(o, OUTPUT_DIM, aside);
    }
    if (right > 0 || left > 0)
        fputc('\n', o->file);
}

void output_entry(struct output *o, size_t label_columns, const char *label, const char *text)
{
    size_t columns = output_width(span_of(label)), start = LABEL_INDENT + label_columns;

    if (text[0] == '\0')
        return;
    spaces(o, LABEL_INDENT);
    output_styled(o, OUTPUT_DIM, label);
    spaces(o, columns < label_columns ? label_columns - columns : 1);
    output_wrapped(o, OUTPUT_PLAIN, start, start, text);
}

void output_row(struct output *o, const char *label, const char *text)
{
    output_entry(o, LABEL_COLUMNS, label, text);
}

void output_paragraph(struct output *o, size_t indent, const char *text)
{
    spaces(o, indent);
    output_wrapped(o, OUTPUT_PLAIN, indent, indent, text);
}

void output_cell(struct output *o, size_t columns, const char *text)
{
    size_t used = output_width(span_of(text));

    fputs(text, o->file);
    spaces(o, used < columns ? columns - used : 0);
    o->begun = true;
}

int output_wrong(const char *command, const char *what, const char *why, const char *todo)
{
    fprintf(stderr, "verdict: %s: %s: %s: %s\n", command, what, why, todo);
    return 2;
}

int output_end(const char *command, FILE *file)
{
    if (fflush(file) == 0 && !ferror(file))
        return 0;
    fprintf(stderr, "verdict: %s: output: cannot be written: free space or another place is needed\n", command);
    return 1;
}
