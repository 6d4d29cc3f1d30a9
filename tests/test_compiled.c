/* Compiled models against the evaluator: random models become objects, are
 * loaded, and run with their prologue, circuit and epilogue.  Without
 * encryption they agree bit for bit; so do a few that are encrypted under toy
 * keys, which are named insecure. */
#include "passes/passes.h"
#include "tests/loaded.h"
#include "tests/programs.h"
#include "tests/random_ir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 16, ENCRYPTED = 3, ROWS = 6 };

/* CML_MODELS=1000 for a long run */
static unsigned
models(unsigned otherwise)
{
    const char *n = getenv("CML_MODELS");

    return n ? (unsigned)strtoul(n, NULL, 10) : otherwise;
}

struct model {
    struct arena mem;
    struct loaded it;
};

/* The program knows the parameters that were chosen. */
static void
check_parameters(const struct loaded *x)
{
    const struct cml_set *set = x->m->sets;
    const struct cml_switch *sw = x->m->switches;

    ck_assert_int_eq(x->m->nsets, x->f->sets.more + 1);
    ck_assert_int_eq(x->m->nswitches, x->f->sets.switches);
    ck_assert_int_eq(x->m->level, x->f->params.level);
    ck_assert_double_eq(x->m->cost, x->f->params.cost);
    ck_assert_double_eq(x->m->log2_pfail, x->f->params.log2_pfail);
    for (uint32_t i = 0; i <= x->f->sets.more; i++) {
        const struct ir_params *p = ir_params_of(x->f, i);
#define CHECK_i64(field) ck_assert_double_eq((double)set[i].field, p->field);
#define CHECK_f64(field) ck_assert_double_eq(set[i].field, p->field);
#define CHECK_ptr(field)
#define K(type, field) CHECK_##type(field)
#include "runtime/manifest.def"
    }
    for (uint32_t i = 0; i < x->f->sets.switches; i++) {
        const struct ir_switch *s = &x->f->sets.sw[i];
#define H(type, field) ck_assert_double_eq((double)sw[i].field, s->field);
#include "runtime/manifest.def"
    }
}

/* The model of a text, or a random one; false if the passes refuse it. */
static bool
open_model(struct model *x, const char *text, struct dice *d,
           enum random_kind kind, uint64_t seed)
{
    const struct source src = { .name = "t.ir",
                                .text = text,
                                .len = strlen(text) };
    FILE *sink = fopen("/dev/null", "w");
    struct diag dg = { .src = &src, .out = sink };
    int status = 0;
    const struct pass_options po = { .diag = &dg, .status = &status };

    memset(x, 0, sizeof *x);
    x->it.f = *text ? ir_parse(&x->mem, &dg)
                    : random_ir(&x->mem, d, kind, 4 + (unsigned)seed % 12);
    x->it.f = pass_run(&x->mem, x->it.f, &po);
    fclose(sink);
    if (!x->it.f) {
        arena_free(&x->mem);
        return false;
    }
    loaded_open(&x->it, x->it.f, seed % 2);
    check_parameters(&x->it);
    return true;
}

static void
close_model(struct model *x)
{
    loaded_close(&x->it);
    arena_free(&x->mem);
}

/* ---- rows */

/* Random rows, run in one way. */
static void
run(struct loaded *x, enum loaded_how how, struct dice *d, uint64_t seed)
{
    struct arena mem = { 0 };
    const union ir_cell *const *in[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        in[i] = random_inputs(&mem, d, x->f);
    loaded_agrees(x, how, in, ROWS, seed);
    arena_free(&mem);
}

START_TEST(clear_is_the_evaluator)
{
    unsigned through = 0;

    for (uint64_t seed = 1; seed <= models(MODELS); seed++) {
        struct dice d = { seed * 0x9e3779b97f4a7c15 };
        struct model x;

        if (!open_model(&x, "", &d, (enum random_kind)_i, seed))
            continue;
        run(&x.it, LOADED_CLEAR, &d, seed);
        run(&x.it, LOADED_QUIET, &d, seed);
        close_model(&x);
        through++;
    }
    ck_assert_uint_gt(through, models(MODELS) / 2);
}
END_TEST

START_TEST(encrypted_is_the_evaluator)
{
    for (uint64_t seed = 1; seed <= models(ENCRYPTED); seed++) {
        struct dice d = { seed * 0xd1342543de82ef95 };
        struct model x;

        if (!open_model(&x, "", &d, (enum random_kind)_i, seed))
            continue;
        if (!x.it.m->approx) /* is it right then? nearly */
            run(&x.it, LOADED_ENCRYPTED, &d, seed);
        close_model(&x);
    }
}
END_TEST

/* Three sets: an input under the second's key; keyswitches within a set and
 * between two, conversions back and forth; an answer from each. */
#define TOY_SET(k, log2_n, n, br_levels, br_log2_base, ks_levels, \
                ks_log2_base) \
    "params { k = " k ", log2_n = " log2_n ", n = " n \
    ", br_levels = " br_levels ", br_log2_base = " br_log2_base \
    ", ks_levels = " ks_levels ", ks_log2_base = " ks_log2_base \
    ", t_lwe = 35, t_glwe = 3, level = 132, " \
    "ternary = 0, insecure = 1, v_fresh = 1e-36, v_br = 1e-12, v_ks = 1e-9, " \
    "v_ms = 1e-6, v_zero = 1e-32, cost = 1, log2_pfail = -60, }\n"
