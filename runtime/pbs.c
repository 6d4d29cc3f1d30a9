/* Tables: the programmable bootstrap, lang-spec/crypto.md 7.
 *
 *     T_j = entry(floor(j 2^bits / N)) 2^log2_delta_out         (6)
 *
 * The body gets offset 2^log2_delta_in and half a step before the modulus
 * switch, so that message m fills the indices of its box and borders lie
 * between boxes.  Where 2^bits > N (approx), an index has the entry at its
 * middle.
 *
 * Several tables share a rotation: interleaved, (39), or as products of
 * Delta/2 (1 + X + .. + X^(N-1)) and a polynomial each, (40).
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

/* Tables interleaved, (39):  T_(j 2^theta + o) = entry of table o at j. */
static void
test_polynomials(uint64_t *test, const struct cmlrt_tables *l, int64_t row,
                 unsigned log2_n, unsigned theta)
{
    const struct cmlrt_table *t = l->table;
    const int64_t mask = ((int64_t)1 << theta) - 1;

    for (int64_t j = 0; j < (int64_t)1 << log2_n; j++)
        test[j] = (j & mask) < l->outputs
                      ? torus_of(t, (j & mask) * t->rows + row,
                                 entry_of(t, j >> theta, log2_n - theta))
                      : 0;
}

void
cmlrt_test_polynomial(uint64_t *test, const struct cmlrt_table *t, int64_t row,
                      unsigned log2_n)
{
    const struct cmlrt_tables one = { .table = t, .outputs = 1, .gain = 1 };

    test_polynomials(test, &one, row, log2_n, 0);
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
        uint64_t phase, unsigned theta)
{
    const unsigned log2_n = env->set->log2_n - theta;
    const bool upper = phase >> 63;
    const uint64_t half = phase & (UINT64_MAX >> 1);
    const int64_t x =
        env->clear ? (int64_t)(half >> t->log2_delta_in) % (1 << t->bits)
                   : entry_of(t, (int64_t)(half >> (63 - log2_n)), log2_n);
    const uint64_t found = torus_of(t, row, x);

    return upper ? (uint64_t)0 - found : found;
}

/* Of n elements; outputs share the error of the modulus switch. */
static void
simulate(struct cmlrt_env *env, uint64_t *out, uint64_t in,
         const struct cmlrt_tables *l, int64_t i, unsigned theta)
{
    const struct cmlrt_table *t = l->table;
    const double sd_ms = env->sd_ms * (double)(1u << theta);
    const uint64_t phase = centred(t, in) + cmlrt_normal(env->rng, sd_ms);

    for (int64_t o = 0; o < l->outputs; o++)
        out[o * l->count + i] =
            look_up(env, t, o * t->rows + i % t->rows, phase, theta)
            + cmlrt_normal(env->rng, l->gain * env->sd_br);
}

static unsigned
theta_of(const struct cmlrt_tables *l)
{
    unsigned theta = 0;

    while (!l->products && (int64_t)1 << theta < l->outputs)
        theta++;
    return theta;
}

/* Scratch: test polynomial, a ciphertext, counts and accumulators of a batch,
 * the product's. */
enum { BATCH = 4 }; /* more gain nothing */

struct parts {
    uint64_t *test, *lwe;
    struct cmlrt_rotations r;
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
    uint64_t *word = scratch;
    struct parts p = { .test = word, .lwe = word + n };

    word += n + small;
    for (unsigned b = 0; b < BATCH; b++, word += small)
        p.r.counts[b] = (uint32_t *)(void *)word;
    for (unsigned b = 0; b < BATCH; b++, word += cmlrt_acc_words(set))
        p.r.acc[b] = word;
    p.more = word;
    return p;
}

size_t
cmlrt_pbs_bytes(const struct cmlrt_set *set, const struct kernels *k)
{
    const struct cmlrt_shape shape = { .log2_n = set->log2_n,
                                       .k = set->k,
                                       .levels = set->br_levels,
                                       .inputs = set->k + 1 };
    const size_t words = cmlrt_ring_degree(set) + (BATCH + 1) * small_words(set)
                         + BATCH * cmlrt_acc_words(set);

    return words * sizeof(uint64_t) + k->cmux_bytes(&shape);
}

/* Counts and accumulator of ciphertext b of the batch; outputs that share a
 * rotation are turned by multiples of their number. */
