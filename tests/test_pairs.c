/* Functions of two encrypted values, over all inputs: what the circuit gives is
 * what C says, and the bootstraps are those that crypto.md 7.1 promises. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "ir/ir.h"
#include "passes/passes.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef CML_SANITIZED
enum { MOST = 256, STRIDE = 4 }; /* a part of the boxes for each op */
#else
enum { MOST = 4096, STRIDE = 1 };
#endif
enum { TEXT = 2048 };

struct box {
    int64_t lo, hi;
};

struct model {
    struct arena mem;
    const struct ir_func *f; /* after all passes */
};

static void
compile_with(struct model *m, const char *text, const char *only)
{
    const struct source src = { .name = "t.ir",
                                .text = text,
                                .len = strlen(text) };
    char *said;
    size_t len;
    struct diag dg = { .src = &src, .out = open_memstream(&said, &len) };
    const struct pass_options po = { .diag = &dg, .only = only };
    struct ir_func *f;

    *m = (struct model){ 0 };
    f = ir_parse(&m->mem, &dg);
    if (f) /* by bootstraps */
        ir_set(f, "joint", 0, (struct span){ 0, 0 });
    m->f = f ? pass_run(&m->mem, f, &po) : NULL;
    fclose(dg.out);
    ck_assert_msg(m->f != NULL, "%s\n%s", said, text);
    free(said);
}

static void
compile(struct model *m, const char *text)
{
    compile_with(m, text, NULL);
}

/* a text that says what is encrypted */
static void
lower(struct model *m, const char *text)
{
    compile_with(m, text, "range,to-tfhe,noise,params,schedule");
}

static size_t
bootstraps(const struct model *m)
{
    size_t n = 0;

    for (uint32_t i = 0; i < m->f->n; i++)
        n += m->f->ins[i].op == IR_lwe_pbs;
    return n;
}

static unsigned
widest(const struct model *m)
{
    unsigned bits = 0;

    for (uint32_t i = 0; i < m->f->n; i++)
        if (m->f->ins[i].op == IR_lwe_pbs
            && m->f->ins[i].as.lwe_pbs.bits > bits)
            bits = m->f->ins[i].as.lwe_pbs.bits;
    return bits;
}

/* x and y of n elements each, one op; times a param, so that the server has
 * it */
static void
two(char text[TEXT], const char *op, struct box x, struct box y, size_t n,
    const char *setting)
{
    char shape[32] = "";

    if (n > 1)
        snprintf(shape, sizeof shape, "[%zu]", n);
    snprintf(text, TEXT,
             "ir 1 two\n%sparam @k : int = [1]\nparam @c : int = [2]\n{\n"
             "  %%0 = input { name = @x } : int%s in %d..%d\n"
             "  %%1 = input { name = @y } : int%s in %d..%d\n"
             "  %%2 = constant { data = @k } : int\n"
             "  %%3 = mul %%0, %%2 : int%s in %d..%d\n"
             "  %%4 = mul %%1, %%2 : int%s in %d..%d\n"
             "  %%5 = %s %%3, %%4 : int%s\n  %%6 = mul %%5, %%2 : int%s\n"
             "  output %%6 { name = @z }\n}\n",
             setting, shape, (int)x.lo, (int)x.hi, shape, (int)y.lo, (int)y.hi,
             shape, (int)x.lo, (int)x.hi, shape, (int)y.lo, (int)y.hi, op,
             shape, shape);
}

static int64_t
floor_div(int64_t x, int64_t y)
{
    return x / y - (x % y < 0);
}

/* clang-format off */
static int64_t f_max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t f_min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t f_less(int64_t x, int64_t y) { return x < y; }
static int64_t f_less_equal(int64_t x, int64_t y) { return x <= y; }
static int64_t f_equal(int64_t x, int64_t y) { return x == y; }
static int64_t f_not_equal(int64_t x, int64_t y) { return x != y; }
static int64_t f_mul(int64_t x, int64_t y) { return x * y; }
static int64_t f_and(int64_t x, int64_t y) { return x & y; }
static int64_t f_or(int64_t x, int64_t y) { return x | y; }
static int64_t f_xor(int64_t x, int64_t y) { return x ^ y; }
static int64_t f_div(int64_t x, int64_t y) { return floor_div(x, y); }
static int64_t f_mod(int64_t x, int64_t y) { return x - y * floor_div(x, y); }
/* clang-format on */

