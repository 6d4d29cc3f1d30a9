/* The evaluator runs both functions.  If some output is an integer (a label, a
 * count), a row is answered alike if all integers are equal; else the mean
 * difference of the reals is told beside their range. */
#include "passes/agree.h"

#include <math.h>

enum { ROWS = 100, LEAST_ROWS = 10, MAX_OUTPUTS = 64 };

/* elements that may be computed in all, about a second */
static const double work = 2e8;

struct agree {
    const struct ir_func *f;
    size_t inputs, outputs, rows;
    ir_ref *input;
    const union ir_cell ***answer; /* [rows][outputs] */
    const struct ir_type *type[MAX_OUTPUTS];
    bool whole; /* some output is an integer */
};

static const union ir_cell **
answers(struct arena *mem, const struct agree *a, const struct ir_func *g,
        size_t row)
{
    const union ir_cell **in = arena_new(mem, const union ir_cell *, a->inputs);
    const union ir_cell **out =
        arena_new(mem, const union ir_cell *, a->outputs);

    for (size_t i = 0; i < a->inputs; i++) {
        const struct ir_ins *ins = ir_at(a->f, a->input[i]);
        const struct ir_blob *b = ir_calibration(a->f, ins->as.input.name);

        in[i] = b->cell + row % b->type.dim[0] * ir_count(&ins->type);
    }
    ir_eval(mem, g, in, out, NULL);
    return out;
}

static bool
find_outputs(struct agree *a)
{
    for (uint32_t i = 0; i < a->f->n; i++) {
        const struct ir_ins *ins = &a->f->ins[i];

        if (ins->op != IR_output)
            continue;
        if (a->outputs == MAX_OUTPUTS)
            return false;
        a->type[a->outputs] = &ir_at(a->f, ins->in[0])->type;
        a->whole = a->whole || a->type[a->outputs]->base != IR_REAL;
        a->outputs++;
    }
    return a->outputs > 0;
}

static bool
find_rows(struct arena *mem, struct agree *a)
{
    a->inputs = ir_inputs(a->f, NULL, 0);
    a->input = arena_new(mem, ir_ref, a->inputs);
    ir_inputs(a->f, a->input, a->inputs);
    for (size_t i = 0; i < a->inputs; i++) {
        const struct ir_ins *ins = ir_at(a->f, a->input[i]);
        const struct ir_blob *b = ir_calibration(a->f, ins->as.input.name);

        if (!b || b->type.rank == 0 || b->type.base != ins->type.base
            || ir_count(&b->type) != b->type.dim[0] * ir_count(&ins->type))
            return false;
        if (b->type.dim[0] > a->rows)
            a->rows = b->type.dim[0];
    }
    return a->rows > 0;
}

/* elements of a row: of values, and of what products read */
static double
size_of(const struct ir_func *g)
{
    double n = 0;

    for (uint32_t i = 0; i < g->n; i++)
        n += (double)ir_count(&g->ins[i].type);
    for (const struct ir_blob *b = g->blobs; b; b = b->next)
        n += (double)ir_count(&b->type);
    return n;
}

static size_t
rows_for(const struct agree *a, const struct ir_func *g)
{
    const double n = fmin(fmin((double)a->rows, ROWS), work / size_of(g));

    return n < fmin((double)a->rows, LEAST_ROWS) ? 0 : (size_t)n;
}

struct agree *
agree_new(struct arena *mem, const struct ir_func *f)
{
    struct agree *a = arena_new(mem, struct agree, 1);

    a->f = f;
    if (!find_rows(mem, a) || !find_outputs(a))
        return NULL;
    a->rows = rows_for(a, f);
    if (a->rows == 0)
        return NULL;
    a->answer = arena_new(mem, const union ir_cell **, a->rows);
    for (size_t i = 0; i < a->rows; i++)
        a->answer[i] = answers(mem, a, f, i);
    return a;
}

/* What the rows say so far. */
struct tally {
    size_t alike, reals;
    double off, lo, hi;
};

static void
count(struct tally *t, const struct agree *a, const union ir_cell **is,
      const union ir_cell **was)
{
    bool alike = true;

    for (size_t k = 0; k < a->outputs; k++)
        for (size_t e = 0; e < ir_count(a->type[k]); e++) {
            const double x = was[k][e].r;

            if (a->type[k]->base != IR_REAL) {
                alike = alike && is[k][e].i == was[k][e].i;
            } else if (isfinite(x)) {
                t->off += fabs(is[k][e].r - x);
                t->lo = t->reals ? fmin(t->lo, x) : x;
                t->hi = t->reals ? fmax(t->hi, x) : x;
                t->reals++;
            }
        }
    t->alike += alike;
}

void
agree_phrase(char *text, size_t size, const struct agree *a,
             const struct ir_func *g)
{
    const size_t rows = rows_for(a, g);
    struct tally t = { 0 };

    *text = 0;
    for (size_t i = 0; i < rows; i++) {
        struct arena mem = { 0 };

        count(&t, a, answers(&mem, a, g, i), a->answer[i]);
        arena_free(&mem);
    }
    if (rows && a->whole)
        snprintf(text, size, "%zu of %zu calibration rows answered as by reals",
                 t.alike, rows);
    else if (t.reals)
        snprintf(text, size, "off by %.2g on average, of %.3g to %.3g",
                 t.off / (double)t.reals, t.lo, t.hi);
}
