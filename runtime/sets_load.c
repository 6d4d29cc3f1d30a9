/* Loading the evaluation key of all sets; see sets.c. */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    const struct cmlrt_sets *sets;
    size_t i; /* which switch */
    struct cmlrt_hop *hop;
    const uint8_t *payload;
    unsigned char *scratch; /* masks, a thread each */
};

static void
load_rows(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct loading *l = arg;
    const size_t n = l->hop->shape.columns - 1, levels = l->hop->shape.levels;
    const size_t bytes = cmlrt_switch_mask_bytes(l->sets, l->i);
    uint32_t *masks = (void *)(l->scratch + thread * bytes);

    for (int64_t i = begin; i < end; i++) {
        cmlrt_switch_masks(masks, l->sets, l->i, l->payload, (uint64_t)i);
        for (size_t j = 0; j < levels; j++) {
            const size_t at = (size_t)i * levels + j;
            uint32_t body;

            memcpy(&body, l->payload + CMLRT_SEED + at * sizeof body,
                   sizeof body);
            for (size_t c = 0; c <= n; c++)
                *cmlrt_ks_word(l->hop->key, &l->hop->shape, at, c) =
                    c < n ? masks[j * n + c] : body;
        }
    }
}

static enum cml_status
load_switch(struct cmlrt_hop *hop, const struct cmlrt_sets *sets, size_t i,
            const uint8_t *payload, struct cmlrt_pool *pool)
{
    const size_t in = cmlrt_switch_inputs(sets, i);
    const size_t out = cmlrt_switch_outputs(sets, i);
    struct loading l = { sets, i, hop, payload, NULL };

    hop->shape =
        (struct cmlrt_ks_shape){ in, out + 1,
                                 (out / CMLRT_PANEL + 1) * CMLRT_PANEL,
                                 sets->sw[i].levels, sets->sw[i].log2_base };
    hop->key = cmlrt_alloc_by(pool, in * sets->sw[i].levels * hop->shape.stride
                                        * sizeof *hop->key);
    l.scratch = cmlrt_alloc(cmlrt_pool_threads(pool)
                            * cmlrt_switch_mask_bytes(sets, i));
    if (hop->key && l.scratch)
        cmlrt_pool_run(pool, (int64_t)in, 64, load_rows, &l);
    free(l.scratch);
    return hop->key && l.scratch ? CML_E_ok : CML_E_nomem;
}

enum cml_status
cmlrt_evals_load(struct cmlrt_evals **out, const struct cmlrt_sets *sets,
                 const uint8_t *payload, const struct kernels *kernels,
                 struct cmlrt_pool *pool)
{
    struct cmlrt_evals *e = calloc(1, sizeof *e);
    enum cml_status status = e ? CML_E_ok : CML_E_nomem;

    for (size_t i = 0; status == CML_E_ok && i < sets->n; i++) {
        status =
            cmlrt_eval_load(&e->at[i], &sets->at[i], payload, kernels, pool);
        payload += cmlrt_eval_bytes(&sets->at[i]);
    }
    for (size_t i = 0; status == CML_E_ok && i < sets->switches; i++) {
        status = load_switch(&e->hop[i], sets, i, payload, pool);
        payload += cmlrt_switch_bytes(sets, i);
    }
    if (status == CML_E_ok)
        *out = e;
    else
        cmlrt_evals_free(e);
    return status;
}

void
cmlrt_evals_free(struct cmlrt_evals *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < CMLRT_MAX_SETS; i++)
        cmlrt_eval_free(e->at[i]);
    for (size_t i = 0; i < CMLRT_MAX_SWITCHES; i++)
        free(e->hop[i].key);
    free(e);
}
