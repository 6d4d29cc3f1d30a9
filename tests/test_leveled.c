/* Forests without bootstraps, lang-spec/crypto.md 17: results and noise of both
 * pipelines, at parameters that are secure.
 */
#include "runtime/engine.h"
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

/* ---- noise: (82) to (88), worst rows; a sample is a coefficient */

static const double u = 0x1p-128; /* q^-2 */

static double
v_tuniform(int t)
{
    return (ldexp(2, 2 * t) + 1) / 6 * u;
}

static double
d2(unsigned b)
{
    return (ldexp(1, 2 * (int)b) + 2) / 12;
}

static double
rest(unsigned levels, unsigned b)
{
    return ldexp(1, -2 * (int)(levels * b)) - u;
}

static const double N = 2048, NORM2 = 2 * 2048 / 3.0; /* of S */

/* (19), with C as measured by test_noise.c; it is small here */
static double
v_fft(unsigned rows, unsigned b)
{
    return 1.2 * 0x1p-106 * 11 * rows * N * ldexp(1, 2 * (int)b) / 144
           * (1 + NORM2);
}

/* (82) */
static double
v_auto(const struct cmlrt_set *s, unsigned q)
{
    const unsigned l = s->leveled.levels[q], b = s->leveled.log2_base[q];

    return N * l * v_tuniform(s->t_glwe) * d2(b) + NORM2 * rest(l, b) / 12
           + v_fft(l, b);
}

/* (83) */
static double
v_body(const struct cmlrt_set *s)
{
    const unsigned m = s->leveled.steps;
    double v = ldexp(v_tuniform(s->t_glwe), (int)m);

    for (unsigned q = 0; q < m; q++)
        v += ldexp(v_auto(s, q), (int)(m - 1 - q));
    return v;
}

/* (85) with (84) */
static double
v_mask(const struct cmlrt_set *s, double body)
{
    const unsigned l = s->leveled.ss_levels, b = s->leveled.ss_log2_base;

    return NORM2 * body + N * l * v_tuniform(s->t_glwe) * d2(b)
           + NORM2 * NORM2 * rest(l, b) / 12 + v_fft(l, b);
}

/* (86) */
static double
v_product(struct grove_gadget g, double rows, double m2)
{
    return g.levels * N * d2(g.log2_base) * rows
           + m2 * (1 + NORM2) * rest(g.levels, g.log2_base) / 12
           + v_fft(2 * g.levels, g.log2_base);
}

/* Phases of all coefficients of a GLWE. */
static void
phases(uint64_t *phase, const struct rig *r, const uint64_t *glwe)
{
    for (size_t i = 0; i < 2048; i++)
        phase[i] = phase_of(r, glwe, i);
}

/* Ratio of measured to predicted variance in the interval of section 14: the
 * noise of coefficients of one polynomial is not independent, and that of
 * several keys differs.  Its ends are a factor of 2 apart: half the variance
 * and the double of one inside lie outside. */
static void
check_ratio(const char *what, double square, double count, double v)
{
    const double ratio = square / count / v;

    ck_assert_msg(ratio > 0.7 && ratio < 1.4, "%s: measured / formula = %.3f",
                  what, ratio);
}

/* A row of a GGSW: points back to words. */
static void
row_of(uint64_t *glwe, const struct run *t, const double *ggsw, unsigned rows,
       unsigned row)
{
    const struct kernels *k = t->r.eval->ring.kernels;
    double *points = rig_alloc((2048 + CMLRT_ROW_PAD) * sizeof *points);
    double *sum = rig_alloc(2 * (2048 + CMLRT_ROW_PAD) * sizeof *sum);
    double *digit = rig_alloc(rows * (2048 + CMLRT_ROW_PAD) * sizeof *digit);
    uint64_t word[2048] = { 1 };

    /* the row times the constant 1 */
    memset(glwe, 0, 4096 * sizeof *glwe);
    k->torus_points(points, word, t->r.eval->ring.plan); /* 2^-64 2/N */
    for (size_t i = 0; i < 2048; i++)
        digit[row * (2048 + CMLRT_ROW_PAD) + i] = points[i] * 0x1p64 * 1024;
    k->key_mul(sum, digit, ggsw, rows, 2048, false);
    k->points_torus(glwe, sum, t->r.eval->ring.plan);
    k->points_torus(glwe + 2048, sum + 2048 + CMLRT_ROW_PAD,
                    t->r.eval->ring.plan);
    free(points);
    free(sum);
    free(digit);
}

