/* Results as CSV, JSON or an array of numpy.
 *
 *     csv    a header of names, NAME or NAME[0], NAME[1] .., then the rows
 *     json   an array of objects; an output of several numbers is an array
 *     npy    f64 of shape [rows, ..] as the output's, or, of several outputs,
 *            [rows, columns of csv]
 *
 * An integer output with labels prints the label of its number; in an array it
 * is the number.
 */
#include "runtime/program/program.h"

#include <math.h>
#include <string.h>

/* RFC 4180: quotes around what has commas, quotes or line ends. */
static void
csv_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* The label of x, or NULL: the number itself is printed. */
static const char *
label_of(const struct cml_output *o, double x)
{
    const char *const *labels = o->labels;

    if (!labels || !o->integer || !(x >= 0 && x < (double)o->nlabels))
        return NULL;
    return labels[(size_t)x];
}

static void
print_value(FILE *out, const struct cml_output *o, double x, bool json)
{
    const char *label = label_of(o, x);

    if (label)
        (json ? json_text : csv_text)(out, label);
    else if (o->integer)
        fprintf(out, "%.0f", x);
    else if (json && !isfinite(x))
        fputs("null", out);
    else
        print_number(out, x);
}

static void
print_csv(FILE *out, const struct program *p, const struct results *r)
{
    const struct cml_output *first = p->m->outputs;
    const struct cml_output *end = first + p->m->noutputs;
    const double *x = r->at;
    const char *comma = "";

    for (const struct cml_output *o = first; o < end; o++)
        for (int64_t i = 0; i < o->count; i++, comma = ",") {
            fputs(comma, out);
            csv_text(out, number_name(o->name, o->count, i).text);
        }
    fputc('\n', out);
    for (size_t row = 0; row < r->rows; row++) {
        comma = "";
        for (const struct cml_output *o = first; o < end; o++)
            for (int64_t i = 0; i < o->count; i++, comma = ",") {
                fputs(comma, out);
                print_value(out, o, *x++, false);
            }
        fputc('\n', out);
    }
}

static const double *
print_object(FILE *out, const struct program *p, const double *x)
{
    const struct cml_output *o = p->m->outputs;

    fputc('{', out);
    for (int64_t i = 0; i < p->m->noutputs; i++) {
        fputs(i ? ", " : "", out);
        json_text(out, o[i].name);
        fputs(o[i].count == 1 ? ": " : ": [", out);
        for (int64_t j = 0; j < o[i].count; j++) {
            fputs(j ? ", " : "", out);
            print_value(out, &o[i], *x++, true);
        }
        fputs(o[i].count == 1 ? "" : "]", out);
    }
    fputc('}', out);
    return x;
}

static void
print_json(FILE *out, const struct program *p, const struct results *r)
{
    const double *x = r->at;

    fputc('[', out);
    for (size_t row = 0; row < r->rows; row++) {
        fputs(row ? ",\n " : "", out);
        x = print_object(out, p, x);
    }
    fputs("]\n", out);
}

/* Format 1.0: the data begin at a multiple of 64. */
static void
print_npy(FILE *out, const struct program *p, const struct results *r)
{
    const struct cml_output *o = p->m->outputs;
    const int64_t *dim = o->dims;
    const size_t cells = r->rows * p->layout.outputs;
    char head[64 * 8], shape[400];
    int n, size = snprintf(shape, sizeof shape, "%zu,", r->rows);

    for (int64_t i = 0; p->m->noutputs == 1 && i < o->rank; i++)
        size += snprintf(shape + size, sizeof shape - (size_t)size, " %lld,",
                         (long long)dim[i]);
    if (p->m->noutputs != 1)
        (void)snprintf(shape + size, sizeof shape - (size_t)size, " %zu,",
                       p->layout.outputs);
    n = snprintf(head, sizeof head,
                 "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }",
                 shape);
    size = (10 + n + 1 + 63) / 64 * 64 - 10;
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    fputc(size & 255, out);
    fputc(size >> 8, out);
    fprintf(out, "%s%*s\n", head, size - n - 1, "");
    fwrite(r->at, sizeof *r->at, cells, out);
}

enum cml_status
program_print(struct program *p, const struct results *r, const char *path)
{
    const char *format = p->o.format ? p->o.format : "csv";
    struct page g;

    if (!page_open(&g))
        return program_no_memory(p);
    if (strcmp(format, "json") == 0)
        print_json(g.file, p, r);
    else if (strcmp(format, "npy") == 0)
        print_npy(g.file, p, r);
    else
        print_csv(g.file, p, r);
    return page_emit(p, &g, path, CMLRT_SECRET);
}
