/* The passes on random models: no pass changes what a model means, every
 * result prints, parses back and prints the same; and every proved interval
 * holds the values that occur. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "passes/passes.h"
#include "tests/random_ir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 150, ROUNDS = 20, LEAST = MODELS / 3 };

static char *
text_of(const struct ir_func *f)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    ir_print(out, f);
    fclose(out);
    return text;
}

static void
check_round_trip(const char *pass, const struct ir_func *f)
{
    struct arena mem = { 0 };
    char *text = text_of(f), *again;
    struct source src = { pass, text, strlen(text) };
    struct diag dg = { .src = &src, .out = stderr };
    struct ir_func *g = ir_parse(&mem, &dg);

    ck_assert_msg(g != NULL, "after %s, does not parse:\n%s", pass, text);
    again = text_of(g);
    ck_assert_str_eq(text, again);
    free(again);
    free(text);
    arena_free(&mem);
}

/* Integers of a function lie in their proved intervals. */
static void
check_ranges(const char *pass, const struct ir_func *f,
             const union ir_cell *const *value)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_type *t = &f->ins[i].type;

        if (t->base != IR_INT || !t->ranged || f->ins[i].op == IR_output)
            continue;
        for (size_t e = 0; e < ir_count(t); e++)
            ck_assert_msg(value[i][e].i >= t->ilo && value[i][e].i <= t->ihi,
                          "after %s: %%%u is %lld", pass, i,
                          (long long)value[i][e].i);
    }
}

static void
same_meaning(const char *pass, const struct ir_func *before,
             const struct ir_func *after, void *arg)
{
    struct dice *d = arg;
    const size_t n = ir_outputs(before, NULL, 0);
    struct arena mem = { 0 };
    ir_ref *list = arena_new(&mem, ir_ref, n);

    ck_assert_uint_eq(n, ir_outputs(after, list, n));
    for (int round = 0; round < ROUNDS; round++) {
        struct arena_mark m = arena_mark(&mem);
        const union ir_cell **in = random_inputs(&mem, d, before);
        const union ir_cell **a = arena_new(&mem, const union ir_cell *, n);
        const union ir_cell **b = arena_new(&mem, const union ir_cell *, n);
        const union ir_cell **all =
            arena_new(&mem, const union ir_cell *, after->n);

        ir_eval(&mem, before, in, a, NULL);
        ir_eval(&mem, after, in, b, all);
        for (size_t o = 0; o < n; o++)
            ck_assert_msg(memcmp(a[o], b[o],
                                 ir_count(&ir_at(after, list[o])->type)
                                     * sizeof **a)
                              == 0,
                          "%s changes output %zu:\n%s", pass, o,
                          text_of(after));
        check_ranges(pass, after, all);
        arena_release(&mem, m);
    }
    arena_free(&mem);
    check_round_trip(pass, after);
}

/* Models whose tables are too wide are refused with 6; a third or more must
 * go through, or the test says nothing. */
START_TEST(random_models_keep_their_meaning)
{
    unsigned through = 0;

    for (uint64_t seed = 1; seed <= MODELS; seed++) {
        struct arena mem = { 0 };
        struct dice d = { seed * 0x2545f4914f6cdd1d };
        struct source src = { "random", "", 0 };
        FILE *sink = tmpfile();
        struct diag dg = { .src = &src, .out = sink };
        struct ir_func *f = random_ir(&mem, &d, 4 + (unsigned)seed % 12);
        int status = 0;
        struct pass_options po = { .diag = &dg,
                                   .watch = same_meaning,
                                   .arg = &d,
                                   .status = &status };

        check_round_trip("random", f);
        if (pass_run(&mem, f, &po))
            through++;
        else
            ck_assert_msg(status == 6 || status == 1, "status %d", status);
        fclose(sink);
        arena_free(&mem);
    }
    ck_assert_uint_ge(through, LEAST);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("passes");
    TCase *tc = tcase_create("random");
    SRunner *sr;
    int failed;

    tcase_add_test(tc, random_models_keep_their_meaning);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