/* Body rows, mask rows and products of X, all bits 1: (83), (85), (86); several
 * keys. */
START_TEST(expansion_noise)
{
    enum { KEYS = 3, GGSWS = 3 };
    double body = 0, mask = 0, product = 0, vb, vm;
    static const struct grove_kind kind = { 3, 3, 4, 4, 8, 0, 0 };
    const struct grove_gadget gg = expand_options.gg;
    const unsigned l = gg.levels, rows = 2 * l;
    size_t count = 0;
    struct run t;

    for (uint64_t key = 0; key < KEYS; key++) {
        const size_t n = 2048;
        _Alignas(64) uint64_t glwe[4096];
        uint64_t phase[2048], in[2048];

        open_run(&t, &kind, false, cmlrt_kernels_select(NULL), 70 + key);
        ck_assert_uint_ge(t.p.ggsws, GGSWS);
        vb = v_body(&t.p.set);
        vm = v_mask(&t.p.set, vb);
        (void)check_row(&t, 1, true, 1);
        for (size_t i = 0; i < GGSWS; i++) {
            const double *ggsw =
                (const double *)(const void *)t.v.ggsw + i * rows * 2 * n;
            struct cmlrt_env *env = &t.r.env;
            const struct cmlrt_shape s = { t.r.eval->ring.plan, 11, 1, l,
                                           gg.log2_base,        2,  0 };
            double *d = env->scratch, *sum = d + 32 * (n + CMLRT_ROW_PAD);

            for (unsigned row = 0; row < rows; row++) {
                const unsigned shift = 64 - gg.log2_base * (row % l + 1);

                row_of(glwe, &t, ggsw, rows, row);
                phases(phase, &t.r, glwe);
                if (row < l)
                    phase[0] -= UINT64_C(1) << shift;
                for (size_t x = 0; row >= l && x < n; x++)
                    phase[x] += t.r.secret->big[x] << shift;
                for (size_t x = 0; x < n; x++)
                    *(row < l ? &body : &mask) +=
                        torus(phase[x]) * torus(phase[x]);
            }
            cmlrt_rng_bytes(&t.r.rng, glwe, sizeof glwe);
            phases(in, &t.r, glwe);
            t.r.eval->ring.kernels->digit_points(d, glwe + n, &s);
            t.r.eval->ring.kernels->digit_points(d + l * (n + CMLRT_ROW_PAD),
                                                 glwe, &s);
            t.r.eval->ring.kernels->key_mul(sum, d, ggsw, rows, n, false);
            memset(glwe, 0, sizeof glwe);
            t.r.eval->ring.kernels->points_torus(glwe, sum, s.plan);
            t.r.eval->ring.kernels->points_torus(
                glwe + n, sum + n + CMLRT_ROW_PAD, s.plan);
            phases(phase, &t.r, glwe);
            for (size_t x = 0; x < n; x++)
                product += torus(phase[x] - in[x]) * torus(phase[x] - in[x]);
            count += n;
        }
        close_run(&t);
    }
    check_ratio("body row", body, (double)(count * l), vb);
    check_ratio("mask row", mask, (double)(count * l), vm);
    check_ratio("product", product, (double)count, v_product(gg, vb + vm, 1));
}
END_TEST

