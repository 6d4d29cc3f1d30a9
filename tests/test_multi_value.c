/* Tables by products with one rotation, lang-spec/crypto.md (40): exact, with
 * the noise of (41), below the bound (98) that the compiler counts. */
#include "passes/model.h"
#include "passes/multi_value.h"
#include "tests/chi.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEYS = 24, /* its weight is part of V_mean */
    EACH = 64,
    SAMPLES = KEYS * EACH,
    BITS = 3,
    SIZE = 1 << BITS,
    DELTA = 63 - BITS, /* of the input */
    OUT = 59
};

/* Rounding is nearly all the noise, key noise is, and in between. */
/* clang-format off */
static const struct cmlrt_set insecure_products[] = {
    { 1, 9, 100, 2,  9, 5, 4, 35, 17, false, { 0 }, { 0 } },
    { 1, 9, 100, 2, 15, 5, 4, 35, 28, false, { 0 }, { 0 } },
    { 3, 8, 100, 2,  9, 5, 4, 35, 35, false, { 0 }, { 0 } },
};
/* clang-format on */
enum { SETS = sizeof insecure_products / sizeof *insecure_products };

/* a ramp, an alternation, a step, one value, and no order */
static const int64_t tables[][SIZE] = {
    { 0, 1, 2, 3, 4, 5, 6, 7 },    { 1, -1, 1, -1, 1, -1, 1, -1 },
    { 0, 0, 0, 0, 0, 1, 1, 1 },    { 0, 0, 0, 1, 0, 0, 0, 0 },
    { 1, -2, 3, 1, -1, 2, 4, -4 },
};
enum { TABLES = sizeof tables / sizeof *tables };

/* ---- (41), term by term */

static double
v_mean(const struct cmlrt_set *s)
{
    const struct model_ring r = { s->k, s->log2_n, false };
    const struct model_gadget g = { s->br_levels, s->br_log2_base };
    const double fft = model_v_fft(r, (s->k + 1) * g.levels, s->br_log2_base);

    return s->n * (model_dimension(r) * model_round_err(g) / 96 + fft / 2);
}

static double
v_rotation(const struct cmlrt_set *s)
{
    const struct model_ring r = { s->k, s->log2_n, false };
    const struct model_gadget g = { s->br_levels, s->br_log2_base };

    return s->n * model_v_cmux(r, g, model_v_tuniform((int)s->t_glwe, 64));
}

/* from the entry before; from the last to the first one of the upper half */
static int64_t
jump(const int64_t *f, int i)
{
    return i ? f[i] - f[i - 1] : f[0] + f[SIZE - 1];
}

static double
v_product(const struct cmlrt_set *s, const int64_t *f)
{
    double norm2 = 0, mean = 0;

    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            const double vv = (double)(jump(f, i) * jump(f, j));

            norm2 += i == j ? vv : 0;
            mean += vv * (1 - 2.0 * abs(i - j) / (double)SIZE);
        }
    return norm2 * (v_rotation(s) - v_mean(s)) + mean * v_mean(s);
}

/* ---- measured */

/* All tables of EACH messages; by table, message */
static void
evaluate(struct rig *r, uint64_t *out, const int64_t *message, uint64_t index)
{
    const struct cmlrt_table t = {
        (const void *)tables, 1, BITS, 0, DELTA, OUT, 0
    };
    const struct cmlrt_tables l = { &t, TABLES, EACH, 1, 1 };
    uint64_t *lwe = rig_alloc(EACH * r->env.big * sizeof *lwe);
    uint64_t *small = rig_alloc(EACH * r->env.small * sizeof *small);

    rig_encrypt(r, lwe, message, EACH, DELTA, index);
    cmlrt_lwe_keyswitch(&r->env, small, lwe, NULL, 0, EACH);
    cmlrt_lwe_pbs_many(&r->env, out, small, &l, 0, EACH);
    free(small);
    free(lwe);
}

static void
measure(double x[TABLES][SAMPLES], const struct cmlrt_set *set)
{
    int64_t message[EACH];

    for (int64_t i = 0; i < EACH; i++)
        message[i] = i % (2 * SIZE);
    for (size_t key = 0; key < KEYS; key++) {
        uint64_t *out;
        struct rig r;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 900 + key);
        out = rig_alloc(TABLES * EACH * r.env.big * sizeof *out);
        evaluate(&r, out, message, 0);
        for (size_t t = 0; t < TABLES; t++)
            for (size_t i = 0; i < EACH; i++) {
                const uint64_t phase =
                    cmlrt_phase(r.secret, out + (t * EACH + i) * r.env.big);
                const int64_t f = tables[t][message[i] % SIZE];
                const int64_t want = message[i] < SIZE ? f : -f;

                ck_assert_int_eq(rig_decode(phase, OUT), want);
                x[t][key * EACH + i] = torus(phase - ((uint64_t)want << OUT));
            }
        free(out);
        rig_close(&r);
    }
}

START_TEST(products_have_their_noise)
{
    const struct cmlrt_set *set = &insecure_products[_i];
    static double x[TABLES][SAMPLES];

    measure(x, set);
    for (size_t t = 0; t < TABLES; t++) {
        const double v = v_product(set, tables[t]);

        ck_assert_msg(agrees(x[t], SAMPLES, v), "table %zu: %.3f", t,
                      ratio(x[t], SAMPLES, v));
        CHECK_VARIANCE(x[t], SAMPLES, v);
    }
}
END_TEST

/* What the compiler counts covers (41), and not by far. */
START_TEST(the_bound_holds)
{
    const struct cmlrt_set *set = &insecure_products[_i];

    for (size_t t = 0; t < TABLES; t++) {
        union ir_cell entry[SIZE];
        double bound;

        for (size_t i = 0; i < SIZE; i++)
            entry[i].i = tables[t][i];
        bound = multi_gain(entry, BITS) * v_rotation(set);
        ck_assert_double_ge(bound * 1.0000001, v_product(set, tables[t]));
        ck_assert_double_le(bound, 3 * v_product(set, tables[t]));
    }
}
END_TEST

START_TEST(terms_are_those_that_differ)
{
    const union ir_cell entry[4] = {
        { .i = 5 }, { .i = 5 }, { .i = -1 }, { .i = 0 }
    };
    const union ir_cell turned[4] = {
        { .i = 5 }, { .i = 5 }, { .i = 5 }, { .i = -5 }
    };

    ck_assert_uint_eq(multi_terms(entry, 2), 3);
    ck_assert_uint_eq(multi_terms(turned, 2), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("multi_value");
    TCase *tc = tcase_create("core");
    SRunner *run = srunner_create(suite);
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, products_have_their_noise, 0, SETS);
    tcase_add_loop_test(tc, the_bound_holds, 0, SETS);
    tcase_add_test(tc, terms_are_those_that_differ);
    suite_add_tcase(suite, tc);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
