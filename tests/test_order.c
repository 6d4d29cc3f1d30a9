/* Ranks, argmax and comparisons at the server: whatever way the price chooses,
 * every pass keeps the meaning, ties included, and the client gets no scores.
 */
#include "passes/passes.h"
#include "tests/meaning.h"
#include "tests/random_ir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 2048, ROWS = 60 };

/* shape of x, its ends, and what is done with 3 x (or with it as a real) */
static const struct {
    const char *type, *out, *op;
    int lo, hi;
    bool real;
} cases[] = {
    { "[1]", "", "argmax %v { axis = 0 }", 0, 7, false },
    { "[2]", "", "argmax %v { axis = 0 }", -4, 3, false },
    { "[3]", "", "argmax %v { axis = 0 }", 0, 3, false },
    { "[5]", "", "argmax %v { axis = 0 }", -2, 2, false },
    { "[2,3]", "[3]", "argmax %v { axis = 0 }", 0, 5, false },
    { "[2,3]", "[2]", "argmax %v { axis = 1 }", 0, 5, false },
    { "[3]", "", "argmax %v { axis = 0 }", -3000, 3000, false },
    { "[4]", "", "argmax %v { axis = 0 }", -3, 3, true },
    { "[1]", "[1]", "rank %v { axis = 0 }", 0, 3, false },
    { "[4]", "[4]", "rank %v { axis = 0 }", 0, 3, false },
    { "[3,2]", "[3,2]", "rank %v { axis = 0 }", -2, 1, false },
    { "[3,2]", "[3,2]", "rank %v { axis = 1 }", -2, 1, false },
    { "[9]", "[9]", "rank %v { axis = 0 }", 0, 4000, false }, /* by digits */
};
enum { CASES = sizeof cases / sizeof *cases };

static void
text_of(char text[TEXT], int i)
{
    char op[64], base[32];
    const bool real = cases[i].real;
    const char *v = strstr(cases[i].op, "%v");

    snprintf(op, sizeof op, "%.*s%%2%s", (int)(v - cases[i].op), cases[i].op,
             v + 2);
    snprintf(base, sizeof base, real ? "real%s" : "int%s", cases[i].type);
    snprintf(text, TEXT,
             "ir 1 order\nset server.y = 1\nset bits.x = 3\n"
             "param @w : %s = [3]\n{\n"
             "  %%0 = input { name = @x } : %s in %d..%d\n"
             "  %%1 = constant { data = @w } : %s\n  %%2 = mul %%0, %%1 : %s\n"
             "  %%3 = %s : int%s\n  output %%3 { name = @y }\n}\n",
             real ? "real" : "int", base, cases[i].lo, cases[i].hi,
             real ? "real" : "int", base, op, cases[i].out);
}

struct state {
    int i;
    struct dice dice;
    size_t answers;
};

/* Few values, so that many are equal; ends among them. */
static void
check_pass(const char *pass, const struct ir_func *before,
           const struct ir_func *after, void *arg)
{
    struct state *s = arg;
    struct arena mem = { 0 };
    ir_ref input;

    meaning_round_trip(pass, after);
    ir_inputs(before, &input, 1);
    for (int row = 0; row < ROWS; row++) {
        const size_t n = ir_count(&ir_at(before, input)->type);
        const int64_t lo = cases[s->i].lo, span = cases[s->i].hi - lo;
        union ir_cell *x = arena_new(&mem, union ir_cell, n);
        const union ir_cell *in[1] = { x };

        for (size_t e = 0; e < n; e++) {
            const int64_t v =
                row % 2 ? lo + (int64_t)dice_roll(&s->dice, 4) * span / 3
                        : lo + (int64_t)dice_roll(&s->dice, (uint64_t)span + 1);

            if (cases[s->i].real)
                x[e].r = (double)v;
            else
                x[e].i = v;
        }
        if (strcmp(pass, "quantize") == 0 && cases[s->i].real)
            meaning_run(&mem, pass, after, in);
        else
            meaning_same(pass, before, after, in);
    }
    s->answers = 0;
    for (uint32_t i = 0; i < after->n; i++)
        if (after->ins[i].op == IR_lwe_decrypt)
            s->answers += ir_count(&after->ins[i].type);
    arena_free(&mem);
}

START_TEST(order_at_the_server)
{
    char text[TEXT];
    struct arena mem = { 0 };
    struct source src = { .name = "order.ir", .text = text, .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    struct state s = { .i = _i, .dice = { 11 } };
    const struct pass_options po = { .diag = &dg,
                                     .watch = check_pass,
                                     .arg = &s };
    struct ir_func *f;
    struct ir_type t;
    ir_ref out;

    text_of(text, _i);
    src.len = strlen(text);
    f = ir_parse(&mem, &dg);
    ck_assert_msg(f != NULL, "%s", text);
    ir_set(f, "joint", 0, (struct span){ 0, 0 });
    ck_assert(pass_run(&mem, f, &po) != NULL);
    ir_outputs(f, &out, 1);
    t = ir_at(f, ir_at(f, out)->in[0])->type;
    ck_assert_uint_eq(s.answers, ir_count(&t));
    arena_free(&mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("order");
    TCase *tc = tcase_create("order");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, order_at_the_server, 0, CASES);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
