/* Forests without bootstraps: random ones of the shapes of the reference
 * prototype, 57 features of 6 bits, with its parameters.  What a row takes from
 * its words to the sums of leaves, keys loaded. */
#define _POSIX_C_SOURCE 200809L
#include "tests/bench/bench_forest.h"

#include "tests/grove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DT, XGB, RF, SHAPES, THREADS = 2, ROUNDS = 9 };

static const struct {
    const char *name;
    struct grove_kind expand, direct;
    struct grove_options x, d;
} shape[SHAPES] = {
    { "dt",
      { 1, 5, 1, 10, 10, 0.12, 23 },
      { 1, 5, 1, 10, 10, 0.12, 23 },
      { 4, 8, { 4, 11 }, { 5, 5 }, 11, 17, 0, 64, 1 },
      { 5, 8, { 0, 0 }, { 1, 24 }, 11, 17, 8, 48, 1 } },
    { "xgb",
      { 50, 3, 4, 2, 8, 0, 0 },
      { 50, 3, 1, 8, 14, 0, 0 },
      { 3, 8, { 4, 11 }, { 5, 5 }, 11, 17, 0, 64, 4 },
      { 4, 8, { 0, 0 }, { 2, 15 }, 11, 17, 8, 44, 4 } },
    { "rf",
      { 50, 4, 4, 3, 9, 0, 0 },
      { 50, 4, 1, 8, 14, 0, 0 },
      { 3, 7, { 5, 9 }, { 6, 4 }, 11, 17, 0, 64, 4 },
      { 3, 6, { 0, 0 }, { 2, 15 }, 11, 17, 8, 44, 4 } },
};

/* One thread: what it takes of a processor, others may use it too. */
static double
now(unsigned threads)
{
    struct timespec t;

    clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
                  &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
require(bool ok)
{
    if (!ok) {
        fputs("bench: out of memory\n", stderr);
        exit(75);
    }
}

struct rig {
    struct cmlrt_secret *secret;
    struct cmlrt_eval *eval;
    struct cmlrt_env env[THREADS];
    struct cmlrt_pool *pool[THREADS]; /* of 1, 2 threads */
};

static void
open_rig(struct rig *r, const struct cmlrt_set *set, const struct kernels *k,
         const uint8_t *seed)
{
    uint8_t *payload = cmlrt_alloc(cmlrt_eval_bytes(set));

    for (unsigned t = 0; t < THREADS; t++)
        require((r->pool[t] = cmlrt_pool_new(t + 1)) != NULL);
    require(payload && cmlrt_secret_new(&r->secret, set, seed) == CML_E_ok
            && cmlrt_eval_generate(payload, r->secret, r->pool[0]) == CML_E_ok
            && cmlrt_eval_load(&r->eval, set, payload, k, r->pool[0])
                   == CML_E_ok);
    free(payload);
    for (unsigned t = 0; t < THREADS; t++)
        r->env[t] = (struct cmlrt_env){ .set = set,
                                        .eval = r->eval,
                                        .mask_seed = seed,
                                        .scratch = cmlrt_alloc(
                                            cmlrt_scratch_bytes(set, k)) };
}

static void
close_rig(struct rig *r)
{
    for (unsigned t = 0; t < THREADS; t++) {
        free(r->env[t].scratch);
        cmlrt_pool_free(r->pool[t]);
    }
    cmlrt_eval_free(r->eval);
    cmlrt_secret_free(r->secret);
}

static void
bench(int i, bool direct, const struct kernels *k)
{
    const uint8_t seed[CMLRT_SEED] = { 7 };
    int64_t x[GROVE_FEATURES];
    struct grove_values v;
    struct grove_plan p;
    struct grove g;
    struct rig r;
    uint64_t *words;

    grove_grow(&g, direct ? &shape[i].direct : &shape[i].expand, 777);
    if (direct)
        grove_direct(&p, &g, &shape[i].d);
    else
        grove_expand(&p, &g, &shape[i].x);
    open_rig(&r, &p.set, k, seed);
    grove_values_new(&v, &p, false);
    words = cmlrt_alloc(p.glwes * 2048 * sizeof *words);
    grove_row(x, 1, false);
    grove_encrypt(words, &p, r.secret, seed, 0, x);
    for (unsigned t = 0; t < THREADS; t++) {
        const int64_t cuts = t == 0 ? 1 : 4 * (t + 1);
        const int rounds = direct ? 4 * ROUNDS : ROUNDS;
        double best = 1e9;

        for (int round = 0; round < rounds; round++) {
            const double start = now(t + 1);

            grove_run(&v, &p, r.env, r.pool[t], words, cuts);
            best = fmin(best, now(t + 1) - start);
        }
        printf("forest_%s_%s%s %.4f ms\n", direct ? "D" : "X", shape[i].name,
               t ? "_2thr" : "", 1e3 * best);
        (void)fflush(stdout);
    }
    free(words);
    grove_values_free(&v);
    close_rig(&r);
    grove_plan_free(&p);
    grove_free(&g);
}

void
bench_forests(const struct kernels *k)
{
    for (int i = 0; i < SHAPES; i++) {
        bench(i, true, k);
        bench(i, false, k);
    }
}
