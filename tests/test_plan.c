/* Plans of forests: noise against measured rows, equal subtrees, digits. */
#include "passes/leveled.h"

#include "ir/forest.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* log2 of standard deviations, measured with a noise of 2^-47.79: body rows,
 * mask rows, and what (86) says of one product, by gadgets of automorphisms
 * (not graded), of the scheme switch and of the GGSW. */
static const struct {
    uint32_t steps;
    struct model_gadget step, ss, gg;
    double body, mask, cmux;
} measured[] = {
    { 11, { 6, 7 }, { 6, 7 }, { 4, 6 }, -29.7, -24.5, -13.7 },
    { 11, { 9, 5 }, { 9, 5 }, { 5, 5 }, -31.4, -26.2, -16.3 },
    { 9, { 9, 5 }, { 9, 5 }, { 5, 5 }, -32.4, -27.2, -17.3 },
    { 6, { 9, 5 }, { 9, 5 }, { 5, 5 }, -33.9, -28.7, -18.8 },
    { 6, { 12, 4 }, { 12, 4 }, { 6, 4 }, -34.7, -29.5, -20.2 },
    { 4, { 16, 3 }, { 16, 3 }, { 9, 3 }, -36.5, -31.2, -22.8 },
};

START_TEST(rows_have_the_measured_noise)
{
    struct leveled_keys k = { .steps = measured[_i].steps,
                              .ss = measured[_i].ss };
    const double sigma2 = model_v_fresh(132, MODEL_TUNIFORM, 2048);
    double body, mask, cmux;

    for (uint32_t q = 0; q < k.steps; q++)
        k.step[q] = measured[_i].step;
    body = leveled_v_body(&k, sigma2);
    mask = leveled_v_mask(&k, body, sigma2);
    cmux = leveled_v_cmux(&k, measured[_i].gg, body, mask);
    ck_assert_double_eq_tol(log2(body) / 2, measured[_i].body, 0.1);
    ck_assert_double_eq_tol(log2(mask) / 2, measured[_i].mask, 0.1);
    /* the transform's part counts unreduced masks, which not all rows had */
    ck_assert_double_ge(log2(cmux) / 2, measured[_i].cmux - 0.1);
    ck_assert_double_le(log2(cmux) / 2, measured[_i].cmux + 0.25);
}
END_TEST

START_TEST(gadgets_become_coarser)
{
    struct leveled_keys k = { .steps = 11 };

    leveled_grade(&k, 3, 8);
    ck_assert_uint_eq(k.step[0].log2_base, 3);
    ck_assert_uint_eq(k.step[10].log2_base, 8);
    for (uint32_t q = 0; q < k.steps; q++) {
        ck_assert(q == 0 || k.step[q].log2_base >= k.step[q - 1].log2_base);
        ck_assert_double_ge(k.step[q].levels * k.step[q].log2_base,
                            46 - 0.5 * q);
    }
}
END_TEST

/* ---- equal subtrees; trees of three inner nodes above four pairs */

enum { TREES = 50, NODES = 7, LEAVES = 8 };

enum kind { DIFFERENT, EQUAL, SHIFTED };

static double
chain(enum kind kind)
{
    static struct leveled_node node[TREES * NODES];
    static int64_t leaf[TREES * LEAVES], root[TREES];
    struct arena mem = { 0 };
    double sum;

    for (int64_t t = 0; t < TREES; t++) {
        root[t] = t * NODES;
        for (int64_t i = 0; i < NODES; i++)
            node[t * NODES + i] = (struct leveled_node){
                (uint32_t)i,
                i >= 3,
                { i < 3 ? t * NODES + 2 * i + 1 : ~(t * LEAVES + 2 * (i - 3)),
                  i < 3 ? t * NODES + 2 * i + 2
                        : ~(t * LEAVES + 2 * (i - 3) + 1) },
            };
        for (int64_t i = 0; i < LEAVES; i++)
            leaf[t * LEAVES + i] = kind == DIFFERENT ? i * (t + 1)
                                   : kind == EQUAL   ? i
                                                     : 100 * t + i;
    }
    sum = leveled_chain(&mem, node, TREES * NODES, root, TREES, leaf, 1);
    arena_free(&mem);
    return sum;
}

/* Two products on a way, in each tree; the same two in all trees add up before
 * they are squared, also where all leaves of a tree have something more. */
START_TEST(equal_subtrees_add_in_amplitude)
{
    ck_assert_double_eq(chain(DIFFERENT), 2 * TREES);
    ck_assert_double_eq(chain(EQUAL), 2 * TREES * TREES);
    ck_assert_double_eq(chain(SHIFTED), 2 * TREES * TREES);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tc = tcase_create("plan");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, rows_have_the_measured_noise, 0,
                        (int)(sizeof measured / sizeof *measured));
    tcase_add_test(tc, gadgets_become_coarser);
    tcase_add_test(tc, equal_subtrees_add_in_amplitude);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
