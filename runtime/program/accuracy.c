/* How right the results are, against the columns of --truth.
 *
 *     label or integer   share of equal values
 *     real               R2 and mean absolute error; against truths of 0 and 1
 *                        also the share on the right side of 0.5
 *
 * Columns are matched by the names of the outputs; outputs without a column
 * are left out.
 */
#include "runtime/program/program.h"

#include <math.h>
#include <stdlib.h>

/* One number of an output over all rows: predictions and truths, which lie
 * `step` apart. */
struct pairing {
    const double *x, *y;
    size_t rows, step;
};

static double
share_equal(const struct pairing *a)
{
    size_t right = 0;

    for (size_t i = 0; i < a->rows * a->step; i += a->step)
        right += a->x[i] == a->y[i];
    return (double)right / (double)a->rows;
}

/* Truths of 0 and 1 and predictions between them. */
static bool
is_binary(const struct pairing *a)
{
    bool yes = true;

    for (size_t i = 0; i < a->rows * a->step; i += a->step)
        yes = yes && (a->y[i] == 0 || a->y[i] == 1) && a->x[i] >= 0
              && a->x[i] <= 1;
    return yes;
}

static double
share_of_side(const struct pairing *a)
{
    size_t right = 0;

    for (size_t i = 0; i < a->rows * a->step; i += a->step)
        right += (a->x[i] >= 0.5) == (a->y[i] == 1);
    return (double)right / (double)a->rows;
}

static void
regression(double *r2, double *mae, const struct pairing *a)
{
    const double n = (double)a->rows;
    double mean = 0, residual = 0, total = 0;

    *mae = 0;
    for (size_t i = 0; i < a->rows * a->step; i += a->step)
        mean += a->y[i] / n;
    for (size_t i = 0; i < a->rows * a->step; i += a->step) {
        const double e = a->x[i] - a->y[i], d = a->y[i] - mean;

        residual += e * e;
        total += d * d;
        *mae += fabs(e) / n;
    }
    *r2 = total > 0 ? 1 - residual / total : (double)NAN;
}

static void
tell(struct program *p, const char *name, const struct cml_output *o,
     const struct pairing *a)
{
    double r2, mae;

    if (o->integer) {
        program_note(p, "accuracy        %s: %.2f %% of %zu rows", name,
                     100 * share_equal(a), a->rows);
        return;
    }
    regression(&r2, &mae, a);
    program_note(p,
                 "accuracy        %s: R2 %.4f, mean absolute error %.4g, %zu "
                 "rows",
                 name, r2, mae, a->rows);
    if (is_binary(a))
        program_note(p, "accuracy        %s: %.2f %% at 0.5", name,
                     100 * share_of_side(a));
}

/* Names of the numbers of all outputs, as in the CSV that decrypt prints. */
static void
fill(struct cml_column *column, struct number_name *made,
     const struct program *p)
{
    const struct cml_output *o = p->m->outputs;
    size_t at = 0;

    for (int64_t i = 0; i < p->m->noutputs; i++)
        for (int64_t j = 0; j < o[i].count; j++, at++) {
            made[at] = number_name(o[i].name, o[i].count, j);
            column[at].name = made[at].text;
            column[at].labels = o[i].labels;
            column[at].nlabels = (size_t)o[i].nlabels;
        }
}

static enum cml_status
compare(struct program *p, const struct results *r,
        const struct cml_rows *truth, const struct number_name *made)
{
    const struct cml_output *o = p->m->outputs;
    size_t at = 0, known = 0;

    if (truth->rows < r->rows)
        return cmlrt_fail(&p->fault, CML_E_data,
                          "%s has %zu rows, the data has %zu", p->o.truth,
                          truth->rows, r->rows);
    for (int64_t i = 0; i < p->m->noutputs; i++)
        for (int64_t j = 0; j < o[i].count; j++, at++) {
            const struct pairing a = { r->at + at, truth->at + at, r->rows,
                                       truth->columns };

            if (isnan(*a.y))
                continue; /* not in the file */
            known++;
            tell(p, made[at].text, &o[i], &a);
        }
    if (known)
        return CML_E_ok;
    return cmlrt_fail(&p->fault, CML_E_data, "%s has no column of an output",
                      p->o.truth);
}

enum cml_status
program_accuracy(struct program *p, const struct results *r)
{
    const size_t n = p->layout.outputs;
    struct cml_column *column = calloc(n + 1, sizeof *column);
    struct number_name *made = calloc(n + 1, sizeof *made);
    const struct cml_columns columns = { column, n, false, true };
    struct cml_rows truth = { 0, 0, NULL };
    enum cml_status s = column && made ? CML_E_ok : program_no_memory(p);

    if (s == CML_E_ok) {
        fill(column, made, p);
        s = cmlrt_rows_read(&truth, p->o.truth, &columns, &p->fault);
    }
    if (s == CML_E_ok)
        s = compare(p, r, &truth, made);
    free(truth.at);
    free(column);
    free(made);
    return s;
}
