/* The noise model against published failure probabilities, and the search
 * against published parameter sets; lang-spec/crypto.md, section 13.
 *
 * Each check of a table of numbers is made once more with a planted error,
 * which it must find.
 */
#include "passes/cost.h"
#include "passes/search.h"
#include "tests/model/published.h"
#include "tests/rows.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct search_problem defaults = { .n = 1,
                                                .log2_pfail = -128,
                                                .level = 132,
                                                .max_log2_n = 17,
                                                .wide_ksk = true,
                                                .published_cost = true };

struct published {
    char order[8], ms[8], noise[2];
    int group, ks_q, opt;
    double p, norm2, n, lwe, glwe, degree, target, log2p;
    struct model_ring r;
    struct model_gadget br, ks;
};

static bool
next_published(FILE *f, struct published *x)
{
    char line[256];
    int got;

    if (!rows_next(f, line, sizeof line))
        return false;
    memset(x, 0, sizeof *x);
    got = sscanf(line,
                 "%*s %*s %lf %lf %7s %7s %d %d %1s %lf %lf %u %lf %lf %u %u "
                 "%u %u %lf %lf %d",
                 &x->p, &x->norm2, x->order, x->ms, &x->group, &x->ks_q,
                 x->noise, &x->n, &x->lwe, &x->r.k, &x->degree, &x->glwe,
                 &x->br.levels, &x->br.log2_base, &x->ks.levels,
                 &x->ks.log2_base, &x->target, &x->log2p, &x->opt);
    ck_assert_msg(got == 19, "%s", line);
    x->r.log2_n = (uint32_t)lround(log2(x->degree));
    return true;
}

static bool
is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- security */

START_TEST(the_staircase_of_tuniform)
{
    /* from t = 57 down, the smallest n of each step at 132 bits */
    static const int first[] = { 450,  481,  521,  561,  601,  640, 680, 720,
                                 759,  799,  839,  879,  918,  958, 998, 1038,
                                 1077, 1117, 1157, 1197, 1236, 1276 };
    static const int ring[][2] = { { 1024, 43 }, { 1536, 30 }, { 2048, 17 },
                                   { 2560, 4 },  { 2587, 3 },  { 65536, 3 } };

    for (int i = 0; i < 22; i++) {
        ck_assert_int_eq(model_tuniform(132, first[i], 64), 57 - i);
        if (i > 0)
            ck_assert_int_eq(model_tuniform(132, first[i] - 1, 64), 58 - i);
    }
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(model_tuniform(132, ring[i][0], 64), ring[i][1]);
    ck_assert_int_eq(model_tuniform(132, 918, 32), 13);
    ck_assert(isinf(model_v_fresh(132, MODEL_TUNIFORM, 449)));
    ck_assert(isinf(model_v_fresh(128, MODEL_GAUSS, 449)));
}
END_TEST

/* sqrt(2^(2t) / 3) against the curve: (4) above it by less than a bit, (3)
 * at most 0.05 bit below */
START_TEST(tuniform_is_on_the_curve)
{
    for (int n = 450; n < 2500; n++) {
        const double tolerance = _i == 128 ? 0 : 0.05;
        const double sigma = model_log2_sigma_min(_i, n, 64);
        const double got = 0.5 * log2(model_v_fresh(_i, MODEL_TUNIFORM, n));

        ck_assert_msg(got >= sigma - tolerance, "%d: n = %d", _i, n);
        ck_assert_msg(got <= sigma + 1.5, "%d: n = %d", _i, n);
    }
    ck_assert_double_eq(model_log2_sigma_min(_i, 4096, 64), -62);
    ck_assert_double_eq(model_log2_sigma_min(_i, 4096, 32), -30);
}
END_TEST

START_TEST(published_noise_is_on_the_curve)
{
    FILE *f = rows_open("params/published.txt");
    struct published x;

    while (next_published(f, &x)) {
        const double big = model_dimension(x.r);

        if (is(x.noise, "T")) {
            ck_assert_int_eq(model_tuniform(132, x.n, x.ks_q), (int)x.lwe);
            ck_assert_int_eq(model_tuniform(132, big, 64), (int)x.glwe);
            continue;
        }
        ck_assert_double_eq_tol(model_log2_sigma_min(132, x.n, x.ks_q), x.lwe,
                                1e-3);
        ck_assert_double_eq_tol(model_log2_sigma_min(132, big, 64), x.glwe,
                                1e-3);
    }
}
END_TEST

