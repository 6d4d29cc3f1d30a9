/* The client's keys of all sets, and the making of their evaluation key; see
 * sets.c.  The first set's secrets come from the master, those of others from
 * masters of their own, which are streams of it.
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

enum cml_status
cmlrt_secrets_new(struct cmlrt_secrets *out, const struct cmlrt_sets *sets,
                  const uint8_t master[CMLRT_SEED])
{
    enum cml_status status = CML_E_ok;

    *out = (struct cmlrt_secrets){ .sets = *sets };
    for (size_t i = 0; status == CML_E_ok && i < sets->n; i++) {
        uint8_t own[CMLRT_SEED];
        struct cmlrt_rng g;

        memcpy(own, master, sizeof own);
        if (i > 0) {
            cmlrt_rng_init(&g, master, CMLRT_SET_KEY, i);
            cmlrt_rng_bytes(&g, own, sizeof own);
            cmlrt_wipe(&g, sizeof g);
        }
        status = cmlrt_secret_new(&out->at[i], &sets->at[i], own);
        cmlrt_wipe(own, sizeof own);
    }
    if (status != CML_E_ok)
        cmlrt_secrets_free(out);
    return status;
}

void
cmlrt_secrets_free(struct cmlrt_secrets *s)
{
    for (size_t i = 0; i < CMLRT_MAX_SETS; i++)
        cmlrt_secret_free(s->at[i]);
    memset(s->at, 0, sizeof s->at);
}

/* ---- the key of a switch */

struct making {
    const struct cmlrt_secrets *s;
    size_t i; /* which switch */
    const uint8_t *seed, *noise;
    uint8_t *to;
    unsigned char *scratch; /* masks, a thread each */
};

/* The rows of words [begin, end) of the big key; as cmlrt_ksk_generate. */
static void
make_rows(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct making *m = arg;
    const struct cmlrt_sets *sets = &m->s->sets;
    const struct cmlrt_switch *sw = &sets->sw[m->i];
    const struct cmlrt_secret *to = m->s->at[sw->to];
    const uint64_t *word = m->s->at[sw->from]->big;
    const size_t n = cmlrt_switch_outputs(sets, m->i);
    uint32_t *masks =
        (void *)(m->scratch + thread * cmlrt_switch_mask_bytes(sets, m->i));
    uint8_t *at = m->to + (size_t)begin * sw->levels * sizeof(uint32_t);

    for (int64_t i = begin; i < end; i++) {
        const uint64_t id = (uint64_t)CMLRT_KSK_NOISE << 32 | (uint64_t)i;
        struct cmlrt_rng noise;

        cmlrt_rng_init(&noise, m->noise, CMLRT_NOISE, id);
        cmlrt_switch_masks(masks, sets, m->i, m->seed, (uint64_t)i);
        for (uint32_t j = 0; j < sw->levels; j++, at += sizeof(uint32_t)) {
            const uint32_t body = cmlrt_ksk_body(
                masks + (size_t)j * n, sw->big ? to->big : to->small, n,
                (word[i] << (64 - sw->log2_base * (j + 1)))
                    + cmlrt_tuniform(&noise, sw->t));

            memcpy(at, &body, sizeof body);
        }
        cmlrt_wipe(&noise, sizeof noise);
    }
}

enum cml_status
cmlrt_switch_derive(uint8_t *payload, const struct cmlrt_secrets *s, size_t i,
                    const uint8_t seed[CMLRT_SEED], struct cmlrt_pool *pool)
{
    const size_t bytes =
        cmlrt_pool_threads(pool) * cmlrt_switch_mask_bytes(&s->sets, i);
    uint8_t noise[CMLRT_SEED];
    struct making m = { s, i, seed, noise, payload + CMLRT_SEED, NULL };

    m.scratch = cmlrt_alloc(bytes);
    if (!m.scratch)
        return CML_E_nomem;
    memcpy(payload, seed, CMLRT_SEED);
    cmlrt_secret_noise(noise, s->at[s->sets.sw[i].to], seed);
    cmlrt_pool_run(pool, (int64_t)cmlrt_switch_inputs(&s->sets, i), 16,
                   make_rows, &m);
    cmlrt_wipe(noise, sizeof noise);
    free(m.scratch); /* masks are public */
    return CML_E_ok;
}

static enum cml_status
generate_switch(uint8_t *payload, const struct cmlrt_secrets *s, size_t i,
                struct cmlrt_pool *pool)
{
    uint8_t seed[CMLRT_SEED];

    if (!cmlrt_system_random(seed, sizeof seed))
        return CML_E_io;
    return cmlrt_switch_derive(payload, s, i, seed, pool);
}

enum cml_status
cmlrt_sets_generate(uint8_t *payload, const struct cmlrt_secrets *s,
                    struct cmlrt_pool *pool)
{
    enum cml_status status = CML_E_ok;

    for (size_t i = 0; status == CML_E_ok && i < s->sets.n; i++) {
        status = cmlrt_eval_generate(payload, s->at[i], pool);
        payload += cmlrt_eval_bytes(&s->sets.at[i]);
    }
    for (size_t i = 0; status == CML_E_ok && i < s->sets.switches; i++) {
        status = generate_switch(payload, s, i, pool);
        payload += cmlrt_switch_bytes(&s->sets, i);
    }
    return status;
}

/* The key of a switch has no bootstrapping key: it fits in memory. */
static enum cml_status
stream_switch(const struct cmlrt_outlet *out, const struct cmlrt_secrets *s,
              size_t i, struct cmlrt_pool *pool)
{
    const size_t bytes = cmlrt_switch_bytes(&s->sets, i);
    uint8_t *payload = malloc(bytes);
    enum cml_status status =
        payload ? generate_switch(payload, s, i, pool) : CML_E_nomem;

    if (status == CML_E_ok && !out->put(out->arg, payload, bytes))
        status = CML_E_io;
    free(payload);
    return status;
}

enum cml_status
cmlrt_sets_stream(const struct cmlrt_outlet *out, const struct cmlrt_secrets *s,
                  struct cmlrt_pool *pool)
{
    enum cml_status status = CML_E_ok;

    for (size_t i = 0; status == CML_E_ok && i < s->sets.n; i++)
        status = cmlrt_eval_stream(out, s->at[i], pool);
    for (size_t i = 0; status == CML_E_ok && i < s->sets.switches; i++)
        status = stream_switch(out, s, i, pool);
    return status;
}