#define TOY_SWITCH(from, to, big, levels, log2_base) \
    "switch { from = " from ", to = " to ", big = " big ", levels = " levels \
    ", log2_base = " log2_base ", t = 35, v = 1e-9, }\n"
#define TABLE(in, name, type) \
    "lwe.pbs %" in " { table = @" name ", offset = 0, bits = 3, " \
    "log2_delta = 60, approx = 0 } : " type " delta 60\n"
#define ANSWER(in, out, type) \
    "%" in " { log2_flood = -1, word_bits = " out " } : " type " delta 60\n"

/* clang-format off */
static const char three_sets[] =
    "ir 1 three\n"
    TOY_SET("1", "10", "64", "3", "12", "5", "4")
    TOY_SET("2", "8", "40", "2", "16", "4", "5")
    TOY_SET("1", "9", "70", "4", "9", "3", "7")
    TOY_SWITCH("1", "0", "0", "4", "5") TOY_SWITCH("0", "2", "0", "3", "6")
    TOY_SWITCH("1", "0", "1", "5", "4") TOY_SWITCH("2", "1", "1", "7", "3")
    "const @s : int[1,8] = [3, 1, 0, 2, 1, 0, 3, 3]\n"
    "const @t : int[2,8] = [0, 2, 1, 3, 2, 1, 2, 0, 1, 1, 3, 0, 2, 0, 1, 2]\n"
    "const @w : int[2,2] = [1, 0, 1, 2]\n"
    "{\n"
    "%0 = input { name = @x } : int[2] in 0..7\n"
    "%1 = glwe.encrypt %0 { log2_delta = 60 } : glwe[2] set 1 delta 60\n"
    "%2 = glwe.extract %1 : lwe[2] set 1 delta 60\n"
    "%3 = lwe.keyswitch %2 : lwe[2] small delta 60\n"
    "%4 = " TABLE("3", "s", "lwe[2]")
    "%5 = lwe.keyswitch %2 : lwe[2] small set 1 delta 60\n"
    "%6 = " TABLE("5", "t", "lwe[2] set 1")
    "%7 = lwe.convert %6 : lwe[2] delta 60\n"
    "%8 = lwe.add %4, %7 : lwe[2] delta 60\n"
    "%9 = lwe.keyswitch %8 : lwe[2] small set 2 delta 60\n"
    "%10 = " TABLE("9", "t", "lwe[2] set 2")
    "%11 = lwe.convert %10 : lwe[2] set 1 delta 60\n"
    "%12 = lwe.add %11, %6 : lwe[2] set 1 delta 60\n"
    "%13 = lwe.answer " ANSWER("8", "64", "lwe[2]")
    "%14 = lwe.answer " ANSWER("12", "32", "lwe[2] set 1")
    "%15 = lwe.answer " ANSWER("10", "64", "lwe[2] set 2")
    "%16 = lwe.decrypt %13 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "%17 = lwe.decrypt %14 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "%18 = lwe.decrypt %15 { lo = 0, hi = 3 } : int[2] in 0..3\n"
    "output %16 { name = @a }\noutput %17 { name = @b }\n"
    "output %18 { name = @c }\n}\n";
/* clang-format on */

START_TEST(several_sets_are_the_evaluator)
{
    for (uint64_t seed = 1; seed <= models(ENCRYPTED); seed++) {
        const struct source src = { .name = "t.ir",
                                    .text = three_sets,
                                    .len = strlen(three_sets) };
        struct dice d = { seed };
        struct diag dg = { .src = &src, .out = stderr };
        struct model x;

        memset(&x, 0, sizeof x);
        x.it.f = ir_parse(&x.mem, &dg);
        ck_assert_ptr_nonnull(x.it.f);
        loaded_open(&x.it, x.it.f, false);
        check_parameters(&x.it);
        run(&x.it, LOADED_CLEAR, &d, 0);
        run(&x.it, LOADED_ENCRYPTED, &d, seed);
        close_model(&x);
    }
}
END_TEST

START_TEST(programs_are_the_evaluator)
{
    struct dice d = { 1 };
    struct model x;

    ck_assert(
        open_model(&x, programs[_i].text, &d, RANDOM_INTEGERS, (uint64_t)_i));
    run(&x.it, LOADED_CLEAR, &d, 0);
    run(&x.it, LOADED_ENCRYPTED, &d, (uint64_t)_i);
    close_model(&x);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("compiled");
    TCase *tc = tcase_create("random");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, clear_is_the_evaluator, 0, RANDOM_KINDS);
    tcase_add_test(tc, several_sets_are_the_evaluator);
    tcase_add_loop_test(tc, encrypted_is_the_evaluator, 0, RANDOM_KINDS);
    tcase_add_loop_test(tc, programs_are_the_evaluator, 0, nprograms);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