/* ---- failure probability */

START_TEST(kappa_of_probabilities)
{
    static const double row[][2] = { { -13.946, 4.000 }, { -17, 4.475 },
                                     { -40, 7.144 },     { -64, 9.155 },
                                     { -128, 13.109 },   { -132, 13.317 },
                                     { -136, 13.523 },   { -140, 13.725 },
                                     { -144, 13.925 },   { -152, 14.316 },
                                     { -160, 14.696 } };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const double kappa = model_kappa(row[i][0]);

        ck_assert_double_eq_tol(kappa, row[i][1], 0.0006);
        ck_assert_double_eq_tol(model_log2_pfail(1, kappa), row[i][0], 1e-9);
    }
}
END_TEST

START_TEST(erfc_has_no_seam)
{
    for (double x = 0; x < 25; x += 0.01)
        ck_assert_double_eq_tol(model_log2_erfc(x), log2(erfc(x)),
                                1e-12 * (1 + x * x));
    for (double x = 0.1; x < 1e6; x *= 1.01)
        ck_assert(model_log2_erfc(x * 1.01) < model_log2_erfc(x));
    ck_assert(isinf(model_log2_pfail(0, 0.25)));
}
END_TEST

START_TEST(logarithms_add)
{
    const double none = (double)-INFINITY;

    ck_assert_double_eq(model_log2_add(-128, -128), -127);
    ck_assert_double_eq(model_log2_add(none, -128), -128);
    ck_assert_double_eq(model_log2_add(-128, none), -128);
    ck_assert(isinf(model_log2_add(none, none)));
    ck_assert_double_eq_tol(exp2(model_log2_add(log2(3), log2(5))), 8, 1e-14);
}
END_TEST

enum plant { NOTHING, WRONG_SWITCH, NORM_NOT_SQUARED, NO_KEYSWITCH };

static double
formula_log2p(const struct published *x, enum plant plant)
{
    const bool tuniform = is(x->noise, "T");
    const double m = 2 * x->degree;
    const double lwe =
        tuniform ? model_v_tuniform((int)x->lwe, x->ks_q) : exp2(2 * x->lwe);
    const double glwe =
        tuniform ? model_v_tuniform((int)x->glwe, 64) : exp2(2 * x->glwe);
    const double nu2 =
        plant == NORM_NOT_SQUARED ? x->norm2 : x->norm2 * x->norm2;
    const bool centred = is(x->ms, "centred") != (plant == WRONG_SWITCH);
    const double v_ms = x->group > 1 ? published_v_ms_grouped(x->n, x->group, m)
                        : centred    ? model_v_ms(x->n, m)
                                     : model_v_ms_classic(x->n, m);
    const double v_br =
        x->group > 1 ? published_v_br_grouped(x->r, x->br, glwe, x->n, x->group)
                     : x->n * published_cmux_tfhers(x->r, x->br, glwe);
    double v_ks = model_dimension(x->r) * model_v_ks1(x->ks, lwe);

    if (x->ks_q == 32)
        v_ks += MODEL_V_ROUND32;
    if (plant == NO_KEYSWITCH)
        v_ks = 0;
    return model_log2_pfail(nu2 * v_br + v_ms
                                + v_ks * (is(x->order, "pbsks") ? nu2 : 1),
                            exp2(-x->p - 2));
}

/* How many published probabilities are 0.01 bit off. */
static int
wrong_pfail(enum plant plant)
{
    FILE *f = rows_open("params/published.txt");
    struct published x;
    int rows = 0, wrong = 0;

    while (next_published(f, &x)) {
        const double got = formula_log2p(&x, plant);

        rows++;
        if (fabs(got - x.log2p) < 0.01)
            continue;
        wrong++;
        if (plant == NOTHING)
            fprintf(stderr, "row %d: %.4f, not %.4f\n", rows, got, x.log2p);
    }
    ck_assert_int_eq(rows, 109);
    return wrong;
}