static const struct {
    const char *name;
    int64_t (*f)(int64_t x, int64_t y);
    struct box least; /* x and y are to begin there, at least */
} ops[] = {
    { "maximum", f_max, { -99, -99 } },
    { "minimum", f_min, { -99, -99 } },
    { "less", f_less, { -99, -99 } },
    { "less_equal", f_less_equal, { -99, -99 } },
    { "equal", f_equal, { -99, -99 } },
    { "not_equal", f_not_equal, { -99, -99 } },
    { "mul", f_mul, { -99, -99 } },
    { "bit_and", f_and, { 0, 0 } },
    { "bit_or", f_or, { 0, 0 } },
    { "bit_xor", f_xor, { 0, 0 } },
    { "floor_div", f_div, { -99, 1 } },
    { "mod", f_mod, { -99, 1 } },
};
enum { OPS = sizeof ops / sizeof *ops };

/* of 1 to 8 bits, uneven, signed, far from 0, and not powers of two */
static const struct {
    struct box x, y;
    bool wide; /* // and % of these are refused */
} boxes[] = {
    { { 0, 1 }, { 0, 1 }, false },      { { 0, 3 }, { 0, 3 }, false },
    { { 0, 7 }, { 0, 1 }, false },      { { -3, 4 }, { -2, 7 }, false },
    { { 0, 0 }, { 0, 5 }, false },      { { 40, 46 }, { 1, 9 }, false },
    { { 0, 15 }, { 0, 15 }, false },    { { -9, -5 }, { 3, 6 }, false },
    { { 0, 31 }, { 0, 31 }, true },     { { -64, 63 }, { 0, 127 }, true },
    { { 0, 255 }, { 0, 255 }, true },   { { -128, 127 }, { -100, 155 }, true },
    { { 1000, 1255 }, { 0, 7 }, true }, { { 0, 200 }, { 0, 1 }, true },
};
enum { BOXES = sizeof boxes / sizeof *boxes };

static struct box
from(struct box b, int64_t least)
{
    const int64_t by = b.lo < least ? least - b.lo : 0;

    return (struct box){ b.lo + by, b.hi + by };
}

/* All pairs if they are few; else corners, diagonals and some others. */
static size_t
inputs(union ir_cell *x, union ir_cell *y, struct box a, struct box b)
{
    const int64_t na = a.hi - a.lo + 1, nb = b.hi - b.lo + 1;
    size_t n = 0;

    for (int64_t i = 0; i < na * nb && n < MOST; i++) {
        const int64_t u = i / nb, v = i % nb;

        if (na * nb > MOST && u != 0 && u != na - 1 && v != 0 && v != nb - 1
            && u != v && u - 1 != v && i % 41)
            continue;
        x[n].i = a.lo + u;
        y[n++].i = b.lo + v;
    }
    return n;
}

/* Every pair is a run: the op on scalars. */
static void
check_all(const struct model *m, size_t op, struct box a, struct box b)
{
    static union ir_cell x[MOST], y[MOST];
    const size_t n = inputs(x, y, a, b);

    for (size_t i = 0; i < n; i++) {
        const union ir_cell *in[2] = { &x[i], &y[i] }, *out[1];
        struct arena mem = { 0 };

        ir_eval(&mem, m->f, in, out, NULL);
        ck_assert_msg(out[0][0].i == ops[op].f(x[i].i, y[i].i),
                      "%s of %d and %d is not %d", ops[op].name, (int)x[i].i,
                      (int)y[i].i, (int)out[0][0].i);
        arena_free(&mem);
    }
}

