/* The server's work: the circuit over the rows of an input ciphertext. */
#include "runtime/program/program.h"

enum cml_status
server_open(struct program *p, struct server *s, const uint8_t *payload,
            struct cmlrt_pool *pool)
{
    enum cml_status status;

    *s = (struct server){ pool, NULL, NULL };
    status = program_kernels(p, &s->kernels);
    if (status != CML_E_ok)
        return status;
    status = cmlrt_evals_load(&s->evals, &p->sets, payload, s->kernels, pool);
    return status == CML_E_ok ? status : program_no_memory(p);
}

enum cml_status
server_run(struct program *p, const struct server *s, uint8_t *out,
           const uint8_t seed[CMLRT_SEED], uint64_t *words, size_t rows)
{
    const struct cmlrt_job job = { .m = p->m,
                                   .mode = CMLRT_ENCRYPTED,
                                   .evals = s->evals,
                                   .kernels = s->kernels,
                                   .pool = s->pool,
                                   .mask_seed = seed,
                                   .rows = rows,
                                   .words = words };
    const enum cml_status status = cmlrt_engine_run(&job, out);

    if (status == CML_E_ok)
        return status;
    return cmlrt_fail(&p->fault, status, "the circuit cannot run: %s",
                      cml_strstatus(status));
}

void
server_close(struct server *s)
{
    cmlrt_evals_free(s->evals);
    s->evals = NULL;
}