/* (82): one step on a fresh ciphertext, the sum of all slots of a residue. */
START_TEST(step_noise)
{
    struct grove_options o = direct_options;
    const size_t n = 2048;
    double square = 0, v = 0;
    size_t count = 0;

    for (uint64_t key = 0; key < 3; key++) {
        struct cmlrt_set set = { .k = 1,
                                 .log2_n = 11,
                                 .t_glwe = o.t_glwe,
                                 .ternary = true,
                                 .leveled = { .first = 4,
                                              .steps = 1,
                                              .levels = { 6 },
                                              .log2_base = { 7 } } };
        const struct cmlrt_spread d = { 7, 1, 0, 0 };
        static const int64_t zeros[2048];
        const struct cmlrt_plain plain = { zeros, n, 0 };
        uint64_t *out = rig_alloc(8 * n * sizeof *out), body[2048];
        uint64_t phase[2][2048], glwe[4096];
        struct rig r;

        rig_open(&r, &set, cmlrt_kernels_select(NULL), 90 + key);
        v = 2 * v_tuniform(o.t_glwe) + v_auto(&set, 0);
        for (uint64_t i = 0; i < 3; i++) {
            ck_assert_int_eq(cmlrt_encrypt(body, r.secret, r.seed, i, &plain),
                             CML_E_ok);
            r.env.first_glwe = i;
            cmlrt_glwe_expand(&r.env, out, body, &d, 0, 2);
            for (size_t g = 0; g < 2; g++) {
                memcpy(glwe, out + g * 4 * n + n, n * sizeof *out);
                memcpy(glwe + n, out + g * 4 * n + 3 * n, n * sizeof *out);
                phases(phase[g], &r, glwe);
                for (size_t x = 0; x < n; x++)
                    square += torus(phase[g][x]) * torus(phase[g][x]);
                count += n;
            }
        }
        free(out);
        rig_close(&r);
    }
    check_ratio("step", square, (double)count, v);
}
END_TEST

typedef double poly[2048];

/*     out <- out + w X^e a */
static void
add_turned(double *out, const double *a, int64_t e, double w)
{
    for (int64_t i = 0; i < 2048; i++) {
        const int64_t at = (i + e) & 4095; /* X^N = -1 */

        out[at & 2047] += at < 2048 ? w * a[i] : -w * a[i];
    }
}

static double
norm2(const double *a)
{
    double v = 0;

    for (size_t i = 0; i < 2048; i++)
        v += a[i] * a[i];
    return v;
}

/* Products of (88), all bits 1, of a prefix whose sum is multiplied by the
 * polynomial `by`; what thermometers are multiplied by is added to t. */
static double
v_prefix(const struct grove_plan *p, int64_t i, const double *by, poly *t)
{
    const int64_t *f = (const int64_t *)p->products.prefixes + 7 * i;
    const int64_t *mono = (const int64_t *)p->products.monomials + 3 * f[1];
    const int64_t *child = (const int64_t *)p->products.children + f[5];
    const double fresh = v_tuniform(17) + ldexp(1, -2 * (int)p->keep) / 12;
    double v = 0;

    for (int64_t j = 0; j < f[2]; j++, mono += 3)
        add_turned(t[mono[0]], by, mono[1], (double)mono[2]);
    for (int64_t j = 0; j < f[6]; j++) {
        const size_t ggsw =
            (size_t)((const int64_t *)p->products.prefixes)[7 * child[j]];
        poly next = { 0 };
        double ones = 0;

        for (size_t k = 0; k < p->bits; k++)
            if (!p->bit[k].leaf && p->bit[k].glwe == ggsw) {
                add_turned(next, by, (int64_t)p->bit[k].at, 1);
                ones++;
            }
        v += norm2(by) * v_product(p->gg, 2 * fresh, ones)
             + v_prefix(p, child[j], next, t);
    }
    return v;
}

/* (88) with the norm of sums of products in the place of products of norms,
 * which are a bound. */
static double
v_direct(const struct grove_plan *p)
{
    poly *t = rig_alloc(p->groups * sizeof *t);
    const poly one = { 1 };
    double v = v_prefix(p, 0, one, t);

    for (size_t r = 0; r < p->groups; r++)
        v += norm2(t[r]) * v_body(&p->set);
    free(t);
    return v;
}