START_TEST(all_inputs_are_right)
{
    for (size_t i = (size_t)_i % STRIDE; i < BOXES; i += STRIDE)
        for (int toy = 0; toy < 2; toy++) {
            const struct box x = from(boxes[i].x, ops[_i].least.lo);
            const struct box y = from(boxes[i].y, ops[_i].least.hi);
            char text[TEXT];
            struct model m;

            if (boxes[i].wide && (ops[_i].f == f_div || ops[_i].f == f_mod))
                continue;
            two(text, ops[_i].name, x, y, 1,
                toy ? "set insecure.toy = 1\n" : "");
            compile(&m, text);
            check_all(&m, (size_t)_i, x, y);
            ck_assert_uint_le(widest(&m), 8);
            arena_free(&m.mem);
        }
}
END_TEST

/* One bootstrap of p bits without padding, for a difference of p + 1 bits. */
START_TEST(a_difference_needs_no_padding_bit)
{
    static const char *const one[] = { "maximum", "minimum",    "less",
                                       "equal",   "less_equal", "not_equal" };

    for (unsigned bits = 1; bits <= 4; bits++) {
        const struct box b = { 0, (INT64_C(1) << bits) - 1 };
        char text[TEXT];
        struct model m;

        two(text, one[_i], b, b, 1, "");
        compile(&m, text);
        ck_assert_uint_eq(bootstraps(&m), 1);
        ck_assert_uint_le(widest(&m), bits);
        arena_free(&m.mem);
    }
}
END_TEST

static const char shared[] =
    "ir 1 shared\nparam @k : int = [1]\n{\n"
    "  %0 = input { name = @x } : int in 0..7\n"
    "  %1 = input { name = @y } : int in 0..7\n"
    "  %2 = constant { data = @k } : int\n"
    "  %3 = less %0, %1 : int\n  %4 = less_equal %1, %0 : int\n"
    "  %5 = less %0, %1 : int\n  %6 = maximum %0, %1 : int\n"
    "  %7 = minimum %0, %1 : int\n"
    "  %8 = mul %3, %2 : int\n  %9 = mul %4, %2 : int\n"
    "  %10 = mul %5, %2 : int\n  %11 = mul %6, %2 : int\n"
    "  %12 = mul %7, %2 : int\n"
    "  output %8 { name = @a }\n  output %9 { name = @b }\n"
    "  output %10 { name = @c }\n  output %11 { name = @d }\n"
    "  output %12 { name = @e }\n}\n";

/* x < y and y <= x are one table and its mirror image; max and min share the
 * relu of x - y. */
START_TEST(equal_tables_are_one)
{
    struct model m;

    compile(&m, shared);
    ck_assert_uint_le(bootstraps(&m), 3);
    for (int64_t i = 0; i < 64; i++) {
        const union ir_cell x = { .i = i / 8 }, y = { .i = i % 8 };
        const union ir_cell *in[2] = { &x, &y }, *out[5];
        struct arena mem = { 0 };

        ir_eval(&mem, m.f, in, out, NULL);
        ck_assert_int_eq(out[0]->i, x.i < y.i);
        ck_assert_int_eq(out[1]->i, y.i <= x.i);
        ck_assert_int_eq(out[2]->i, x.i < y.i);
        ck_assert_int_eq(out[3]->i, f_max(x.i, y.i));
        ck_assert_int_eq(out[4]->i, f_min(x.i, y.i));
        arena_free(&mem);
    }
    arena_free(&m.mem);
}
END_TEST

static const char three[] =
    "ir 1 three\nparam @a : int[1,4] = [0, 1, 4, 9]\n"
    "param @b : int[1,4] = [0, 2, 0, 1]\nparam @c : int[1,4] = [7, 0, 0, "
    "5]\n{\n"
    "  %0 = input { name = @x } : int[2] in 0..3\n"
    "  %1 = encrypt %0 : enc int[2] in 0..3\n"
    "  %2 = lut %1 { table = @a, offset = 0, approx = 0 } : enc int[2] in "
    "0..9\n"
    "  %3 = lut %1 { table = @b, offset = 0, approx = 0 } : enc int[2] in "
    "0..2\n"
    "  %4 = lut %1 { table = @c, offset = 0, approx = 0 } : enc int[2] in "
    "0..7\n"
    "  %5 = add %2, %3 : enc int[2] in 0..11\n"
    "  %6 = decrypt %4 : int[2] in 0..7\n  %7 = decrypt %5 : int[2] in 0..11\n"
    "  output %6 { name = @y }\n  output %7 { name = @z }\n}\n";

