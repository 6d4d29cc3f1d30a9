/* The user's rows: one file with the columns of all inputs, or INPUT=FILE for
 * each.  Values outside a declared box are clipped, or refused. */
#include "runtime/program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct number_name
number_name(const char *name, int64_t count, int64_t i)
{
    struct number_name n;

    if (count == 1)
        (void)snprintf(n.text, sizeof n.text, "%s", name);
    else
        (void)snprintf(n.text, sizeof n.text, "%.60s[%lld]", name,
                       (long long)i);
    return n;
}

struct number_name
input_name(const struct program *p, size_t i)
{
    const struct cml_input *in = p->m->inputs;
    const char *const *names;

    for (; i >= (size_t)in->count; in++)
        i -= (size_t)in->count;
    names = in->names;
    return names ? number_name(names[i], 1, 0)
                 : number_name(in->name, in->count, (int64_t)i);
}

/* The columns of all inputs, with the names that have to be made. */
struct schema {
    struct cml_column *column;
    struct number_name *made;
    bool named;
};

static enum cml_status
open_schema(struct program *p, struct schema *d)
{
    const struct cml_input *in = p->m->inputs;
    size_t at = 0;

    d->named = false;
    d->column = calloc(p->layout.inputs + 1, sizeof *d->column);
    d->made = calloc(p->layout.inputs + 1, sizeof *d->made);
    if (!d->column || !d->made)
        return program_no_memory(p);
    for (; in < (const struct cml_input *)p->m->inputs + p->m->ninputs; in++) {
        const char *const *names = in->names;

        d->named = d->named || names;
        for (int64_t i = 0; i < in->count; i++, at++) {
            d->made[at] = number_name(in->name, in->count, i);
            d->column[at].name = names            ? names[i]
                                 : in->count == 1 ? in->name
                                                  : d->made[at].text;
            d->column[at].integer = in->integer != 0;
            d->column[at].missing = in->missing != 0;
        }
    }
    return CML_E_ok;
}

/* The input that an argument NAME=FILE is for, or NULL. */
static const struct cml_input *
input_of(const struct program *p, const char *argument)
{
    const struct cml_input *in = p->m->inputs;
    const char *equals = strchr(argument, '=');

    for (int64_t i = 0; equals && i < p->m->ninputs; i++)
        if (strlen(in[i].name) == (size_t)(equals - argument)
            && memcmp(in[i].name, argument, (size_t)(equals - argument)) == 0)
            return &in[i];
    return NULL;
}

static size_t
first_column(const struct program *p, const struct cml_input *in)
{
    size_t at = 0;

    for (const struct cml_input *i = p->m->inputs; i < in; i++)
        at += (size_t)i->count;
    return at;
}

/* The columns of one input, put between those of the others. */
static enum cml_status
read_input(struct program *p, struct cml_rows *out, const struct schema *d,
           const char *argument)
{
    const struct cml_input *in = input_of(p, argument);
    const size_t first = first_column(p, in), all = p->layout.inputs;
    const struct cml_columns columns = { d->column + first, (size_t)in->count,
                                         in->names != NULL, false };
    struct cml_rows part = { 0, 0, NULL };
    enum cml_status s =
        cmlrt_rows_read(&part, strchr(argument, '=') + 1, &columns, &p->fault);

    if (s == CML_E_ok && !out->at) {
        *out = (struct cml_rows){ part.rows, all, NULL };
        out->at = calloc(part.rows, all * sizeof *out->at);
        s = out->at ? s : program_no_memory(p);
    }
    if (s == CML_E_ok && part.rows != out->rows)
        s = cmlrt_fail(&p->fault, CML_E_data,
                       "%s has %zu rows, the input before it %zu", argument,
                       part.rows, out->rows);
    for (size_t r = 0; s == CML_E_ok && r < part.rows; r++)
        memcpy(out->at + r * all + first, part.at + r * part.columns,
               part.columns * sizeof *part.at);
    if (part.at)
        cmlrt_wipe(part.at, part.rows * part.columns * sizeof *part.at);
    free(part.at);
    return s;
}

