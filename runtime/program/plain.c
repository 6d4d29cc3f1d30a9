/* The circuit without encryption: the engine on one word a ciphertext, which
 * is the phase, with the noise that the parameters predict or without. */
#include "runtime/program/program.h"

#include <stdlib.h>

static void
put_row(uint64_t *word, const struct program *p, const int64_t *message)
{
    const struct cml_piece *d = p->m->pieces;

    for (int64_t i = 0; i < p->m->npieces; i++)
        for (int64_t j = 0; j < d[i].count; j++)
            word[d[i].word + j] = (uint64_t)message[d[i].first + j]
                                  << d[i].log2_delta;
}

static void
get_rows(int64_t *replies, const struct program *p, const uint64_t *phase,
         size_t rows)
{
    const struct cml_answer *a = p->m->answers;

    for (size_t r = 0; r < rows; r++, replies += p->layout.replies)
        for (int64_t i = 0; i < p->m->nanswers; i++)
            for (int64_t j = 0; j < a[i].count; j++)
                replies[a[i].first + j] = reply_of(&a[i], *phase++);
}

static enum cml_status
run(struct program *p, uint64_t *phases, uint64_t *words, size_t rows,
    const struct cmlrt_job *how)
{
    struct cmlrt_job job = *how;
    enum cml_status s;

    job.m = p->m;
    job.rows = rows;
    job.words = words;
    s = program_kernels(p, &job.kernels);
    if (s != CML_E_ok)
        return s;
    s = cmlrt_engine_run(&job, (uint8_t *)phases);
    return s == CML_E_ok
               ? s
               : cmlrt_fail(&p->fault, s, "the circuit cannot run: %s",
                            cml_strstatus(s));
}

enum cml_status
program_plain(struct program *p, int64_t *replies, const struct messages *in,
              enum cmlrt_mode mode, struct cmlrt_pool *pool)
{
    const struct cmlrt_job how = { .mode = mode, .pool = pool };
    const size_t nwords = in->rows * p->layout.words;
    const size_t nphases = in->rows * p->layout.phases;
    uint64_t *words = calloc(nwords + 1, sizeof *words);
    uint64_t *phases = calloc(nphases + 1, sizeof *phases);
    enum cml_status s = CML_E_ok;

    if (!words || !phases)
        s = program_no_memory(p);
    for (size_t r = 0; s == CML_E_ok && r < in->rows; r++)
        put_row(words + r * p->layout.words, p,
                in->at + r * p->layout.messages);
    if (s == CML_E_ok)
        s = run(p, phases, words, in->rows, &how);
    if (s == CML_E_ok)
        get_rows(replies, p, phases, in->rows);
    if (words)
        cmlrt_wipe(words, nwords * sizeof *words);
    if (phases)
        cmlrt_wipe(phases, nphases * sizeof *phases);
    free(words);
    free(phases);
    return s;
}
