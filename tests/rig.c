/* Keys and an environment for tests of the runtime. */
#include "tests/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

void *
rig_alloc(size_t bytes)
{
    void *p = cmlrt_alloc(bytes);

    ck_assert_ptr_nonnull(p);
    return p;
}

static void
seed_from(uint8_t out[CMLRT_SEED], uint64_t seed, uint8_t tag)
{
    memset(out, tag, CMLRT_SEED);
    memcpy(out, &seed, sizeof seed);
}

static void
environment(struct rig *r, const struct kernels *kernels)
{
    r->env.set = &r->set;
    r->env.mask_seed = r->seed;
    r->env.rng = &r->rng;
    r->env.scratch = rig_alloc(cmlrt_scratch_bytes(&r->set, kernels));
}

void
rig_open(struct rig *r, const struct cmlrt_set *set,
         const struct kernels *kernels, uint64_t seed)
{
    uint8_t master[CMLRT_SEED], public_seed[CMLRT_SEED], *payload;

    memset(r, 0, sizeof *r);
    r->set = *set;
    seed_from(master, seed, 1);
    seed_from(public_seed, seed, 2);
    seed_from(r->seed, seed, 3);
    cmlrt_rng_init(&r->rng, r->seed, CMLRT_ANSWER, seed);
    r->pool = cmlrt_pool_new(1);
    payload = rig_alloc(cmlrt_eval_bytes(set));
    ck_assert_int_eq(cmlrt_secret_new(&r->secret, set, master), CML_E_ok);
    ck_assert_int_eq(
        cmlrt_eval_derive(payload, r->secret, public_seed, r->pool), CML_E_ok);
    ck_assert_int_eq(cmlrt_eval_load(&r->eval, set, payload, kernels, r->pool),
                     CML_E_ok);
    free(payload);
    environment(r, kernels);
    r->env.eval = r->eval;
    r->env.big = cmlrt_big(set) + 1;
    r->env.small = (size_t)set->n + 1;
}

void
rig_one_word(struct rig *r, const struct cmlrt_set *set, bool clear)
{
    memset(r, 0, sizeof *r);
    r->set = *set;
    seed_from(r->seed, 1, 3);
    cmlrt_rng_init(&r->rng, r->seed, CMLRT_SIMULATE, 0);
    environment(r, cmlrt_kernels_select("ref"));
    r->env.clear = clear;
    r->env.simulated = !clear;
    r->env.big = r->env.small = 1;
}

void
rig_close(struct rig *r)
{
    free(r->env.scratch);
    cmlrt_eval_free(r->eval);
    cmlrt_secret_free(r->secret);
    if (r->pool)
        cmlrt_pool_free(r->pool);
}

void
rig_encrypt(struct rig *r, uint64_t *lwe, const int64_t *message, size_t count,
            unsigned log2_delta, uint64_t index)
{
    const struct cmlrt_extract all = { 0, 0, (int64_t)count };
    const struct cmlrt_plain in = { message, count, log2_delta };
    uint64_t *body = rig_alloc(count * sizeof *body);

    if (r->secret)
        ck_assert_int_eq(cmlrt_encrypt(body, r->secret, r->seed, index, &in),
                         CML_E_ok);
    else
        for (size_t i = 0; i < count; i++)
            body[i] = (uint64_t)message[i] << log2_delta;
    r->env.first_glwe = index;
    cmlrt_glwe_extract(&r->env, lwe, body, &all, 0, (int64_t)count);
    free(body);
}

int64_t
rig_decode(uint64_t phase, unsigned log2_delta)
{
    const uint64_t half = UINT64_C(1) << (log2_delta - 1);
    const int64_t space = INT64_C(1) << (64 - log2_delta);
    const int64_t m = (int64_t)((phase + half) >> log2_delta);

    return m >= space / 2 ? m - space : m;
}

int64_t
rig_decrypt(const struct rig *r, const uint64_t *lwe, unsigned log2_delta)
{
    return rig_decode(r->secret ? cmlrt_phase(r->secret, lwe) : *lwe,
                      log2_delta);
}
