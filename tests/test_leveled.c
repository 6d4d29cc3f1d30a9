/* Forests without bootstraps, lang-spec/crypto.md 17: results and noise of both
 * pipelines, at parameters that are secure.
 */
#include "tests/chi.h"
#include "tests/grove.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Small forests of the shapes of the benchmark. */
static const struct grove_kind kinds[] = {
    { 3, 3, 4, 4, 8, 0.2, 0 }, /* X, four digits */
    { 2, 4, 1, 7, 9, 0.3, 0 }, /* one coefficient */
    { 2, 2, 3, 3, 6, 0, 0 },   /* shallow */
    { 2, 1, 2, 3, 6, 0, 0 },   /* pairs only: no GGSW */
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct grove_options expand_options = { 3,        8,  { 4, 11 },
                                                     { 5, 5 }, 11, 17,
                                                     0,        64, 2 };
static const struct grove_options direct_options = { 4,         8,  { 0, 0 },
                                                     { 2, 15 }, 11, 17,
                                                     8,         44, 2 };

struct run {
    struct grove g;
    struct grove_plan p;
    struct rig r;
    struct grove_values v;
    uint64_t *words;
};

static void
open_run(struct run *t, const struct grove_kind *k, bool direct,
         const struct kernels *kernels, uint64_t seed)
{
    struct grove_kind kind = *k;

    kind.coefs = direct ? 1 : k->coefs;
    grove_grow(&t->g, &kind, 5 + seed);
    if (direct)
        grove_direct(&t->p, &t->g, &direct_options);
    else
        grove_expand(&t->p, &t->g, &expand_options);
    rig_open(&t->r, &t->p.set, kernels, seed);
    grove_values_new(&t->v, &t->p, false);
    t->words = rig_alloc(t->p.glwes * 2048 * sizeof *t->words);
}

static void
close_run(struct run *t)
{
    free(t->words);
    grove_values_free(&t->v);
    rig_close(&t->r);
    grove_plan_free(&t->p);
    grove_free(&t->g);
}

/* Phase of coefficient i of a GLWE. */
static uint64_t
phase_of(const struct rig *r, const uint64_t *glwe, size_t i)
{
    const size_t n = cmlrt_ring_degree(&r->set);
    uint64_t lwe[2049];

    cmlrt_extract_mask(lwe, glwe, 1, n, i);
    lwe[n] = glwe[n + i];
    return cmlrt_phase(r->secret, lwe);
}

/* A row through the circuit; the largest error, relative to the torus. */
static double
check_row(struct run *t, uint64_t seed, bool worst, int64_t cuts)
{
    int64_t x[GROVE_FEATURES], want[8];
    const unsigned delta = (unsigned)t->g.log2_delta;
    double most = 0;

    grove_row(x, seed, worst);
    grove_clear(&t->g, want, x);
    grove_encrypt(t->words, &t->p, t->r.secret, t->r.seed, 1000 * seed, x);
    t->r.env.first_glwe = 1000 * seed;
    grove_run(&t->v, &t->p, &t->r.env, t->r.pool, t->words, cuts);
    for (int64_t i = 0; i < t->g.coefs; i++) {
        const uint64_t phase = phase_of(&t->r, t->v.sum, (size_t)i);
        const uint64_t error = phase - ((uint64_t)want[i] << delta);

        most = fmax(most, fabs(torus(error)));
        ck_assert_msg(fabs(torus(error)) < ldexp(1, (int)delta - 65),
                      "coefficient %d: error 2^%.1f", (int)i,
                      log2(fabs(torus(error))));
    }
    return most;
}

static const struct kernels *
table(int i)
{
    return cmlrt_kernels_usable((size_t)i);
}

/* loop: kinds, pipelines, tables */
START_TEST(forests_are_exact)
{
    const bool direct = _i / KINDS % 2;
    const struct kernels *k = table(_i / KINDS / 2);
    struct run t;

    if (!k)
        return;
    open_run(&t, &kinds[_i % KINDS], direct, k, (uint64_t)_i);
    for (uint64_t row = 0; row < 3; row++)
        (void)check_row(&t, row, row == 0, 1);
    close_run(&t);
}
END_TEST

/* Any cut of a range gives the same words. */
START_TEST(cuts_are_alike)
{
    struct run t;
    uint64_t once[4096];

    open_run(&t, &kinds[0], _i, cmlrt_kernels_select(NULL), 50);
    for (int64_t cuts = 1; cuts < 24; cuts += 5) {
        (void)check_row(&t, 3, false, cuts);
        if (cuts == 1)
            memcpy(once, t.v.sum, sizeof once);
        ck_assert_mem_eq(once, t.v.sum, sizeof once);
    }
    close_run(&t);
}
END_TEST

/* Without encryption: the same numbers, and the noise that is asked for. */
START_TEST(clear_forests)
{
    const bool direct = _i / KINDS, clear = true;
    struct grove_kind kind = kinds[_i % KINDS];
    struct grove_values v;
    struct grove_plan p;
    struct grove g;
    struct rig r;
    int64_t x[GROVE_FEATURES], want[8];
    uint64_t *words;

    kind.coefs = direct ? 1 : kind.coefs;
    grove_grow(&g, &kind, 9);
    if (direct)
        grove_direct(&p, &g, &direct_options);
    else
        grove_expand(&p, &g, &expand_options);
    rig_one_word(&r, &p.set, clear);
    r.pool = cmlrt_pool_new(1);
    grove_values_new(&v, &p, true);
    words = rig_alloc(p.glwes * 2048 * sizeof *words);
    for (uint64_t row = 0; row < 20; row++) {
        grove_row(x, row, row == 0);
        grove_clear(&g, want, x);
        grove_encrypt(words, &p, NULL, NULL, 0, x);
        grove_run(&v, &p, &r.env, r.pool, words, 1 + (int64_t)row);
        for (int64_t i = 0; i < g.coefs; i++)
            ck_assert_uint_eq(v.sum[i], (uint64_t)want[i] << g.log2_delta);
    }
    free(words);
    grove_values_free(&v);
    rig_close(&r);
    grove_plan_free(&p);
    grove_free(&g);
}
END_TEST

START_TEST(simulated_noise)
{
    enum { ROWS = 400 };
    const double sd = 0x1p-20;
    struct grove_kind kind = kinds[1];
    struct grove_values v;
    struct grove_plan p;
    struct grove g;
    struct rig r;
    int64_t x[GROVE_FEATURES], want[8];
    uint64_t *words;
    double e[ROWS];

    grove_grow(&g, &kind, 9);
    if (_i)
        grove_direct(&p, &g, &direct_options);
    else
        grove_expand(&p, &g, &expand_options);
    p.forest.sd = p.products.sd = sd;
    rig_one_word(&r, &p.set, false);
    r.pool = cmlrt_pool_new(1);
    grove_values_new(&v, &p, true);
    words = rig_alloc(p.glwes * 2048 * sizeof *words);
    grove_row(x, 1, false);
    grove_clear(&g, want, x);
    grove_encrypt(words, &p, NULL, NULL, 0, x);
    for (size_t row = 0; row < ROWS; row++) {
        grove_run(&v, &p, &r.env, r.pool, words, 1);
        e[row] = torus(v.sum[0] - ((uint64_t)want[0] << g.log2_delta));
    }
    CHECK_VARIANCE(e, ROWS, sd * sd);
    free(words);
    grove_values_free(&v);
    rig_close(&r);
    grove_plan_free(&p);
    grove_free(&g);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("leveled");
    TCase *c = tcase_create("forests");
    SRunner *runner;
    int failed;

    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, clear_forests, 0, 2 * KINDS);
    tcase_add_loop_test(c, forests_are_exact, 0, 2 * KINDS * 3);
    tcase_add_loop_test(c, cuts_are_alike, 0, 2);
    tcase_add_loop_test(c, simulated_noise, 0, 2);
    suite_add_tcase(s, c);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
