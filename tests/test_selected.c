/* Forests of clients' integers, compiled in each way they have: selections with
 * private and with public thresholds, and products of packed bits.  All are the
 * evaluator's, without and with encryption, at parameters that are secure. */
#include "passes/model.h"
#include "passes/passes.h"
#include "tests/chi.h"
#include "tests/grove_model.h"
#include "tests/loaded.h"
#include "tests/random_ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6 };

struct model {
    struct arena mem;
    struct loaded it;
    bool worst; /* rows are the largest integers, answers not flooded */
};

/* f through the passes and the back end */
static void
open_model(struct model *x, const struct ir_func *f, uint64_t seed)
{
    const struct source src = { .name = "t.ir", .text = "", .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    const struct pass_options po = { .diag = &dg };
    struct ir_func *g = pass_run(&x->mem, f, &po);

    ck_assert_ptr_nonnull(g);
    for (uint32_t i = 0; i < g->n && x->worst; i++)
        if (g->ins[i].op == IR_glwe_answer)
            g->ins[i].as.glwe_answer.log2_flood = -1;
    loaded_open(&x->it, g, seed % 2);
}

static void
close_model(struct model *x)
{
    loaded_close(&x->it);
    arena_free(&x->mem);
}

/* Some numbers are missing, where they may be; or all bits are 1. */
static const union ir_cell **
of_forest(struct arena *mem, const struct model *x, struct dice *d,
          const union ir_cell **in)
{
    const bool missing = ir_get(x->it.f, "missing", 0) > 0;
    const struct ir_type *t;
    union ir_cell *cell;
    ir_ref list[2];

    if ((!missing && !x->worst) || ir_inputs(x->it.f, list, 2) != 1)
        return in;
    t = &ir_at(x->it.f, list[0])->type;
    cell = arena_new(mem, union ir_cell, ir_count(t));
    for (size_t i = 0; i < ir_count(t); i++)
        if (x->worst)
            cell[i].i = t->ihi;
        else
            cell[i].r = dice_roll(d, 4) ? in[0][i].r : (double)NAN;
    in[0] = cell;
    return in;
}

static void
run(struct model *x, enum loaded_how how, struct dice *d, uint64_t seed)
{
    struct arena mem = { 0 };
    const union ir_cell *const *in[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        in[i] = of_forest(&mem, x, d, random_inputs(&mem, d, x->it.f));
    loaded_agrees(&x->it, how, in, ROWS, seed);
    arena_free(&mem);
}

/* Forests of every shape by products of packed bits and by selections, at
 * parameters that are secure. */
static const struct {
    struct grove_kind kind;
    bool reals; /* of which some are missing */
} forests[] = {
    { { 1, 3, 1, 6, 0, 0, 0 }, false }, /* a tree, regression */
    { { 12, 3, 1, 7, 0, 0.2, 0 }, false },
    { { 5, 4, 3, 4, 0, 0.3, 0 }, false }, /* classes */
    { { 3, 6, 2, 3, 0, 0.5, 0 }, true },  /* deep */
    { { 6, 3, 1, 10, 0, 0.1, 0 }, true },
    { { 2, 1, 4, 5, 0, 0, 0 }, false }, /* nodes between leaves only */
};
enum { FORESTS = sizeof forests / sizeof *forests };

/* The evaluator has the sums of the trees. */
static void
check_sums(const struct ir_func *f, const struct grove *g)
{
    struct arena mem = { 0 };
    int64_t x[GROVE_FEATURES], want[8];
    union ir_cell cell[GROVE_FEATURES];
    const union ir_cell *in[1] = { cell }, *out[1];

    for (uint64_t row = 0; row < 40; row++) {
        grove_row(x, row, row == 0);
        grove_clear(g, want, x);
        for (int i = 0; i < GROVE_FEATURES; i++)
            cell[i].i = x[i];
        ir_eval(&mem, f, in, out, NULL);
        for (int64_t k = 0; k < g->coefs; k++)
            ck_assert_int_eq(out[0][k].i, want[k]);
    }
    arena_free(&mem);
}

/* loop: forests, private, public by selections, public by products */
START_TEST(forests_are_the_evaluator)
{
    const int way = _i % 3;
    struct dice d = { 11 + (uint64_t)_i / 3 };
    const struct span at = { 0, 0 };
    struct ir_func *f;
    struct grove g;
    struct model x;
    bool products = false;

    memset(&x, 0, sizeof x);
    grove_grow(&g, &forests[_i / 3].kind, d.state);
    f = grove_model(&x.mem, &g, forests[_i / 3].reals);
    ir_set(f, "thresholds.public", way > 0, at);
    ir_set(f, "packed", way > 1, at);
    open_model(&x, f, (uint64_t)_i);
    for (uint32_t i = 0; i < x.it.f->n; i++)
        products = products || x.it.f->ins[i].op == IR_ggsw_products;
    ck_assert(products == (way > 1 && forests[_i / 3].kind.depth > 1));
    if (!forests[_i / 3].reals)
        check_sums(x.it.f, &g);
    run(&x, LOADED_CLEAR, &d, 0);
    run(&x, LOADED_QUIET, &d, 0);
    run(&x, LOADED_ENCRYPTED, &d, d.state);
    close_model(&x);
    grove_free(&g);
}
END_TEST

/* Noise of answers that products make, all bits 1, is within (94); what hides
 * in answers is left out.  It is a bound for all bits; all ones have more than
 * half of it. */
START_TEST(products_have_their_noise)
{
    enum { KEYS = 30 };
    static const struct grove_kind kinds[] = {
        { 20, 3, 1, 8, 0, 0.1, 0 },
        { 4, 4, 3, 4, 0, 0.2, 0 },
    };
    const struct model_ring ring = { 1, IR_LOG2_LEVELED, true };
    const struct span at = { 0, 0 };
    struct dice d = { 1 };
    struct ir_func *f;
    struct grove g;
    struct model x;
    double v = 0, ratio;

    memset(&x, 0, sizeof x);
    grove_grow(&g, &kinds[_i], 21);
    f = grove_model(&x.mem, &g, false);
    ir_set(f, "thresholds.public", 1, at);
    ir_set(f, "packed", 1, at);
    x.worst = true;
    open_model(&x, f, 0);
    for (uint32_t i = 0; i < x.it.f->n; i++)
        if (x.it.f->ins[i].op == IR_ggsw_products)
            v = x.it.f->ins[i].type.lo;
    ck_assert_double_gt(v, 0);
    for (uint64_t key = 0; key < KEYS; key++)
        run(&x, LOADED_ENCRYPTED, &d, key);
    v += model_v_zero(ring, x.it.f->params.v_fresh) + model_v_cut(ring, 32);
    ratio = x.it.square / (double)x.it.errors / v;
    ck_assert_msg(ratio < quantile((double)x.it.errors, 3.2905), "%g", ratio);
    ck_assert_msg(ratio > 0.5, "%g", ratio);
    close_model(&x);
    grove_free(&g);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("selected");
    TCase *tc = tcase_create("forests");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, forests_are_the_evaluator, 0, 3 * FORESTS);
    tcase_add_loop_test(tc, products_have_their_noise, 0, 2);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