/* Three tables of two values: one rotation each, one event each, and noise that
 * adds in amplitude.  (40) needs no larger ring.  The factors of the
 * tables, less half their ends, are (1, 1, 3, 5), (1, 2, -2, 1) and, with half
 * the delta, 2 (0, -7, 0, 5): (98) by hand. */
START_TEST(tables_of_one_value_share_a_bootstrap)
{
    static const int64_t a[] = { 0, 1, 4, 9 }, b[] = { 0, 2, 0, 1 };
    static const int64_t c[] = { 7, 0, 0, 5 };
    const struct ir_ins *many = NULL, *sum = NULL;
    struct model m;

    lower(&m, three);
    for (uint32_t i = 0; i < m.f->n; i++) {
        many = m.f->ins[i].op == IR_lwe_pbs_many ? &m.f->ins[i] : many;
        sum = m.f->ins[i].op == IR_lwe_add ? &m.f->ins[i] : sum;
    }
    ck_assert(many && sum);
    ck_assert_uint_eq(bootstraps(&m), 0);
    ck_assert_uint_eq(many->as.lwe_pbs_many.outputs, 3);
    ck_assert_uint_eq(ir_bootstraps(m.f, many), 2);
    ck_assert_uint_eq(ir_theta(many), 0);
    ck_assert_uint_eq(many->as.lwe_pbs_many.products, 1);
    ck_assert_double_eq_tol(many->type.hi, 4 * 74, 1e-9);
    ck_assert_double_eq_tol(sum->type.hi, pow(sqrt(36 + 7) + sqrt(10), 2),
                            1e-9);
    for (int64_t v = 0; v < 4; v++) {
        const union ir_cell x[2] = { { .i = v }, { .i = 3 - v } };
        const union ir_cell *in[1] = { x }, *out[2];
        struct arena mem = { 0 };

        ir_eval(&mem, m.f, in, out, NULL);
        for (int e = 0; e < 2; e++) {
            ck_assert_int_eq(out[0][e].i, c[x[e].i]);
            ck_assert_int_eq(out[1][e].i, a[x[e].i] + b[x[e].i]);
        }
        arena_free(&mem);
    }
    arena_free(&m.mem);
}
END_TEST

/* ---- one variable */

static void
of_one(char text[TEXT], const char *table, struct box x, const char *setting)
{
    snprintf(
        text, TEXT,
        "ir 1 one\n%sparam @t : %s\n{\n"
        "  %%0 = input { name = @x } : int in %d..%d\n"
        "  %%1 = encrypt %%0 : enc int in %d..%d\n"
        "  %%2 = lut %%1 { table = @t, offset = %d, approx = 0 } : enc int in "
        "-99..99\n  %%3 = decrypt %%2 : int\n  output %%3 { name = @y }\n}\n",
        setting, table, (int)x.lo, (int)x.hi, (int)x.lo, (int)x.hi, (int)-x.lo);
}

