/* Wide tables: exact on every value of up to 16 bits, lang-spec/crypto.md 16.
 *
 * The bits of the message go, the lowest first, each through one blind rotation
 * that gives the levels of a GGSW and the bit again, which is subtracted.  The
 * GGSWs then choose among the 2^bits / N polynomials of the table and turn the
 * chosen one.
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <math.h>
#include <string.h>

enum {
    BATCH = 4, /* ciphertexts that share a pass over the key, as in pbs.c */
    MOST_LEVELS = 9 /* of 2^16 entries in polynomials of 256 */
};

/* log2 of the outputs of a rotation: the levels, and the bit itself */
static unsigned
log2_outputs(const struct cmlrt_set *set)
{
    unsigned theta = 0;

    while (1u << theta < set->wide.cb_levels + 1)
        theta++;
    return theta;
}

/* ---- scratch, in words */

struct parts {
    uint64_t *rest[BATCH], *shifted[BATCH]; /* the input less its lower bits */
    uint64_t *small, *test, *plain, *words; /* plain: k+1 polynomials */
    uint64_t *node[MOST_LEVELS];
    struct cmlrt_rotations r;
    double *ggsw; /* [BATCH][bits] */
    void *more;   /* of keyswitches and products */
};

static size_t
lines(size_t words)
{
    return (words + 7) & ~(size_t)7;
}

static size_t
levels_of(const struct cmlrt_set *set)
{
    return set->wide.bits > set->log2_n ? set->wide.bits - set->log2_n + 1 : 1;
}

static size_t
ggsw_cells(const struct cmlrt_set *set)
{
    const size_t parts = set->k + 1;

    return parts * parts * set->wide.cb_levels * cmlrt_ring_degree(set);
}

static uint64_t *
take(uint64_t **from, size_t words)
{
    uint64_t *at = *from;

    *from += lines(words);
    return at;
}

static struct parts
cut(const struct cmlrt_set *set, void *scratch)
{
    const size_t n = cmlrt_ring_degree(set), big = cmlrt_big(set) + 1;
    uint64_t *word = scratch;
    struct parts p = { .r = { .batch = 0 } };

    for (unsigned b = 0; b < BATCH; b++) {
        p.rest[b] = take(&word, big);
        p.shifted[b] = take(&word, big);
        p.r.counts[b] = (void *)take(&word, set->n + 1);
        p.r.acc[b] = take(&word, cmlrt_acc_words(set));
    }
    p.small = take(&word, BATCH * ((size_t)set->n + 1));
    p.test = take(&word, n);
    p.plain = take(&word, (set->k + 1) * n);
    p.words = take(&word, cmlrt_ggsw_words(set));
    for (size_t i = 0; i < levels_of(set); i++)
        p.node[i] = take(&word, cmlrt_acc_words(set));
    p.ggsw = (void *)take(&word, BATCH * set->wide.bits * ggsw_cells(set));
    p.more = word;
    return p;
}

/* What the largest of the products needs, or a keyswitch. */
static size_t
more_bytes(const struct cmlrt_set *set, const struct kernels *k)
{
    const struct cmlrt_wide *w = &set->wide;
    const struct {
        uint32_t levels, low_bits;
    } of[] = { { set->br_levels, 0 },
               { w->tr_levels, w->tr_low_bits },
               { w->ss_levels, w->ss_low_bits },
               { w->cb_levels, 0 } };
    size_t most = cmlrt_keyswitch_bytes(set);

    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const struct cmlrt_shape s = { .log2_n = set->log2_n,
                                       .k = set->k,
                                       .levels = of[i].levels,
                                       .inputs = set->k + 1,
                                       .low_bits = of[i].low_bits };
        const size_t bytes = k->cmux_bytes(&s);

        most = bytes > most ? bytes : most;
    }
    return most;
}

static size_t
words_of(const struct cmlrt_set *set)
{
    const size_t n = cmlrt_ring_degree(set), acc = cmlrt_acc_words(set);
    const size_t each =
        2 * lines(cmlrt_big(set) + 1) + lines(set->n + 1) + lines(acc);

    return BATCH * (each + set->wide.bits * ggsw_cells(set))
           + lines(BATCH * ((size_t)set->n + 1)) + (set->k + 2) * n
           + lines(cmlrt_ggsw_words(set)) + levels_of(set) * lines(acc);
}

size_t
cmlrt_bit_lut_bytes(const struct cmlrt_set *set, const struct kernels *k)
{
    return set->wide.tr_levels == 0
               ? 0
               : words_of(set) * sizeof(uint64_t) + more_bytes(set, k);
}

/* ---- bits */

