/* The search of wide tables against its table of parameters;
 * lang-spec/crypto.md, section 16. */
#include "passes/search.h"
#include "tests/rows.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static double
no_fft(struct model_ring r, struct model_gadget g, double sigma2)
{
    return model_v_ep(r, g, sigma2, 0.5);
}

/* accumulators of 64 bits only */
static double
no_narrow(struct model_ring r, struct model_gadget g, double sigma2)
{
    return no_fft(r, g, sigma2)
           + model_v_fft(r, (r.k + 1) * g.levels, g.log2_base);
}

/* The events of a wide table on sums of such; each bit has `target` for itself.
 */
static struct search_problem
wide_problem(struct search_event e[16], double bits, double norm2,
             double target)
{
    const double limit = 0.25 / model_kappa(target);
    struct search_problem p = {
        .level = 132, .max_log2_n = 17, .wide_ksk = true, .published_cost = true
    };

    p.event = e;
    p.n = 0;
    p.log2_pfail = target + log2(bits);
    for (int i = 0; i < (int)bits; i++) {
        const double scale = exp2(2 * (bits - 1 - i));

        e[p.n++] = (struct search_event){ .c_br = scale * i,
                                          .c_ext = scale * norm2 * norm2 * bits,
                                          .table = true,
                                          .wide = true,
                                          .width = i ? 0 : (uint32_t)bits,
                                          .tau = 0.25,
                                          .v_max = limit * limit,
                                          .count = 1 };
    }
    return p;
}

static bool
same_wide(const struct ir_params *a, const struct ir_params *b)
{
    return a->k == b->k && a->log2_n == b->log2_n && a->n == b->n
           && a->br_levels == b->br_levels && a->br_log2_base == b->br_log2_base
           && a->ks_levels == b->ks_levels && a->ks_log2_base == b->ks_log2_base
           && a->tr_levels == b->tr_levels && a->tr_log2_base == b->tr_log2_base
           && a->ss_levels == b->ss_levels && a->ss_log2_base == b->ss_log2_base
           && a->cb_levels == b->cb_levels && a->cb_log2_base == b->cb_log2_base
           && (a->tr_low_bits > 0) == (b->tr_low_bits > 0)
           && (a->ss_low_bits > 0) == (b->ss_low_bits > 0);
}

/* minutes with sanitizers, which see a part of the rows */
#ifdef NDEBUG
enum { PARTS = 4 };
#else
enum { PARTS = 16 };
#endif

/* How many of every PARTS-th row differ. */
static int
wrong_wide(int part, model_cmux *cmux)
{
    FILE *f = rows_open("params/wide.txt");
    char line[256];
    int rows = 0, wrong = 0;

    while (rows_next(f, line, sizeof line)) {
        struct search_event e[16];
        struct search_problem p;
        struct ir_params want = { .k = 0 }, got;
        unsigned limbs;
        double bits, norm2, target, cost = 0;
        size_t tightest;
        int at;
        bool exists;

        ck_assert_int_eq(sscanf(line, "%u %lf %lf %lf%n", &limbs, &bits, &norm2,
                                &target, &at),
                         4);
        if (rows++ % PARTS != part)
            continue;
        exists = sscanf(line + at, "%u %u %u %u %u %u %u %u %u %u %u %u %u %lf",
                        &want.k, &want.log2_n, &want.n, &want.br_levels,
                        &want.br_log2_base, &want.ks_levels, &want.ks_log2_base,
                        &want.tr_levels, &want.tr_log2_base, &want.ss_levels,
                        &want.ss_log2_base, &want.cb_levels, &want.cb_log2_base,
                        &cost)
                 == 14;
        want.tr_low_bits = want.ss_low_bits = limbs - 1;
        p = wide_problem(e, bits, norm2, target);
        p.limbs = limbs;
        p.v_cmux = cmux;
        if (search_wide(&got, &p, &tightest) != exists
            || (exists
                && (!same_wide(&got, &want) || fabs(got.cost - cost) > 0.51))) {
            if (wrong++ == 0 && cmux == no_narrow)
                fprintf(stderr, "%s", line);
        }
    }
    ck_assert_int_eq(rows, 520);
    return wrong;
}

START_TEST(the_table_of_defaults)
{
    ck_assert_int_eq(wrong_wide(_i, no_narrow), 0);
}
END_TEST

/* (52) by hand */
START_TEST(low_limbs)
{
    const struct model_ring r = { 3, 10, false };
    const struct model_gadget g = { 2, 23 };

    ck_assert_uint_eq(model_low_bits(r, 12, 12), 34);
    ck_assert_uint_eq(model_low_bits(r, 8, 23), 44);
    /* what is left of (19) is nothing beside the gadget's noise */
    ck_assert_double_gt(model_v_switch(r, g, 0, 0x1p-124), 0x1p-45);
    ck_assert_double_lt(model_v_switch(r, g, 44, 0x1p-124), 0x1p-66);
}
END_TEST

START_TEST(a_missing_term_is_found)
{
    ck_assert_int_gt(wrong_wide(0, no_fft), 5);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("search_wide");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, low_limbs);
#ifdef NDEBUG
    tcase_add_loop_test(tc, the_table_of_defaults, 0, 4);
    tcase_add_test(tc, a_missing_term_is_found);
#else
    tcase_add_loop_test(tc, the_table_of_defaults, 3, 4);
    tcase_add_loop_test(tc, a_missing_term_is_found, 0, 0);
#endif
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