START_TEST(published_pfail)
{
    ck_assert_int_eq(wrong_pfail(NOTHING), 0);
    ck_assert_int_gt(wrong_pfail(WRONG_SWITCH), 80);
    ck_assert_int_gt(wrong_pfail(NORM_NOT_SQUARED), 70);
    ck_assert_int_eq(wrong_pfail(NO_KEYSWITCH), 109);
}
END_TEST

/* The table was made for 32-bit accumulators up to 26 bits of digits, without
 * (22); the runtime has them up to 30. */
static double
published_cmux_native(struct model_ring r, struct model_gadget g, double sigma2)
{
    const bool narrow = g.levels * g.log2_base <= 26;

    return model_v_ep(r, g, sigma2, 0.5)
           + model_v_fft(r, (r.k + 1) * g.levels, g.log2_base)
           + (narrow ? model_v_acc(r, 1, 32) : 0);
}

/* ---- the other formulas */

START_TEST(small_terms)
{
    const struct model_ring ring = { 1, 11, false };
    const struct model_ring ternary = { 1, 11, true };
    const struct model_gadget g = { 1, 23 };

    ck_assert_double_eq_tol(0.5 * log2(model_v_acc(ring, 866, 32)), -23.9,
                            0.05);
    ck_assert_double_eq(model_key_norm2(ring), 1024);
    ck_assert_double_eq_tol(model_key_norm2(ternary), 4096.0 / 3, 1e-9);
    ck_assert_double_eq_tol(model_v_zero(ternary, 3), 8 * 1024 + 3, 1e-9);
    /* (19) is linear in the rows, quadratic in B and nearly cubic in N */
    ck_assert_double_eq_tol(model_v_fft(ring, 4, 20) / model_v_fft(ring, 2, 19),
                            8, 1e-12);
    /* (20) + (22), up to 30 bits of digits */
    ck_assert_double_eq_tol(
        (model_v_cmux(ring, (struct model_gadget){ 2, 15 }, 0)
         - published_cmux_native(ring, (struct model_gadget){ 2, 15 }, 0))
            / (1025 * 0x1p-64 * (1 / 12.0 + 1 / 8.0)),
        1, 1e-6);
    ck_assert_double_eq(
        model_v_cmux(ring, (struct model_gadget){ 1, 31 }, 0),
        published_cmux_native(ring, (struct model_gadget){ 1, 31 }, 0));
    /* a row of cost.def; scaled by (54) where there is none */
    ck_assert_double_eq_tol(
        cost_cmux((struct model_ring){ 5, 9, false }, 4)
            / cost_cmux((struct model_ring){ 4, 9, false }, 3),
        model_cost_cmux((struct model_ring){ 5, 9, false }, 4)
            / model_cost_cmux((struct model_ring){ 4, 9, false }, 3),
        1e-12);
    for (uint32_t log2_n = 9; log2_n <= 17; log2_n++)
        for (uint32_t l = 1; l <= 4; l++) {
            const struct model_ring r = { 1, log2_n, false };
            const struct model_ring half = { 1, log2_n - 1, false };

            ck_assert_double_gt(cost_cmux(r, l), cost_cmux(half, l));
            ck_assert_double_gt(cost_cmux(r, l + 1), cost_cmux(r, l));
        }
    ck_assert_double_eq_tol(cost_ks(4096, 899, 3) / cost_ks(2048, 899, 1), 6,
                            1e-12);
    /* the rounding of (18) vanishes with the message */
    ck_assert(model_v_ep(ring, g, 0, 0) == 0);
    ck_assert_double_eq_tol(
        model_v_ep(ring, g, 0, 1) / model_v_ep(ring, g, 0, 0.5), 2, 1e-12);
    ck_assert_double_eq(model_bsk_bytes(ring, 918, 1), 918.0 * 65536);
    ck_assert_double_eq(model_ksk_bytes(ring, 918, 4), 919.0 * 4 * 8192);
}
END_TEST

/* 2^t is the largest power of two that leaves the probability. */
START_TEST(flooding_fills_the_margin)
{
    const double tau = 0x1p-6, v = 0x1p-24;

    for (double log2_p = -160; log2_p < -20; log2_p += 7) {
        const int t = model_flood(tau, v, log2_p);

        ck_assert_int_ge(t, 0);
        ck_assert(model_log2_pfail(v, tau - exp2(t - 64)) <= log2_p + 1e-6);
        ck_assert(model_log2_pfail(v, tau - exp2(t - 63)) > log2_p);
    }
    ck_assert_int_eq(model_flood(tau, 0x1p-12, -128), -1);
}
END_TEST