/* (87) of the way that is taken if all bits are 1 */
static double
v_way(const struct run *t)
{
    const double body = v_body(&t->p.set);
    const double each = v_product(t->p.gg, body + v_mask(&t->p.set, body), 1);
    double v = 0;

    for (int64_t i = 0; i < t->g.trees; i++)
        for (int64_t c = t->g.root[i]; c >= 0; c = t->g.node[c].right)
            if (t->g.node[c].left >= 0 || t->g.node[c].right >= 0)
                v += each;
    return v;
}

/* Whole forests, all bits 1. */
START_TEST(forest_noise)
{
    enum { KEYS = 4, ROWS = 40 };
    const bool direct = _i;
    const struct grove_kind kind = { 4, 4, 3, 6, 10, 0.1, 0 };
    double square = 0, v = 0;
    size_t count = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        int64_t x[GROVE_FEATURES], want[8];
        struct run t;

        open_run(&t, &kind, direct, cmlrt_kernels_select(NULL), 40 + key);
        v += (direct ? v_direct(&t.p) : v_way(&t)) / (double)KEYS;
        grove_row(x, 0, true);
        grove_clear(&t.g, want, x);
        for (uint64_t row = 0; row < ROWS / (direct ? 1 : 4); row++) {
            (void)check_row(&t, row, true, 1);
            for (int64_t i = 0; i < t.g.coefs; i++, count++) {
                const double e = torus(phase_of(&t.r, t.v.sum, (size_t)i)
                                       - ((uint64_t)want[i] << t.g.log2_delta));

                square += e * e;
            }
        }
        close_run(&t);
    }
    check_ratio(direct ? "D" : "X", square, (double)count, v);
}
END_TEST

/* Rows in files: every width, and pieces that do not end at a byte. */
START_TEST(rows_are_packed)
{
    enum { COUNT = 37 };
    struct cml_piece piece[3] = { { .count = COUNT, .keep_bits = 64 },
                                  { .count = COUNT, .word = COUNT },
                                  { .count = COUNT, .word = 2 * COUNT } };
    struct cml_manifest m = { .npieces = 3, .pieces = piece };
    const uint8_t seed[CMLRT_SEED] = { 5 };

    for (unsigned bits = 1; bits <= 64; bits++) {
        uint64_t words[3 * COUNT], back[3 * COUNT];
        uint8_t packed[3 * COUNT * 8 + 1];
        struct cmlrt_rng g;

        piece[1].keep_bits = bits;
        piece[2].keep_bits = 65 - bits;
        cmlrt_rng_init(&g, seed, CMLRT_SIMULATE, bits);
        cmlrt_rng_bytes(&g, words, sizeof words);
        cmlrt_keep_bits(words + COUNT, COUNT, bits);
        cmlrt_keep_bits(words + 2 * COUNT, COUNT, 65 - bits);
        ck_assert_uint_eq(cmlrt_row_bytes(&m),
                          8 * COUNT + (COUNT * bits + 7) / 8
                              + (COUNT * (65 - bits) + 7) / 8);
        memset(packed, 0xa5, sizeof packed);
        cmlrt_row_pack(packed, &m, words);
        ck_assert_uint_eq(packed[cmlrt_row_bytes(&m)], 0xa5);
        cmlrt_row_unpack(back, &m, packed);
        ck_assert_mem_eq(words, back, sizeof words);
    }
}
END_TEST

/* To the nearest of so many bits. */
START_TEST(kept_bits_are_rounded)
{
    uint64_t word[] = { 0x7fff, 0x8000, 0x18000, UINT64_MAX, 0 };
    const uint64_t want[] = { 0, 0x10000, 0x20000, 0, 0 };

    cmlrt_keep_bits(word, 5, 48);
    ck_assert_mem_eq(word, want, sizeof word);
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
    tcase_add_test(c, rows_are_packed);
    tcase_add_test(c, kept_bits_are_rounded);
    tcase_add_test(c, expansion_noise);
    tcase_add_test(c, step_noise);
    tcase_add_loop_test(c, forest_noise, 0, 2);
    suite_add_tcase(s, c);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
