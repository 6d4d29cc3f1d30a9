/* clear and simulate: the quantised model on the user's rows without keys. */
#include "runtime/program/program.h"

#include <stdlib.h>

/* Rows and what came of them. */
struct trial {
    struct messages in;
    struct cmlrt_pool *pool;
    int64_t *clear, *simulated;
    size_t n; /* replies of all rows */
};

static enum cml_status
trial_open(struct program *p, struct trial *t)
{
    enum cml_status s;

    client_guard();
    s = program_read(p, &t->in);
    if (s == CML_E_ok)
        s = program_pool(p, &t->pool);
    if (s != CML_E_ok)
        return s;
    t->n = t->in.rows * p->layout.replies;
    t->clear = calloc(t->n + 1, sizeof *t->clear);
    t->simulated = calloc(t->n + 1, sizeof *t->simulated);
    if (!t->clear || !t->simulated)
        return program_no_memory(p);
    return program_plain(p, t->clear, &t->in, CMLRT_CLEAR, t->pool);
}

static void
trial_close(const struct program *p, struct trial *t)
{
    messages_free(p, &t->in);
    if (t->pool)
        cmlrt_pool_free(t->pool);
    if (t->clear)
        cmlrt_wipe(t->clear, t->n * sizeof *t->clear);
    if (t->simulated)
        cmlrt_wipe(t->simulated, t->n * sizeof *t->simulated);
    free(t->clear);
    free(t->simulated);
}

static enum cml_status
tell(struct program *p, const int64_t *replies, size_t rows)
{
    struct results r;
    enum cml_status s = program_results(p, &r, replies, rows);

    if (s == CML_E_ok)
        s = program_print(p, &r, NULL);
    if (s == CML_E_ok && p->o.truth)
        s = program_accuracy(p, &r);
    results_free(p, &r);
    return s;
}

enum cml_status
verb_clear(struct program *p)
{
    struct trial t = { .n = 0 };
    enum cml_status s = trial_open(p, &t);

    if (s == CML_E_ok)
        s = tell(p, t.clear, t.in.rows);
    trial_close(p, &t);
    return s;
}

static enum cml_status
simulate(struct program *p, struct trial *t)
{
    const long times = p->o.repeat ? p->o.repeat : 1;
    size_t other = 0;
    enum cml_status s = CML_E_ok;

    for (long i = 0; s == CML_E_ok && i < times; i++) {
        s = program_plain(p, t->simulated, &t->in, CMLRT_SIMULATED, t->pool);
        for (size_t j = 0; s == CML_E_ok && j < t->n; j++)
            other += t->simulated[j] != t->clear[j];
    }
    if (s == CML_E_ok)
        s = tell(p, t->simulated, t->in.rows);
    if (s == CML_E_ok)
        program_note(p, "%zu of %zu replies differ from clear", other,
                     t->n * (size_t)times);
    return s;
}

enum cml_status
verb_simulate(struct program *p)
{
    struct trial t = { .n = 0 };
    enum cml_status s = trial_open(p, &t);

    if (s == CML_E_ok)
        s = simulate(p, &t);
    trial_close(p, &t);
    return s;
}