/* ---- the search against published sets */

static bool
same_set(const struct ir_params *a, const struct ir_params *b)
{
    return a->k == b->k && a->log2_n == b->log2_n && a->n == b->n
           && a->br_levels == b->br_levels && a->br_log2_base == b->br_log2_base
           && a->ks_levels == b->ks_levels
           && a->ks_log2_base == b->ks_log2_base;
}

static void
print_set(const char *what, const struct ir_params *s)
{
    fprintf(stderr, "%s: k %u N 2^%u n %u br %u %u ks %u %u\n", what, s->k,
            s->log2_n, s->n, s->br_levels, s->br_log2_base, s->ks_levels,
            s->ks_log2_base);
}

static struct search_event
one_table(double bits, double norm2)
{
    return (struct search_event){
        .c_br = norm2 * norm2, .table = true, .tau = exp2(-bits - 2), .count = 1
    };
}

static void
check_published_optimum(const struct published *x)
{
    const struct search_event e = one_table(x->p, x->norm2);
    const struct ir_params want = {
        .k = x->r.k,
        .log2_n = x->r.log2_n,
        .n = (uint32_t)x->n,
        .br_levels = x->br.levels,
        .br_log2_base = x->br.log2_base,
        .ks_levels = x->ks.levels,
        .ks_log2_base = x->ks.log2_base,
    };
    struct search_problem p = defaults;
    struct ir_params got;
    size_t tightest;

    p.event = &e;
    p.log2_pfail = x->target;
    p.noise = is(x->noise, "T") ? MODEL_TUNIFORM : MODEL_GAUSS;
    p.classic = is(x->ms, "classic");
    p.pbs_ks = is(x->order, "pbsks");
    p.v_cmux = published_cmux_tfhers;
    ck_assert(search_params(&got, &p, &tightest));
    if (!same_set(&got, &want)) {
        print_set("published", &want);
        print_set("found", &got);
        ck_abort_msg("p = %g, norm2 = %g", x->p, x->norm2);
    }
    ck_assert_double_eq_tol(got.log2_pfail, x->log2p, 0.01);
}

/* Every third row in each of three tests. */
START_TEST(published_optimum)
{
    FILE *f = rows_open("params/published.txt");
    struct published x;
    int rows = 0;

    while (next_published(f, &x))
        if (x.opt && rows++ % 3 == _i)
            check_published_optimum(&x);
    ck_assert_int_eq(rows, 90);
}
END_TEST

/* The numbers of a row from the third on; false where there is no set. */
static bool
read_set(const char *numbers, struct ir_params *s, double *cost, double *log2p)
{
    *s = (struct ir_params){ .k = 0 };
    return sscanf(numbers, "%u %u %u %u %u %u %u %lf %lf", &s->k, &s->log2_n,
                  &s->n, &s->br_levels, &s->br_log2_base, &s->ks_levels,
                  &s->ks_log2_base, cost, log2p)
           == 9;
}

/* How many rows differ, with some model of the CMUX; NULL is the product's. */
static int
wrong_native(model_cmux *cmux)
{
    FILE *f = rows_open("params/native.txt");
    char line[256];
    int rows = 0, wrong = 0;

    while (rows_next(f, line, sizeof line)) {
        struct search_problem p = defaults;
        struct search_event e;
        struct ir_params want, got;
        double bits, norm2, cost, log2p;
        size_t tightest;
        int at;
        bool exists;

        ck_assert_int_eq(
            sscanf(line, "%lf %lf %lf%n", &bits, &norm2, &p.log2_pfail, &at),
            3);
        e = one_table(bits, norm2);
        p.event = &e;
        p.v_cmux = cmux;
        exists = read_set(line + at, &want, &cost, &log2p);
        rows++;
        if (search_params(&got, &p, &tightest) != exists
            || (exists
                && (!same_set(&got, &want) || fabs(got.cost - cost) > 0.06
                    || fabs(got.log2_pfail - log2p) > 0.006)))
            wrong++;
        if (wrong == 1 && cmux == published_cmux_native)
            fprintf(stderr, "%s", line);
    }
    ck_assert_int_eq(rows, 200);
    return wrong;
}