static void
start(const struct cmlrt_env *env, struct parts *p, unsigned b,
      const uint64_t *in, const struct cmlrt_table *t, unsigned theta)
{
    const struct cmlrt_set *set = env->set;
    uint32_t *counts = p->r.counts[b];

    memcpy(p->lwe, in, env->small * sizeof *in);
    p->lwe[env->small - 1] = centred(t, in[env->small - 1]);
    cmlrt_mod_switch(counts, p->lwe, set->n, set->log2_n + 1 - theta);
    for (size_t i = 0; i <= set->n && theta; i++)
        counts[i] <<= theta;
    cmlrt_acc_start(p->r.acc[b], set, p->test, counts[set->n], p->r.narrow);
}

static void
test_constant(uint64_t *test, const struct cmlrt_table *t, unsigned log2_n)
{
    for (size_t j = 0; j < (size_t)1 << log2_n; j++)
        test[j] = UINT64_C(1) << t->log2_delta_out >> 1;
}

/* The product with the polynomial v of a row, at coefficient 0. */
static void
product(uint64_t *lwe, const struct cmlrt_env *env, const struct parts *p,
        unsigned b, const struct cmlrt_table *t, int64_t row)
{
    const int64_t *entry = (const int64_t *)t->entries + (row << t->bits);
    const size_t n = (size_t)1 << t->bits;
    const size_t box = cmlrt_ring_degree(env->set) >> t->bits;
    uint64_t w = (uint64_t)entry[0] + (uint64_t)entry[n - 1];

    memset(lwe, 0, env->big * sizeof *lwe);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) /* X^(i box) moves -(N - i box) to 0: X^N = -1 */
            w = (uint64_t)entry[i - 1] - (uint64_t)entry[i];
        if (w != 0)
            cmlrt_acc_add(lwe, p->r.acc[b], env->set, p->r.narrow,
                          i > 0 ? (n - i) * box : 0, w);
    }
}

static void
extract(uint64_t *out, const struct cmlrt_env *env, const struct parts *p,
        unsigned b, const struct cmlrt_tables *l, int64_t i)
{
    const struct cmlrt_table *t = l->table;

    for (int64_t o = 0; o < l->outputs; o++) {
        uint64_t *lwe = out + (size_t)(o * l->count + i) * env->big;

        if (l->products)
            product(lwe, env, p, b, t, o * t->rows + i % t->rows);
        else
            cmlrt_acc_extract(lwe, p->r.acc[b], env->set, p->r.narrow,
                              (size_t)o);
    }
}

/* Neighbours that share a row of the table share its polynomial, and a batch
 * shares a pass over the key. */
static void
bootstrap(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
          const struct cmlrt_tables *l, int64_t begin, int64_t end)
{
    const struct cmlrt_table *t = l->table;
    const unsigned theta = theta_of(l), log2_n = env->set->log2_n;
    struct parts p = cut(env->set, env->scratch);
    int64_t made = -1;

    /* entries, or halves, below the top half of a word would be lost */
    p.r.narrow =
        cmlrt_narrow(env->set) && t->log2_delta_out >= 32 + l->products;
    p.r.done = env->done;
    for (int64_t i = begin; i < end; i += p.r.batch) {
        p.r.batch = end - i < BATCH ? (unsigned)(end - i) : BATCH;
        for (unsigned b = 0; b < p.r.batch; b++) {
            const int64_t row = l->products ? 0 : (i + b) % t->rows;

            if (row != made && l->products)
                test_constant(p.test, t, log2_n);
            else if (row != made)
                test_polynomials(p.test, l, row, log2_n, theta);
            made = row;
            start(env, &p, b, in + (size_t)(i + b) * env->small, t, theta);
        }
        cmlrt_blind_rotate(&p.r, env->eval, p.more);
        for (unsigned b = 0; b < p.r.batch; b++)
            extract(out, env, &p, b, l, i + b);
    }
}

void
cmlrt_lwe_pbs_many(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_tables *l = with;

    if (!env->simulated && !env->clear) {
        bootstrap(env, out, in, l, begin, end);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        simulate(env, out, in[i], l, i, theta_of(l));
}

void
cmlrt_lwe_pbs(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_tables one = { .table = with, .outputs = 1, .gain = 1 };

    cmlrt_lwe_pbs_many(env, out, in, &one, begin, end);
}