/* 2^-1 of output f: a level of the gadget, or the bit in its place, `weight` */
static uint64_t
half_of(const struct cmlrt_set *set, unsigned f, uint64_t weight)
{
    if (f < set->wide.cb_levels)
        return UINT64_C(1) << (63 - set->wide.cb_log2_base * (f + 1));
    return f == set->wide.cb_levels ? weight >> 1 : 0;
}

static void
test_polynomial(uint64_t *test, const struct cmlrt_set *set, uint64_t weight)
{
    const unsigned outputs = 1u << log2_outputs(set);

    for (size_t j = 0; j < cmlrt_ring_degree(set); j++)
        test[j] = 0 - half_of(set, (unsigned)(j & (outputs - 1)), weight);
}

/* Counts and accumulators of a batch whose bits are at q/2, (8). */
static void
start(const struct cmlrt_env *env, struct parts *p)
{
    const struct cmlrt_set *set = env->set;
    const unsigned theta = log2_outputs(set);
    const uint64_t *in[BATCH];

    for (unsigned b = 0; b < p->r.batch; b++)
        in[b] = p->shifted[b];
    cmlrt_keyswitch(env->eval, p->small, in, p->r.batch, p->more);
    for (unsigned b = 0; b < p->r.batch; b++) {
        uint64_t *lwe = p->small + b * env->small;
        uint32_t *counts = p->r.counts[b];

        lwe[set->n] += UINT64_C(1) << 62;
        cmlrt_mod_switch(counts, lwe, set->n, set->log2_n + 1 - theta);
        for (size_t i = 0; i <= set->n; i++)
            counts[i] <<= theta;
        cmlrt_acc_start(p->r.acc[b], set, p->test, counts[set->n], p->r.narrow);
    }
}

/* The accumulator in words of 64 bits and without pads. */
static void
unpack(uint64_t *plain, const void *acc, const struct cmlrt_set *set,
       bool narrow)
{
    const size_t n = cmlrt_ring_degree(set), stride = n + CMLRT_PAD;
    const uint32_t *a32 = acc;
    const uint64_t *a64 = acc;

    for (size_t c = 0; c <= set->k; c++)
        for (size_t i = 0; i < n; i++)
            plain[c * n + i] = narrow ? (uint64_t)a32[c * stride + i] << 32
                                      : a64[c * stride + i];
}

/*     rest <- rest - LWE(bit weight) */
static void
subtract_bit(struct parts *p, unsigned b, const struct cmlrt_set *set,
             uint64_t weight)
{
    const size_t n = cmlrt_ring_degree(set), big = cmlrt_big(set);
    const size_t f = set->wide.cb_levels;
    uint64_t *lwe = p->words;

    cmlrt_extract_mask(lwe, p->plain, set->k, n, f);
    lwe[big] = p->plain[big + f] + (weight >> 1);
    for (size_t w = 0; w <= big; w++)
        p->rest[b][w] -= lwe[w];
}

static void
extract_bit(const struct cmlrt_env *env, struct parts *p, unsigned bits,
            unsigned i)
{
    const struct cmlrt_set *set = env->set;
    const uint64_t weight = UINT64_C(1) << (64 - bits + i);

    for (unsigned b = 0; b < p->r.batch; b++)
        for (size_t w = 0; w < env->big; w++)
            p->shifted[b][w] = p->rest[b][w] << (bits - 1 - i);
    test_polynomial(p->test, set, weight);
    start(env, p);
    cmlrt_blind_rotate(&p->r, env->eval, p->more);
    for (unsigned b = 0; b < p->r.batch; b++) {
        double *ggsw = p->ggsw + (b * bits + i) * ggsw_cells(set);

        unpack(p->plain, p->r.acc[b], set, p->r.narrow);
        if (i + 1 < bits)
            subtract_bit(p, b, set, weight);
        cmlrt_ggsw_of_bit(ggsw, p->plain, env->eval, p->words, p->more);
    }
}

/* ---- the choice */

/* Polynomial y of a table, as a ciphertext without noise. */
static void
leaf(uint64_t *glwe, const struct cmlrt_set *set, const struct cmlrt_table *t,
     int64_t row, size_t y)
{
    const size_t n = cmlrt_ring_degree(set);
    const size_t size = (size_t)1 << t->bits, body = set->k * (n + CMLRT_PAD);
    const int64_t *entries = (const int64_t *)t->entries + (size_t)row * size;

    memset(glwe, 0, cmlrt_acc_words(set) * sizeof *glwe);
    for (size_t j = 0; j < n && y * n + j < size; j++)
        glwe[body + j] = (uint64_t)entries[y * n + j] << t->log2_delta_out;
    for (size_t j = 0; j < CMLRT_PAD; j++)
        glwe[body + n + j] = 0 - glwe[body + j];
}

