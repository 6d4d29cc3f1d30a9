/* Tables: the programmable bootstrap, lang-spec/crypto.md 7.
 *
 *     T_j = entry(floor(j 2^bits / N)) 2^log2_delta_out         (6)
 *
 * The body gets offset 2^log2_delta_in and half a step before the modulus
 * switch, so that message m fills the indices of its box and borders lie
 * between boxes.  Where 2^bits > N (approx), an index has the entry at its
 * middle.
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <string.h>

/* the table's argument of index j, and the torus word of entry x */
static int64_t
entry_of(const struct cmlrt_table *t, int64_t j, unsigned log2_n)
{
    if (t->bits <= log2_n)
        return j >> (log2_n - t->bits);
    return (2 * j + 1) << (t->bits - log2_n - 1);
}

static uint64_t
torus_of(const struct cmlrt_table *t, int64_t row, int64_t x)
{
    const int64_t *entries = t->entries;

    return (uint64_t)entries[(row << t->bits) + x] << t->log2_delta_out;
}

void
cmlrt_test_polynomial(uint64_t *test, const struct cmlrt_table *t, int64_t row,
                      unsigned log2_n)
{
    for (int64_t j = 0; j < (int64_t)1 << log2_n; j++)
        test[j] = torus_of(t, row, entry_of(t, j, log2_n));
}

static uint64_t
centred(const struct cmlrt_table *t, uint64_t body)
{
    return body + ((uint64_t)t->offset << t->log2_delta_in)
           + (UINT64_C(1) << t->log2_delta_in >> 1);
}

/* What the bootstrap finds at a phase: the polynomial at its index, or in the
 * clear the exact entry; minus that in the upper half of the torus. */
static uint64_t
look_up(const struct cmlrt_env *env, const struct cmlrt_table *t, int64_t row,
        uint64_t phase)
{
    const unsigned log2_n = env->set->log2_n;
    const bool upper = phase >> 63;
    const uint64_t half = phase & (UINT64_MAX >> 1);
    const int64_t x =
        env->clear ? (int64_t)(half >> t->log2_delta_in) % (1 << t->bits)
                   : entry_of(t, (int64_t)(half >> (63 - log2_n)), log2_n);
    const uint64_t found = torus_of(t, row, x);

    return upper ? (uint64_t)0 - found : found;
}

static uint64_t
simulate(struct cmlrt_env *env, const struct cmlrt_table *t, int64_t row,
         uint64_t phase)
{
    phase = centred(t, phase) + cmlrt_normal(env->rng, env->sd_ms);
    return look_up(env, t, row, phase) + cmlrt_normal(env->rng, env->sd_br);
}

/* Scratch: counts, ciphertext, test polynomial, accumulator, the product's. */
struct parts {
    uint32_t *counts;
    uint64_t *lwe, *test, *acc;
    void *more;
};

/* a small ciphertext, to a multiple of 64 bytes */
static size_t
small_words(const struct cmlrt_set *set)
{
    return ((size_t)set->n + 8) & ~(size_t)7;
}

static struct parts
cut(const struct cmlrt_set *set, void *scratch)
{
    const size_t n = cmlrt_ring_degree(set), small = small_words(set);
    uint64_t *word = scratch, *test = word + 2 * small, *acc = test + n;

    return (struct parts){ scratch, word + small, test, acc,
                           acc + (set->k + 1) * n };
}

size_t
cmlrt_pbs_bytes(const struct cmlrt_set *set, const struct kernels *k)
{
    const struct cmlrt_shape shape = { NULL, set->log2_n, set->k,
                                       set->br_levels, set->br_log2_base };
    const size_t words =
        2 * small_words(set) + (set->k + 2) * cmlrt_ring_degree(set);

    return words * sizeof(uint64_t) + k->cmux64_bytes(&shape);
}

static void
bootstrap(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
          const struct cmlrt_table *t, const struct parts *p)
{
    const size_t n = cmlrt_ring_degree(env->set), k = env->set->k;

    memcpy(p->lwe, in, env->small * sizeof *in);
    p->lwe[env->small - 1] = centred(t, in[env->small - 1]);
    cmlrt_mod_switch(p->counts, p->lwe, env->set->n, env->set->log2_n + 1);
    cmlrt_blind_rotate(p->acc, env->eval, p->counts, p->test, p->more);
    cmlrt_extract_mask(out, p->acc, k, n, 0);
    out[k * n] = p->acc[k * n];
}

/* Neighbours that share a row of the table share its polynomial. */
void
cmlrt_lwe_pbs(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_table *t = with;
    const struct parts p = cut(env->set, env->scratch);
    int64_t made = -1;

    for (int64_t i = begin; i < end; i++) {
        const int64_t row = i % t->rows;

        if (env->simulated || env->clear) {
            out[i] = simulate(env, t, row, in[i]);
            continue;
        }
        if (row != made)
            cmlrt_test_polynomial(p.test, t, row, env->set->log2_n);
        made = row;
        bootstrap(env, out + (size_t)i * env->big, in + (size_t)i * env->small,
                  t, &p);
    }
}
