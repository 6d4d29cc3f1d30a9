/* Times of wide tables against what the model says, one line a figure:
 *
 *     wide_pP          ms a table, in batches of four
 *     wide_pP_fft      the same over the model's number of transforms (60),
 * each as long as one measured in this run wide_pP_cost     the same over the
 * price of the search, whose unit is a rotation of this run
 *
 * The last two are to be at most 1.3.  Like bench.c: only ratios of one run
 * mean something, on a machine with nothing else to do.
 */
#define _POSIX_C_SOURCE 200809L
#include "passes/cost.h"
#include "passes/search.h"
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 4, TURNS = 5, MOST_BITS = 16, FFTS = 2000 };

/* what the search returns for tables of such tables, tests/params/wide.txt */
static const struct cmlrt_set sets[] = {
    { 2,
      10,
      720,
      3,
      12,
      4,
      3,
      50,
      17,
      false,
      { 7, 6, 3, 14, 3, 6, 8, 0, 0 },
      { 0 } },
    { 2,
      10,
      720,
      5,
      8,
      6,
      2,
      50,
      17,
      false,
      { 15, 3, 4, 11, 6, 4, 12, 0, 0 },
      { 0 } },
    { 3,
      10,
      720,
      11,
      4,
      12,
      1,
      50,
      3,
      false,
      { 5, 10, 3, 17, 7, 4, 16, 33, 38 },
      { 0 } },
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *
get(size_t bytes)
{
    void *p = cmlrt_alloc(bytes);

    if (!p) {
        fputs("bench: out of memory\n", stderr);
        exit(75);
    }
    return p;
}

struct keys {
    struct cmlrt_set set;
    struct cmlrt_secret *secret;
    struct cmlrt_eval *eval;
    struct cmlrt_env env;
};

static void
open_keys(struct keys *r, const struct cmlrt_set *set)
{
    const uint8_t seed[CMLRT_SEED] = { 1 };
    const struct kernels *k = cmlrt_kernels_select(NULL);
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    uint8_t *payload = get(cmlrt_eval_bytes(set));

    r->set = *set;
    if (!pool || cmlrt_secret_new(&r->secret, set, seed) != CML_E_ok
        || cmlrt_eval_derive(payload, r->secret, seed, pool) != CML_E_ok
        || cmlrt_eval_load(&r->eval, set, payload, k, pool) != CML_E_ok)
        exit(75);
    free(payload);
    cmlrt_pool_free(pool);
    r->env = (struct cmlrt_env){ .set = &r->set,
                                 .eval = r->eval,
                                 .big = cmlrt_big(set) + 1,
                                 .small = (size_t)set->n + 1,
                                 .scratch = get(cmlrt_scratch_bytes(set, k)) };
}

static void
close_keys(struct keys *r)
{
    free(r->env.scratch);
    cmlrt_eval_free(r->eval);
    cmlrt_secret_free(r->secret);
}

static double
least(double a, double b)
{
    return a < b ? a : b;
}

/* of a transform */
static double
fft_ns(const struct keys *r)
{
    const struct cmlrt_ring *ring = &r->eval->ring;
    const size_t n = cmlrt_ring_degree(&r->set);
    double *row = get(n * sizeof *row), *at = get(n * sizeof *at);
    const double t = now();

    for (int i = 0; i < FFTS; i++)
        ring->kernels->fft_fwd(at, row, ring->plan);
    free(row);
    free(at);
    return (now() - t) / (double)FFTS;
}

/* of a rotation, in a batch */
static double
rotation_ns(struct keys *r)
{
    const struct cmlrt_set *set = &r->set;
    struct cmlrt_rotations x = { .batch = BATCH, .narrow = cmlrt_narrow(set) };
    void *scratch = r->env.scratch;
    double t;

    for (unsigned b = 0; b < BATCH; b++) {
        x.acc[b] = get(cmlrt_acc_words(set) * sizeof(uint64_t));
        x.counts[b] = get((set->n + 1) * sizeof *x.counts[b]);
        for (uint32_t i = 0; i <= set->n; i++)
            x.counts[b][i] = 1 + (i * 37 + b) % 2000;
    }
    t = now();
    cmlrt_blind_rotate(&x, r->eval, scratch);
    t = now() - t;
    for (unsigned b = 0; b < BATCH; b++) {
        free(x.acc[b]);
        free(x.counts[b]);
    }
    return t / (double)BATCH;
}

static double
table_ns(struct keys *r, const struct cmlrt_table *table)
{
    uint64_t *lwe = get(BATCH * r->env.big * sizeof *lwe);
    double t;

    for (size_t i = 0; i < BATCH * r->env.big; i++)
        lwe[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    t = now();
    cmlrt_lwe_bit_lut(&r->env, lwe, lwe, table, 0, BATCH);
    t = now() - t;
    free(lwe);
    return t / (double)BATCH;
}

/* rotations, and all of a table, in the units of a problem */
struct price {
    double rotation, table;
};

static struct price
price_of(const struct cmlrt_set *set, bool units)
{
    const struct cmlrt_wide *w = &set->wide;
    const struct model_ring r = { set->k, set->log2_n, false };
    const struct ir_params s = { .k = set->k,
                                 .log2_n = set->log2_n,
                                 .tr_levels = w->tr_levels,
                                 .tr_low_bits = w->tr_low_bits,
                                 .ss_levels = w->ss_levels,
                                 .ss_low_bits = w->ss_low_bits,
                                 .cb_levels = w->cb_levels };
    struct search_event e[MOST_BITS] = { { .count = 0 } };
    const struct search_problem p = { .event = e,
                                      .n = w->bits,
                                      .published_cost = units };
    const double rotation = set->n
                            * (units ? model_cost_cmux(r, set->br_levels)
                                     : cost_cmux(r, set->br_levels));
    const double ks =
        units ? model_cost_ks(model_dimension(r), set->n, set->ks_levels)
              : cost_ks(model_dimension(r), set->n, set->ks_levels);

    for (uint32_t i = 0; i < w->bits; i++)
        e[i] = (struct search_event){ .wide = true,
                                      .width = i ? 0 : w->bits,
                                      .count = 1 };
    return (struct price){ rotation, w->bits * (rotation + ks)
                                         + search_wide_cost(&s, &p) };
}

int
main(void)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const struct cmlrt_set *set = &sets[i];
        const unsigned bits = set->wide.bits;
        const struct model_ring ring = { set->k, set->log2_n, false };
        const struct price flops = price_of(set, true);
        const struct price ns = price_of(set, false);
        int64_t *entries = get(sizeof *entries << bits);
        const struct cmlrt_table t = { entries,   1,         bits, 0,
                                       64 - bits, 64 - bits, 0 };
        double fft = 1e300, rotation = 1e300, table = 1e300;
        struct keys r;

        open_keys(&r, set);
        for (int turn = 0; turn < TURNS; turn++) {
            fft = least(fft, fft_ns(&r));
            rotation = least(rotation, rotation_ns(&r));
            table = least(table, table_ns(&r, &t));
        }
        printf("wide_p%u %.1f ms\n", bits, table / 1e6);
        printf("wide_p%u_fft %.3f\n", bits,
               table / fft / (flops.table / model_cost_fft(ring)));
        printf("wide_p%u_cost %.3f\n", bits,
               table / rotation / (ns.table / ns.rotation));
        printf("wide_p%u_cmux %.3f\n", bits,
               rotation / fft / (flops.rotation / model_cost_fft(ring)));
        close_keys(&r);
        free(entries);
    }
    return 0;
}
