/* bench, the server's half: loading a key and the circuit.  Any bytes load and
 * any words can be computed with, in the same time: no secret is needed. */
#include "runtime/program/program.h"

#include <stdlib.h>

/* Rows that take a while: some tens of bootstraps, or many linear rows. */
static size_t
rows_for(const struct program *p)
{
    const int64_t worth = 32;

    return p->m->pbs < worth ? (size_t)(worth / (p->m->pbs + 1) + 1) : 1;
}

static enum cml_status
bench_eval(struct figures *f, const struct server *server)
{
    struct program *p = f->p;
    const size_t rows = rows_for(p);
    uint64_t *words = calloc(rows * p->layout.words + 1, sizeof *words);
    uint8_t *out = calloc(rows, p->layout.reply_bytes + 1);
    const uint8_t seed[CMLRT_SEED] = { 0 };
    enum cml_status s = words && out ? CML_E_ok : program_no_memory(p);
    double ms = program_clock();

    if (s == CML_E_ok)
        s = server_run(p, server, out, seed, words, rows);
    ms = 1e3 * (program_clock() - ms) / (double)rows;
    figure(f, "eval", ms, "ms/row");
    figure(f, "bootstraps", (double)p->m->pbs, "1/row");
    if (p->m->pbs)
        figure(f, "bootstrap", ms / (double)p->m->pbs, "ms");
    figure(f, "output", (double)p->layout.reply_bytes, "bytes/row");
    free(words);
    free(out);
    return s;
}

enum cml_status
bench_server(struct figures *f, struct cmlrt_pool *pool)
{
    uint8_t *payload = calloc(cmlrt_sets_bytes(&f->p->sets), 1);
    struct server server = { NULL, NULL, NULL };
    enum cml_status s = payload ? CML_E_ok : program_no_memory(f->p);
    const double start = program_clock();

    figure(f, "threads", cmlrt_pool_threads(pool), "1");
    if (s == CML_E_ok)
        s = server_open(f->p, &server, payload, pool);
    figure(f, "load", 1e3 * (program_clock() - start), "ms");
    free(payload);
    if (s == CML_E_ok)
        s = bench_eval(f, &server);
    server_close(&server);
    return s;
}

enum cml_status
verb_bench_server(struct program *p)
{
    bench_part *const parts[] = { bench_server, NULL };

    return figures_run(p, parts);
}