static void
exchange(uint64_t **a, uint64_t **b)
{
    uint64_t *was = *a;

    *a = *b;
    *b = was;
}

/* Bits from log2 N on choose a polynomial.  node[0] is being made, node[i + 1]
 * waits for its neighbour of 2^i polynomials. */
static void
choose(const struct cmlrt_env *env, struct parts *p, const double *ggsw,
       const struct cmlrt_table *t, int64_t row)
{
    const struct cmlrt_set *set = env->set;
    const struct cmlrt_eval *e = env->eval;
    const size_t n = cmlrt_ring_degree(set), words = cmlrt_acc_words(set);
    const size_t leaves = (((size_t)1 << t->bits) + n - 1) / n;

    for (size_t y = 0; y < leaves; y++) {
        size_t i = 0;

        leaf(p->node[0], set, t, row, y);
        for (; y >> i & 1; i++) {
            uint64_t *low = p->node[i + 1], *high = p->node[0];

            for (size_t w = 0; w < words; w++)
                high[w] -= low[w];
            e->ring.kernels->product64(
                low, high, &e->cb, ggsw + (set->log2_n + i) * ggsw_cells(set),
                p->more);
            exchange(&p->node[0], &p->node[i + 1]);
        }
        if (y + 1 < leaves)
            exchange(&p->node[0], &p->node[i + 1]);
    }
}

/* Lower bits turn it until the entry is in coefficient 0. */
static void
turn(const struct cmlrt_env *env, struct parts *p, const double *ggsw,
     unsigned bits)
{
    const struct cmlrt_eval *e = env->eval;
    const uint32_t n2 = UINT32_C(2) << env->set->log2_n;

    for (unsigned i = 0; i < bits && i < env->set->log2_n; i++)
        e->ring.kernels->cmux64(p->node[0], &e->cb, n2 - (UINT32_C(1) << i),
                                ggsw + i * ggsw_cells(env->set), p->more);
}

static void
look_up(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
        const struct cmlrt_table *t, int64_t begin, int64_t end)
{
    const struct cmlrt_set *set = env->set;
    const unsigned bits = (unsigned)t->bits;
    struct parts p = cut(set, env->scratch);

    p.r.narrow =
        cmlrt_narrow(set) && set->wide.cb_levels * set->wide.cb_log2_base <= 31;
    p.r.done = env->done;
    for (int64_t i = begin; i < end; i += p.r.batch) {
        p.r.batch = end - i < BATCH ? (unsigned)(end - i) : BATCH;
        for (unsigned b = 0; b < p.r.batch; b++) {
            memcpy(p.rest[b], in + (size_t)(i + b) * env->big,
                   env->big * sizeof *in);
            p.rest[b][env->big - 1] += (uint64_t)t->offset << t->log2_delta_in;
        }
        for (unsigned bit = 0; bit < bits; bit++)
            extract_bit(env, &p, bits, bit);
        for (unsigned b = 0; b < p.r.batch; b++) {
            const double *ggsw = p.ggsw + b * bits * ggsw_cells(set);

            choose(env, &p, ggsw, t, (i + b) % t->rows);
            turn(env, &p, ggsw, bits);
            cmlrt_acc_extract(out + (size_t)(i + b) * env->big, p.node[0], set,
                              false, 0);
        }
    }
}

/* ---- without keys: phases, the noise of each bit and that of the result */

static uint64_t
simulate(struct cmlrt_env *env, const struct cmlrt_table *t, int64_t row,
         uint64_t phase)
{
    const unsigned bits = (unsigned)t->bits;
    const int64_t *entries = t->entries;
    uint64_t rest = phase + ((uint64_t)t->offset << t->log2_delta_in);
    uint64_t m = 0;

    for (unsigned i = 0; i < bits; i++) {
        const uint64_t top = (rest << (bits - 1 - i)) + (UINT64_C(1) << 62)
                             + cmlrt_normal(env->rng, env->sd_ks)
                             + cmlrt_normal(env->rng, env->sd_ms_wide);

        m |= (top >> 63) << i;
        rest -= (top >> 63) << (64 - bits + i);
        rest += cmlrt_normal(env->rng, env->sd_br);
    }
    return ((uint64_t)entries[((uint64_t)row << bits) + m] << t->log2_delta_out)
           + cmlrt_normal(env->rng, env->sd_ext * sqrt(bits)); /* (51) */
}

void
cmlrt_lwe_bit_lut(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                  const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_table *t = with;

    if (!env->simulated && !env->clear) {
        look_up(env, out, in, t, begin, end);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        out[i] = simulate(env, t, i % t->rows, in[i]);
}