static double
no_fft(struct model_ring r, struct model_gadget g, double sigma2)
{
    return model_v_ep(r, g, sigma2, 0.5);
}

START_TEST(native_defaults)
{
    ck_assert_int_eq(wrong_native(published_cmux_native), 0);
}
END_TEST

START_TEST(native_defaults_find_a_missing_term)
{
    ck_assert_int_gt(wrong_native(no_fft), 20);
}
END_TEST

/* Concrete's own table, 128 bits, at log2(1 - 0.999936657516); every eighth row
 * in each of eight tests. */
START_TEST(concrete_table)
{
    FILE *f = rows_open("params/concrete.txt");
    char line[256];
    int rows = 0;

    while (rows_next(f, line, sizeof line)) {
        struct search_problem p = defaults;
        struct search_event e;
        struct ir_params want, got;
        double bits, log2_norm2, cost, p_error;
        size_t tightest;
        int at;

        ck_assert_int_eq(sscanf(line, "%lf %lf%n", &bits, &log2_norm2, &at), 2);
        ck_assert(read_set(line + at, &want, &cost, &p_error));
        if (rows++ % 8 != _i)
            continue;
        e = one_table(bits, exp2(log2_norm2));
        p.event = &e;
        p.log2_pfail = log2(1 - 0.999936657516);
        p.level = 128;
        p.noise = MODEL_GAUSS;
        p.classic = true;
        p.v_cmux = published_cmux_concrete;
        p.additions = 4096;
        p.min_n = 512;
        ck_assert(search_params(&got, &p, &tightest));
        ck_assert_msg(same_set(&got, &want), "%s", line);
        ck_assert_double_eq(floor(got.cost * 1e6 / 0x1p20), cost);
        ck_assert_double_eq_tol(exp2(got.log2_pfail), p_error, 0.06e-5);
    }
    ck_assert_int_eq(rows, 235);
}
END_TEST

/* ---- programs */

/* three layers and answers, as the product asks */
static const struct search_event program[] = {
    { .c_in = 900, .table = true, .tau = 0x1p-6, .count = 64, .min_log2_n = 4 },
    { .c_br = 40, .table = true, .tau = 0x1p-6, .count = 32, .min_log2_n = 4 },
    { .c_br = 2, .table = true, .tau = 0x1p-5, .count = 5000, .min_log2_n = 3 },
    { .c_in = 3, .c_br = 20, .c_zero = 1, .tau = 0x1p-7, .count = 10 },
};

static struct search_problem
whole_program(void)
{
    return (struct search_problem){ .event = program,
                                    .n = sizeof program / sizeof *program,
                                    .log2_pfail = -128,
                                    .level = 132,
                                    .additions = 12345 };
}

/* One step of each number: -1, 0 or 1 by the digits of i to base 3. */
static struct ir_params
neighbour(const struct ir_params *s, int i)
{
    struct ir_params t = *s;
    uint32_t *const field[] = { &t.k,         &t.log2_n,
                                &t.br_levels, &t.br_log2_base,
                                &t.ks_levels, &t.ks_log2_base };

    for (size_t j = 0; j < 6; j++, i /= 3)
        *field[j] += (uint32_t)(i % 3) - 1;
    t.t_lwe += i - 1;
    for (t.n = 450; model_tuniform(132, t.n, 64) > t.t_lwe;)
        t.n++;
    t.t_glwe = model_tuniform(132, t.k * exp2(t.log2_n), 64);
    return t;
}

START_TEST(no_neighbour_is_better)
{
    const struct search_problem p = whole_program();
    struct ir_params best;
    size_t tightest;
    int good = 0;

    ck_assert(search_params(&best, &p, &tightest));
    ck_assert(best.log2_pfail <= -128);
    for (int i = 0; i < 2187; i++) {
        struct ir_params s = neighbour(&best, i);

        if (s.k == 0 || s.br_levels == 0 || s.ks_levels == 0
            || s.k * exp2(s.log2_n) < MODEL_MIN_DIMENSION
            || !search_measure(&s, &p, &tightest))
            continue;
        good++;
        ck_assert(s.cost >= best.cost);
    }
    ck_assert_int_gt(good, 10);
}
END_TEST

