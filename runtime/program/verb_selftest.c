/* selftest of a program with both halves: what a half can do, and one row of
 * its smallest numbers through the whole cycle. */
#include "runtime/program/program.h"

#include <stdlib.h>

enum { NUMBER = 32 }; /* bytes of one, with its comma */

/* One row: of each input its least number, or 0. */
static char *
least_row(const struct program *p)
{
    const struct cml_input *in = p->m->inputs;
    char *text = malloc(p->layout.inputs * NUMBER + 1), *to = text;

    for (int64_t i = 0; text && i < p->m->ninputs; i++)
        for (int64_t j = 0; j < in[i].count; j++)
            to += snprintf(to, NUMBER, "%s%.17g", to == text ? "" : ",",
                           in[i].boxed ? in[i].lo : 0.0);
    return text;
}

static enum cml_status
cycle(struct program *p, struct page *g)
{
    char *row = least_row(p);
    const char *list[] = { row }, **kept = p->o.list;
    enum cml_status s;

    if (!row)
        return program_no_memory(p);
    p->o.list = list;
    p->o.listed = 1;
    p->o.quiet = true;
    s = program_cycle(p);
    p->o.list = kept; /* for its owner */
    p->o.listed = 0;
    fprintf(g->file, "%-9s one row, encrypted as in the clear\n",
            s == CML_E_ok ? "ok" : "WRONG");
    free(row);
    return s;
}

enum cml_status
verb_selftest(struct program *p)
{
    enum cml_status s, printed;
    struct page g;

    if (!page_open(&g))
        return program_no_memory(p);
    s = program_selftest(p, &g);
    if (s == CML_E_ok)
        s = cycle(p, &g);
    printed = page_emit(p, &g, NULL, CMLRT_REPLACE);
    return s == CML_E_ok ? printed : s;
}
