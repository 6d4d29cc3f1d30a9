/* Results as text: made in memory first, so that a file is whole or untouched
 * and a full disk is noticed. */
#define _POSIX_C_SOURCE 200809L

#include "runtime/program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
page_open(struct page *g)
{
    g->text = NULL;
    g->bytes = 0;
    g->file = open_memstream(&g->text, &g->bytes);
    return g->file != NULL;
}

enum cml_status
page_emit(struct program *p, struct page *g, const char *path, unsigned flags)
{
    const bool complete = !ferror(g->file);
    enum cml_status s;

    if (fclose(g->file) != 0 || !complete) {
        free(g->text);
        return program_no_memory(p);
    }
    s = cmlrt_write_file(path ? path : "-",
                         &(struct cmlrt_part){ g->text, g->bytes }, 1, flags,
                         &p->fault);
    free(g->text);
    return s;
}

void
json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void
print_number(FILE *out, double x)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    fputs(isnan(x) ? "nan" : text, out);
}