START_TEST(measuring_repeats_the_search)
{
    const struct search_problem p = whole_program();
    struct ir_params s, t;
    size_t at, again;

    ck_assert(search_params(&s, &p, &at));
    t = s;
    ck_assert(search_measure(&t, &p, &again));
    ck_assert_uint_eq(at, again);
    ck_assert(t.cost == s.cost && t.log2_pfail == s.log2_pfail);
    for (size_t i = 0; i < p.n; i++) {
        const double v = search_variance(&s, &program[i]);
        const double tau = program[i].tau;

        ck_assert(log2(program[i].count) + model_log2_pfail(v, tau)
                  <= s.log2_pfail);
        ck_assert(search_variance(&s, &program[at]) / program[at].tau
                      / program[at].tau
                  >= v / tau / tau);
    }
    /* a toy: bounds below the curve are taken as they are */
    t.n = 16;
    t.t_lwe = 20;
    search_measure(&t, &p, &again);
    ck_assert(t.v_ks < s.v_ks && t.v_br < s.v_br);
}
END_TEST

/* A dear event beside many cheap ones may use nearly the whole budget: the
 * shares (38) alone would ask for more. */
START_TEST(the_sum_decides_and_not_the_shares)
{
    const struct search_event alone[] = { one_table(4, 5), one_table(4, 5) };
    struct search_event many[] = { one_table(4, 5), one_table(1, 0) };
    struct search_problem p = defaults;
    struct ir_params one, both;
    double share;
    size_t tightest;

    many[1].count = 0x1p40;
    p.event = alone;
    p.log2_pfail = -129.2;
    ck_assert(search_params(&one, &p, &tightest));
    p.event = many;
    p.n = 2;
    ck_assert(search_params(&both, &p, &tightest));
    ck_assert(same_set(&one, &both));
    ck_assert_uint_eq(tightest, 0);
    /* a limit of the variance just above the share still holds */
    share = many[0].tau / model_kappa(-169.2);
    many[0].v_max = share * share * 1.0001;
    ck_assert(search_params(&both, &p, &tightest));
    ck_assert(search_variance(&both, &many[0]) <= many[0].v_max);
    many[0].v_max = 0;
    /* 2^40 equal ones need kappa of 2^-169.2 instead */
    many[0].count = 0x1p40;
    ck_assert(search_params(&both, &p, &tightest));
    ck_assert(!same_set(&one, &both));
    ck_assert(both.log2_pfail <= -129.2);
}
END_TEST

START_TEST(harder_problems_cost_more)
{
    static const double pfail[] = { -40, -64, -100, -128, -144, -170 };
    struct search_problem p = whole_program();
    struct search_event e[sizeof program / sizeof *program];
    struct ir_params s;
    double cost = 0;
    size_t tightest;

    for (int i = 0; i < 6; i++) {
        p.log2_pfail = pfail[i];
        ck_assert(search_params(&s, &p, &tightest));
        ck_assert(s.cost >= cost);
        cost = s.cost;
    }
    p.log2_pfail = -128;
    memcpy(e, program, sizeof e);
    p.event = e;
    for (cost = 0; e[1].c_br < 4e4; e[1].c_br *= 4) {
        ck_assert(search_params(&s, &p, &tightest));
        ck_assert(s.cost >= cost);
        cost = s.cost;
    }
    ck_assert_uint_eq(tightest, 1);
}
END_TEST

START_TEST(limits_hold)
{
    struct search_event e = one_table(3, 4);
    struct search_problem p = whole_program();
    struct ir_params free, s;
    size_t tightest = 9;

    p.event = &e;
    p.n = 1;
    ck_assert(search_params(&free, &p, &tightest));
    e.v_max = search_variance(&free, &e) / 100;
    ck_assert(search_params(&s, &p, &tightest));
    ck_assert(search_variance(&s, &e) <= e.v_max && s.cost > free.cost);
    e.v_max = 0;
    e.min_log2_n = 13;
    ck_assert(search_params(&s, &p, &tightest));
    ck_assert_uint_eq(s.log2_n, 13);
    e.min_log2_n = 17;
    tightest = 9;
    ck_assert(!search_params(&s, &p, &tightest));
    ck_assert_uint_eq(tightest, 0);
}
END_TEST

