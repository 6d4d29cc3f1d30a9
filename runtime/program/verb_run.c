/* run: keys, encryption, circuit and decryption in memory, then the test that
 * every reply is what the quantised model gives in the clear.
 *
 * Exact programs fail (exit 5) on a single difference; approximate ones count.
 */
#include "runtime/program/program.h"

#include <stdlib.h>

enum phase { KEYGEN, ENCRYPT, LOAD, EVAL, DECRYPT, PHASES };

struct cycle {
    struct messages in;
    struct cmlrt_pool *pool;
    struct pair pair;
    struct server server;
    uint8_t seed[CMLRT_SEED];
    uint64_t *words;
    uint8_t *answers;
    int64_t *clear, *replies;
    double seconds[PHASES];
};

static enum cml_status
allocate(struct program *p, struct cycle *c)
{
    const struct cmlrt_layout *l = &p->layout;
    const size_t rows = c->in.rows;

    c->words = calloc(rows * l->words + 1, sizeof *c->words);
    c->answers = calloc(rows * l->reply_bytes + 1, 1);
    c->clear = calloc(rows * l->replies + 1, sizeof *c->clear);
    c->replies = calloc(rows * l->replies + 1, sizeof *c->replies);
    if (!c->words || !c->answers || !c->clear || !c->replies)
        return program_no_memory(p);
    if (!cmlrt_system_random(c->seed, sizeof c->seed))
        return cmlrt_fail(&p->fault, CML_E_io,
                          "the system gives no randomness");
    return CML_E_ok;
}

static enum cml_status
do_phase(struct program *p, struct cycle *c, enum phase phase)
{
    const size_t rows = c->in.rows;

    switch (phase) {
    case KEYGEN: return pair_new(p, &c->pair, c->pool);
    case ENCRYPT:
        return client_encrypt(p, c->words, &c->pair.client, c->seed, &c->in,
                              c->pool);
    case LOAD: return server_open(p, &c->server, c->pair.eval, c->pool);
    case EVAL:
        return server_run(p, &c->server, c->answers, c->seed, c->words, rows);
    case DECRYPT:
        return client_decrypt(p, c->replies, &c->pair.client, c->answers, rows);
    case PHASES: break;
    }
    return CML_E_ok;
}

static enum cml_status
run_phases(struct program *p, struct cycle *c)
{
    enum cml_status s =
        program_plain(p, c->clear, &c->in, CMLRT_CLEAR, c->pool);

    for (enum phase i = KEYGEN; s == CML_E_ok && i < PHASES; i++) {
        const double start = program_clock();

        s = do_phase(p, c, i);
        c->seconds[i] = program_clock() - start;
    }
    return s;
}

static void
cycle_close(const struct program *p, struct cycle *c)
{
    const size_t n = c->in.rows * p->layout.replies;

    pair_close(&c->pair);
    server_close(&c->server);
    if (c->pool)
        cmlrt_pool_free(c->pool);
    if (c->clear)
        cmlrt_wipe(c->clear, n * sizeof *c->clear);
    if (c->replies)
        cmlrt_wipe(c->replies, n * sizeof *c->replies);
    free(c->words);
    free(c->answers);
    free(c->clear);
    free(c->replies);
    messages_free(p, &c->in);
}

/* ---- telling */

static void
tell_times(const struct program *p, const struct cycle *c)
{
    const double rows = (double)c->in.rows, *t = c->seconds;
    const double bootstraps = (double)p->m->pbs;

    program_note(p, "rows            %zu", c->in.rows);
    program_note(p, "keygen          %.1f ms, %.1f ms to load", 1e3 * t[KEYGEN],
                 1e3 * t[LOAD]);
    program_note(p, "encrypt         %.3f ms a row", 1e3 * t[ENCRYPT] / rows);
    if (p->m->pbs)
        program_note(p,
                     "eval            %.3f ms a row: %.0f bootstraps, %.3f "
                     "ms each on %u threads",
                     1e3 * t[EVAL] / rows, bootstraps,
                     1e3 * t[EVAL] / rows / bootstraps,
                     cmlrt_pool_threads(c->pool));
    else
        program_note(p,
                     "eval            %.3f ms a row, no bootstraps, on %u "
                     "threads",
                     1e3 * t[EVAL] / rows, cmlrt_pool_threads(c->pool));
    program_note(p, "decrypt         %.3f ms a row", 1e3 * t[DECRYPT] / rows);
    if (p->o.quiet)
        return;
    print_sizes(stderr, p);
    print_security(stderr, p);
    print_card(stderr, p);
}

static enum cml_status
compare(struct program *p, const struct cycle *c)
{
    const size_t rows = c->in.rows, n = p->layout.replies;
    size_t other = 0, other_rows = 0, first = 0;

    for (size_t r = 0; r < rows; r++) {
        const size_t before = other;

        for (size_t i = r * n; i < (r + 1) * n; i++)
            other += c->clear[i] != c->replies[i];
        if (other > before && other_rows++ == 0)
            first = r + 1;
    }
    if (other == 0)
        program_note(p,
                     "equal           all replies of %zu rows are those of "
                     "clear",
                     rows);
    else if (p->m->approx)
        program_note(p,
                     "approximate     %zu of %zu replies in %zu of %zu rows "
                     "differ from clear",
                     other, rows * n, other_rows, rows);
    else
        return cmlrt_fail(&p->fault, CML_E_gate,
                          "%zu of %zu replies differ from clear, first in row "
                          "%zu",
                          other, rows * n, first);
    return CML_E_ok;
}

static enum cml_status
tell(struct program *p, const struct cycle *c)
{
    struct results r;
    enum cml_status s = program_results(p, &r, c->replies, c->in.rows);

    if (s == CML_E_ok)
        s = program_print(p, &r, NULL);
    if (s == CML_E_ok)
        tell_times(p, c);
    if (s == CML_E_ok && p->o.truth)
        s = program_accuracy(p, &r);
    if (s == CML_E_ok)
        s = compare(p, c);
    results_free(p, &r);
    return s;
}

static enum cml_status
run(struct program *p, bool told)
{
    struct cycle c = { .words = NULL };
    enum cml_status s;

    client_guard();
    s = program_read(p, &c.in);
    if (s == CML_E_ok)
        s = program_pool(p, &c.pool);
    if (s == CML_E_ok)
        s = allocate(p, &c);
    if (s == CML_E_ok)
        s = run_phases(p, &c);
    if (s == CML_E_ok)
        s = told ? tell(p, &c) : compare(p, &c);
    cycle_close(p, &c);
    return s;
}

enum cml_status
program_cycle(struct program *p)
{
    return run(p, false);
}

enum cml_status
verb_run(struct program *p)
{
    return run(p, true);
}