static enum cml_status
read_inputs(struct program *p, struct cml_rows *out, const struct schema *d)
{
    const struct cml_input *in = p->m->inputs;
    enum cml_status s = CML_E_ok;

    for (int64_t i = 0; s == CML_E_ok && i < p->m->ninputs; i++) {
        size_t found = 0;

        for (size_t j = 0; j < p->o.listed; j++)
            if (input_of(p, p->o.list[j]) == &in[i] && found++ == 0)
                s = read_input(p, out, d, p->o.list[j]);
        if (s == CML_E_ok && found != 1)
            s = cmlrt_fail(&p->fault, CML_E_usage,
                           "-i %s=FILE is needed once, not %zu times",
                           (const char *)in[i].name, found);
    }
    return s;
}

static enum cml_status
read_all(struct program *p, struct cml_rows *out, const struct schema *d)
{
    const struct cml_columns columns = { d->column, p->layout.inputs, d->named,
                                         false };
    size_t pairs = 0;

    *out = (struct cml_rows){ 0, p->layout.inputs, NULL };
    for (size_t i = 0; i < p->o.listed; i++)
        pairs += input_of(p, p->o.list[i]) != NULL;
    if (p->o.listed == 0)
        return cmlrt_fail(&p->fault, CML_E_usage,
                          "the rows are missing: -i FILE");
    if (pairs == p->o.listed)
        return read_inputs(p, out, d);
    if (p->o.listed > 1)
        return cmlrt_fail(&p->fault, CML_E_usage,
                          "one file, or INPUT=FILE for each input");
    return cmlrt_rows_read(out, p->o.list[0], &columns, &p->fault);
}

/* ---- boxes */

static enum cml_status
clip(struct program *p, struct cml_rows *rows, struct clipping *clipped,
     const struct schema *d)
{
    const struct cml_input *in = p->m->inputs;

    for (size_t i = 0, left = 0; i < rows->columns; i++, left--) {
        if (i == 0)
            left = (size_t)in->count;
        for (; left == 0; left = (size_t)in->count)
            in++;
        for (size_t r = 0; r < rows->rows; r++) {
            double *x = &rows->at[r * rows->columns + i];

            if (isnan(*x) && in->missing)
                continue;
            if (!isfinite(*x))
                return cmlrt_fail(&p->fault, CML_E_data,
                                  "row %zu: %s has no value", r + 1,
                                  d->column[i].name);
            if (!in->boxed || (*x >= in->lo && *x <= in->hi))
                continue;
            if (p->o.strict)
                return cmlrt_fail(&p->fault, CML_E_data,
                                  "row %zu: %s = %g is not in %g..%g", r + 1,
                                  d->column[i].name, *x, in->lo, in->hi);
            *x = *x < in->lo ? in->lo : in->hi;
            clipped->row[r] = clipped->input[i] = true;
        }
    }
    return CML_E_ok;
}

/* Only the first rows, with --rows. */
static void
trim(const struct program *p, struct cml_rows *rows)
{
    const size_t most = (size_t)p->o.rows;

    if (!most || rows->rows <= most)
        return;
    cmlrt_wipe(rows->at + most * rows->columns,
               (rows->rows - most) * rows->columns * sizeof *rows->at);
    rows->rows = most;
}

enum cml_status
program_rows(struct program *p, struct cml_rows *out, struct clipping *clipped)
{
    struct schema d = { NULL, NULL, false };
    enum cml_status s = open_schema(p, &d);

    *out = (struct cml_rows){ 0, 0, NULL };
    if (s == CML_E_ok)
        s = read_all(p, out, &d);
    if (s == CML_E_ok)
        trim(p, out);
    if (s == CML_E_ok && out->rows > UINT32_MAX)
        s = cmlrt_fail(&p->fault, CML_E_data, "more than 2^32 rows");
    if (s == CML_E_ok) {
        clipped->row = calloc(out->rows + 1, sizeof *clipped->row);
        clipped->input = calloc(out->columns + 1, sizeof *clipped->input);
        s = clipped->row && clipped->input ? s : program_no_memory(p);
    }
    if (s == CML_E_ok)
        s = clip(p, out, clipped, &d);
    free(d.column);
    free(d.made);
    return s;
}