/* What is expected of a table: bits of its bootstrap, or -1 for none. */
static const struct {
    const char *table;
    struct box x;
    int bits;
} forms[] = {
    { "int[1,4] = [7, 7, 7, 7]", { 0, 3 }, -1 },             /* constant */
    { "int[1,4] = [7, 5, 3, 1]", { 0, 3 }, -1 },             /* affine */
    { "int[1,8] = [0, 0, 0, 0, 1, 1, 1, 1]", { -4, 3 }, 2 }, /* sign */
    { "int[1,8] = [4, 3, 2, 1, 0, 1, 2, 3]", { -4, 3 }, 2 }, /* abs */
    { "int[1,8] = [0, 0, 0, 0, 0, 1, 2, 3]", { -4, 3 }, 2 }, /* relu */
    { "int[1,8] = [0, 1, 0, 1, 0, 1, 0, 1]", { 0, 7 }, 0 },  /* parity */
    { "int[1,8] = [0, 0, 1, 1, 0, 0, 1, 1]", { 0, 7 }, 1 },  /* period 4 */
    { "int[1,8] = [5, 0, 0, 0, 0, 0, 0, 5]", { 0, 7 }, 3 },  /* none */
    { "int[1,5] = [9, 0, 3, 1, 4]", { 0, 4 }, 2 }, /* one pair: any c does */
    { "int[1,2] = [-3, 80]", { 5, 6 }, 0 },
};
enum { FORMS = sizeof forms / sizeof *forms };

START_TEST(tables_have_their_cheapest_form)
{
    char text[TEXT];
    struct model m;

    of_one(text, forms[_i].table, forms[_i].x, "");
    lower(&m, text);
    ck_assert_uint_eq(bootstraps(&m), forms[_i].bits >= 0);
    if (forms[_i].bits >= 0)
        ck_assert_uint_eq(widest(&m), (unsigned)forms[_i].bits);
    for (int64_t v = forms[_i].x.lo; v <= forms[_i].x.hi; v++) {
        const union ir_cell x = { .i = v }, *in[1] = { &x }, *out[1];
        const char *at = strchr(forms[_i].table, '[') + 1;
        struct arena mem = { 0 };

        at = strchr(at, '[') + 1;
        for (int64_t i = forms[_i].x.lo; i < v; i++)
            at = strchr(at, ',') + 1;
        ir_eval(&mem, m.f, in, out, NULL);
        ck_assert_int_eq(out[0]->i, strtol(at, NULL, 10));
        arena_free(&mem);
    }
    arena_free(&m.mem);
}
END_TEST

/* The bootstrap of a table gives the same for every phase that is less than
 * half a Delta away from a message, on both sides and in both halves of the
 * torus; and not for all that are half a Delta away. */
START_TEST(errors_below_the_border_do_nothing)
{
    const struct ir_ins *pbs = NULL;
    struct arena mem = { 0 };
    char text[TEXT];
    struct model m;
    unsigned moved = 0;

    of_one(text, forms[_i].table, forms[_i].x, "");
    lower(&m, text);
    for (uint32_t i = 0; i < m.f->n; i++)
        if (m.f->ins[i].op == IR_lwe_pbs)
            pbs = &m.f->ins[i];
    for (int64_t v = forms[_i].x.lo; pbs && v <= forms[_i].x.hi; v++) {
        const unsigned delta = ir_at(m.f, pbs->in[0])->type.log2_delta;
        const uint64_t half = UINT64_C(1) << (delta - 1);
        const uint64_t phase = (uint64_t)v << delta;
        const uint64_t error[] = { 0, half - 1, 0 - half, half };
        uint64_t got[4];

        for (int e = 0; e < 4; e++) {
            const union ir_cell x = { .w = phase + error[e] }, *in[1] = { &x };

            got[e] = ir_eval_ins(&mem, m.f, pbs, in)->w;
        }
        ck_assert_uint_eq(got[0], got[1]);
        ck_assert_uint_eq(got[0], got[2]); /* boxes are half open */
        moved += got[0] != got[3];
    }
    ck_assert(!pbs || moved > 0);
    arena_free(&mem);
    arena_free(&m.mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pairs");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, all_inputs_are_right, 0, OPS);
    tcase_add_loop_test(tc, a_difference_needs_no_padding_bit, 0, 6);
    tcase_add_test(tc, equal_tables_are_one);
    tcase_add_test(tc, tables_of_one_value_share_a_bootstrap);
    tcase_add_loop_test(tc, tables_have_their_cheapest_form, 0, FORMS);
    tcase_add_loop_test(tc, errors_below_the_border_do_nothing, 0, FORMS);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