START_TEST(the_event_that_forbids)
{
    struct search_event e[sizeof program / sizeof *program];
    struct search_problem p = whole_program();
    struct ir_params s;
    size_t tightest;

    p.event = e;
    for (size_t i = 0; i < p.n; i++) {
        memcpy(e, program, sizeof e);
        e[i].tau = 0x1p-32;
        tightest = p.n;
        ck_assert(!search_params(&s, &p, &tightest));
        ck_assert_uint_eq(tightest, i);
    }
}
END_TEST

START_TEST(without_tables)
{
    struct search_event e = { .c_in = 0x1p20, .c_zero = 1, .count = 10 };
    struct search_problem p = whole_program();
    struct ir_params s;
    size_t tightest;

    p.event = &e;
    p.n = 1;
    e.tau = 0x1p-30;
    ck_assert(search_leveled(&s, &p, &tightest));
    ck_assert(s.k == 1 && s.log2_n == 11 && s.n == 0 && s.ternary);
    ck_assert(s.t_glwe == 17 && s.v_br == 0 && s.v_ms == 0);
    e.tau = 0x1p-38;
    ck_assert(search_leveled(&s, &p, &tightest));
    ck_assert(s.log2_n == 12 && s.t_glwe == 3);
    e.tau = 0x1p-56;
    ck_assert(!search_leveled(&s, &p, &tightest));
    ck_assert_uint_eq(tightest, 0);
    e.tau = 0x1p-30;
    e.table = true;
    ck_assert(!search_leveled(&s, &p, &tightest));
}
END_TEST

/* The keyswitch key of the product has 32 bits. */
START_TEST(keys_of_32_bits)
{
    const struct search_event e = one_table(4, 5);
    struct search_problem p = defaults;
    struct ir_params wide, s;
    size_t tightest;

    p.event = &e;
    ck_assert(search_params(&wide, &p, &tightest));
    p.wide_ksk = false;
    ck_assert(search_params(&s, &p, &tightest));
    ck_assert(same_set(&s, &wide));
    ck_assert(s.v_ks > wide.v_ks && s.v_ks < wide.v_ks * 1.001);
    ck_assert_uint_le(s.ks_levels * s.ks_log2_base, 32);
    /* words of 32 bits keep the noise of their modulus: 2^3 units or more */
    for (p.min_n = 450; p.min_n < 2000; p.min_n += 150) {
        ck_assert(search_params(&s, &p, &tightest));
        ck_assert_int_eq(s.t_lwe - 32, model_tuniform(132, s.n, 32));
        ck_assert_double_ge(s.v_ks, s.v_fresh);
    }
    ck_assert_int_eq(s.t_lwe, 35);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("params");
    TCase *model = tcase_create("model"), *search = tcase_create("search");
    SRunner *sr;
    int failed;

    tcase_set_timeout(search, 300);
    tcase_add_test(model, the_staircase_of_tuniform);
    tcase_add_loop_test(model, tuniform_is_on_the_curve, 128, 129);
    tcase_add_loop_test(model, tuniform_is_on_the_curve, 132, 133);
    tcase_add_test(model, published_noise_is_on_the_curve);
    tcase_add_test(model, kappa_of_probabilities);
    tcase_add_test(model, erfc_has_no_seam);
    tcase_add_test(model, logarithms_add);
    tcase_add_test(model, published_pfail);
    tcase_add_test(model, small_terms);
    tcase_add_test(model, flooding_fills_the_margin);
    tcase_add_loop_test(search, published_optimum, 0, 3);
    tcase_add_test(search, native_defaults);
    tcase_add_test(search, native_defaults_find_a_missing_term);
    tcase_add_loop_test(search, concrete_table, 0, 1);
#ifdef NDEBUG /* a minute with sanitizers */
    tcase_add_loop_test(search, concrete_table, 1, 8);
#endif
    tcase_add_test(search, no_neighbour_is_better);
    tcase_add_test(search, measuring_repeats_the_search);
    tcase_add_test(search, the_sum_decides_and_not_the_shares);
    tcase_add_test(search, harder_problems_cost_more);
    tcase_add_test(search, limits_hold);
    tcase_add_test(search, the_event_that_forbids);
    tcase_add_test(search, without_tables);
    tcase_add_test(search, keys_of_32_bits);
    suite_add_tcase(suite, model);
    suite_add_tcase(suite, search);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
