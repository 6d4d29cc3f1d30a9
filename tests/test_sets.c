/* Several parameter sets in one circuit: cheaper, with the same meaning, and
 * within the failure bound, which is computed here again from the final IR and
 * the formulas of lang-spec/crypto.md. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "passes/affine.h"
#include "passes/model.h"
#include "passes/passes.h"
#include "tests/meaning.h"
#include "tests/random_ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the bound by hand */

enum { MOST_ORIGINS = 4096 };

static struct model_ring
ring_of(const struct ir_params *s)
{
    return (struct model_ring){ s->k, s->log2_n, s->ternary };
}

/* A key of the curve: no test of the bound is worth more than its noise. */
static void
check_curve(const struct ir_func *f, int level)
{
    for (uint32_t i = 0; i <= f->sets.more; i++) {
        const struct ir_params *s = ir_params_of(f, i);
        const double dim = model_dimension(ring_of(s));

        ck_assert(s->chosen && !s->insecure);
        ck_assert_int_eq(s->level, level);
        ck_assert_int_ge(s->t_glwe, model_tuniform(level, dim, 64));
        if (s->n)
            ck_assert_int_ge(s->t_lwe, 32 + model_tuniform(level, s->n, 32));
    }
    for (uint32_t i = 0; i < f->sets.switches; i++) {
        const struct ir_switch *sw = &f->sets.sw[i];
        const struct ir_params *to = ir_params_of(f, sw->to);
        const double dim = sw->big ? model_dimension(ring_of(to)) : to->n;

        ck_assert_int_ge(sw->t, 32 + model_tuniform(level, dim, 32));
        ck_assert_uint_le(sw->levels * sw->log2_base, 32);
    }
}

static double
v_fresh(const struct ir_params *s)
{
    return model_v_tuniform(s->t_glwe, 64);
}

static double
v_br(const struct ir_params *s)
{
    const struct model_gadget g = { s->br_levels, s->br_log2_base };

    return s->n * model_v_cmux(ring_of(s), g, v_fresh(s));
}

/* (14) and (15) from the big key of `from` */
static double
v_keyswitch(const struct ir_params *from, struct model_gadget g, int t)
{
    const double row = model_v_tuniform(t, 64) + MODEL_V_ROUND32;

    return model_dimension(ring_of(from)) * model_v_ks1(g, row)
           + MODEL_V_ROUND32;
}

static double
v_switch(const struct ir_func *f, uint32_t from, uint32_t to, bool big)
{
    const struct ir_params *s = ir_params_of(f, from);
    const struct ir_switch *sw;

    if (from == to)
        return big ? 0
                   : v_keyswitch(
                         s,
                         (struct model_gadget){ s->ks_levels, s->ks_log2_base },
                         s->t_lwe);
    sw = ir_switch_of(f, from, to, big);
    ck_assert_ptr_nonnull(sw);
    return v_keyswitch(s, (struct model_gadget){ sw->levels, sw->log2_base },
                       sw->t);
}

/* Of an element of a value of set `home`: what its origins add. */
static double
v_element(const struct affine *a, const struct affine_row *r, uint32_t home)
{
    double size[MOST_ORIGINS] = { 0 }, v = 0;

    ck_assert_uint_le(a->norigins, MOST_ORIGINS);
    for (uint32_t t = 0; t < r->n; t++)
        size[a->origin[r->origin[t]].mirror] +=
            fabs((double)r->weight[t]) * sqrt(a->origin[r->origin[t]].gain);
    for (uint32_t o = a->norigins; o-- > 0;) {
        const struct ir_ins *ins = ir_at(a->f, a->origin[o].op);
        const uint32_t set = ins->type.set;
        const struct ir_params *s = ir_params_of(a->f, set);
        double one = v_fresh(s);

        if (!(size[o] > 0))
            continue;
        if (ins->op == IR_lwe_mul_open) { /* the noise of older origins */
            const struct affine_row *x =
                &a->rows[ins->in[0].id][a->origin[o].element];

            for (uint32_t t = 0; t < x->n; t++)
                size[a->origin[x->origin[t]].mirror] +=
                    size[o] * fabs((double)x->weight[t])
                    * (double)ir_at(a->f, ins->in[1])->type.ihi;
            continue;
        }
        if (ir_is_bootstrap(ins))
            one = v_br(s) + v_switch(a->f, set, home, true);
        else if (ins->op == IR_lwe_bit_lut) /* (51) */
            one = ins->as.lwe_bit_lut.bits * s->v_ext
                  + v_switch(a->f, set, home, true);
        else
            ck_assert_uint_eq(set, home);
        v += size[o] * size[o] * one;
    }
    return v;
}

static double
v_tensor(const struct affine *a, uint32_t op)
{
    const struct ir_type *t = &a->f->ins[op].type;
    double most = 0;

    for (size_t e = 0; e < ir_count(t); e++)
        most = fmax(most, v_element(a, &a->rows[op][e], t->set));
    return most;
}

static double
log2_table(const struct affine *a, const struct ir_ins *ins)
{
    const struct ir_func *f = a->f;
    const uint32_t in = ir_at(f, ins->in[0])->in[0].id;
    const struct ir_params *s = ir_params_of(f, ins->type.set);
    const double v = v_tensor(a, in)
                     + v_switch(f, f->ins[in].type.set, ins->type.set, false)
                     + model_v_ms(s->n, 2 * model_degree(ring_of(s))
                                            / exp2(ir_theta(ins))); /* (39) */

    if (ins->op == IR_lwe_pbs && ins->as.lwe_pbs.approx) { /* (46), (47) */
        ck_assert_uint_ge(s->log2_n, ins->as.lwe_pbs.approx);
        ck_assert(v <= exp2(-2 * ((double)ins->as.lwe_pbs.approx + 3)));
        return model_log2_pfail(v, 0x1p-5);
    }
    ck_assert_uint_ge(s->log2_n, ins->as.lwe_pbs.bits + ir_theta(ins));
    return model_log2_pfail(v, exp2(-(double)ins->as.lwe_pbs.bits - 2));
}

/* (50), all bits of an element */
static double
log2_wide(const struct affine *a, const struct ir_ins *ins)
{
    const struct ir_func *f = a->f;
    const struct ir_ins *in = ir_at(f, ins->in[0]);
    const bool converted = in->op == IR_lwe_convert;
    const uint32_t set = ins->type.set, bits = ins->as.lwe_bit_lut.bits;
    const struct ir_params *s = ir_params_of(f, set);
    const double own = v_switch(f, set, set, false) + s->v_ms_wide;
    const double v =
        v_tensor(a, converted ? in->in[0].id : ins->in[0].id)
        + (converted ? v_switch(f, ir_from_set(f, in), set, true) : 0);
    double sum = (double)-INFINITY;

    ck_assert_uint_eq(in->type.set, set);
    for (uint32_t bit = 0; bit < bits; bit++)
        sum = model_log2_add(
            sum, model_log2_pfail(
                     exp2(2.0 * (bits - 1 - bit)) * (v + bit * v_br(s)) + own,
                     0.25));
    return sum;
}

static double
log2_answer(const struct affine *a, const struct ir_ins *ins)
{
    const struct ir_params *s = ir_params_of(a->f, ins->type.set);
    double v =
        v_tensor(a, ins->in[0].id) + model_v_zero(ring_of(s), v_fresh(s));
    double tau = exp2(ins->type.log2_delta - 65.0);

    if (ins->as.lwe_answer.word_bits == 32)
        v += model_v_cut(ring_of(s), 32);
    if (ins->as.lwe_answer.log2_flood >= 0)
        tau -= exp2((double)ins->as.lwe_answer.log2_flood - 64);
    return model_log2_pfail(v, tau);
}

/* (37), at most what is stated; slack: where an event has its largest weights
 * of each origin in different elements, less. */
static void
check_bound(const struct ir_func *f, double bound, double slack)
{
    struct arena mem = { 0 };
    ir_ref bad;
    const struct affine *a = affine_new(&mem, f, &bad);
    double sum = (double)-INFINITY, tiny;

    ck_assert_ptr_nonnull(a);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const double count = log2((double)ir_count(&ins->type));

        if (ir_is_bootstrap(ins))
            sum = model_log2_add(sum, log2((double)ir_bootstraps(f, ins))
                                          + log2_table(a, ins));
        if (ins->op == IR_lwe_bit_lut)
            sum = model_log2_add(sum, count + log2_wide(a, ins));
        if (ins->op == IR_lwe_answer)
            sum = model_log2_add(sum, count + log2_answer(a, ins));
    }
    ck_assert_msg(sum <= bound, "%g", sum);
    tiny = 1e-6 + 1e-9 * fabs(sum);
    ck_assert_msg(sum <= f->params.log2_pfail + tiny
                      && sum >= f->params.log2_pfail - tiny - slack,
                  "%g, not %g", sum, f->params.log2_pfail);
    arena_free(&mem);
}

/* ---- models */

/* Without tables by bits: the first of equal settings counts. */
static char *
all_native(const char *text)
{
    const char *rest = strchr(text, '\n') + 1;
    char *own;
    size_t len;
    FILE *out = open_memstream(&own, &len);

    fprintf(out, "%.*sset tables.native = 8\n%s", (int)(rest - text), text,
            rest);
    fclose(out);
    return own;
}

/* `wide` tables of so many bits, ten times as many of 2 bits, and `more` of 4,
 * all in one sum: results of two widths are converted to the third's set */
static char *
mixed(int bits, int wide, int more, const char *setting)
{
    const int last = (1 << bits) - 1;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "ir 1 mixed\nset tables.native = 8\n%s", setting);
    fprintf(out, "const @w : int[1,%d] = [0", last + 1);
    for (int i = 1; i <= last; i++)
        fprintf(out, ", %d", i % 7 == 3);
    fputs("]\nconst @n : int[1,4] = [0, 0, 1, 0]\n"
          "const @m : int[1,16] = [0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1, "
          "1, 0]\n{\n",
          out);
    fprintf(out, "%%0 = input { name = @a } : int[%d] in 0..%d\n", wide, last);
    fprintf(out, "%%1 = input { name = @b } : int[%d] in 0..3\n", 10 * wide);
    fprintf(out, "%%2 = input { name = @c } : int[%d] in 0..15\n", more);
    for (int i = 0; i < 3; i++) {
        const int n = i == 0 ? wide : i == 1 ? 10 * wide : more;
        const int top = i == 0 ? last : i == 1 ? 3 : 15, at = 3 + 3 * i;

        fprintf(out, "%%%d = encrypt %%%d : enc int[%d] in 0..%d\n", at, i, n,
                top);
        fprintf(out,
                "%%%d = lut %%%d { table = @%c, offset = 0, approx = 0 } : enc "
                "int[%d] in 0..1\n",
                at + 1, at, "wnm"[i], n);
        fprintf(out, "%%%d = sum %%%d { axis = 0 } : enc int in 0..%d\n",
                at + 2, at + 1, n);
    }
    fprintf(out,
            "%%12 = add %%5, %%8 : enc int in 0..%d\n"
            "%%13 = add %%12, %%11 : enc int in 0..%d\n"
            "%%14 = decrypt %%13 : int in 0..%d\n"
            "output %%14 { name = @y }\n}\n",
            11 * wide, 11 * wide + more, 11 * wide + more);
    fclose(out);
    return text;
}

struct result {
    struct arena mem;
    const struct ir_func *f;
};

static void
same_meaning(const char *pass, const struct ir_func *before,
             const struct ir_func *after, void *arg)
{
    struct arena mem = { 0 };

    if (strcmp(pass, "params") == 0 || strcmp(pass, "schedule") == 0)
        for (int round = 0; round < 12; round++) {
            const union ir_cell **in = random_inputs(&mem, arg, before);

            meaning_same(pass, before, after, in);
        }
    meaning_round_trip(pass, after);
    arena_free(&mem);
}

/* The passes from `only` on, or all; f is NULL if they refuse it. */
static struct result
compiled(const char *text, const char *only)
{
    struct result r = { { 0 }, NULL };
    const struct source src = { .name = "t.ir",
                                .text = text,
                                .len = strlen(text) };
    FILE *sink = fopen("/dev/null", "w");
    struct diag dg = { .src = &src, .out = sink };
    struct dice d = { 1 };
    int status = 0;
    const struct pass_options po = { .diag = &dg,
                                     .only = only,
                                     .watch = same_meaning,
                                     .arg = &d,
                                     .status = &status };
    struct ir_func *f;

    f = ir_parse(&r.mem, &dg);
    ck_assert_ptr_nonnull(f);
    ir_set(f, "joint", 0, (struct span){ 0, 0 }); /* sets are of bootstraps */
    r.f = pass_run(&r.mem, f, &po);
    fclose(sink);
    return r;
}

static const char after_range[] = "range,clean,to-tfhe,noise,params,schedule";

static size_t
count(const struct ir_func *f, enum ir_op op)
{
    size_t n = 0;

    for (uint32_t i = 0; i < f->n; i++)
        n += f->ins[i].op == op;
    return n;
}

/* ---- tests */

/* One table in eleven is wide: the model promises 2.5 times less at least. */
START_TEST(mixed_widths_have_two_sets)
{
    char *text = mixed(6, 3, 1, ""), *same = mixed(6, 3, 1, "set sets = 1\n");
    struct result two = compiled(text, after_range),
                  one = compiled(same, after_range);

    ck_assert(two.f && one.f);
    ck_assert_uint_eq(one.f->sets.more, 0);
    ck_assert_uint_eq(one.f->sets.switches, 0);
    ck_assert_uint_ge(two.f->sets.more, 1);
    ck_assert_uint_ge(count(two.f, IR_lwe_convert), 1);
    ck_assert_msg(2.5 * two.f->params.cost < one.f->params.cost, "%g and %g",
                  two.f->params.cost, one.f->params.cost);
    check_curve(two.f, 132);
    check_bound(two.f, -128, 0);
    check_bound(one.f, -128, 0);
    arena_free(&two.mem);
    arena_free(&one.mem);
    free(text);
    free(same);
}
END_TEST

/* Tables by bits have a set of their own, and inputs converted to it. */
START_TEST(tables_by_bits_have_a_set)
{
    char *text = mixed(10, 2, 20, ""),
         *same = mixed(10, 2, 20, "set sets = 1\n");
    struct result two = compiled(text, after_range),
                  one = compiled(same, after_range);
    unsigned wide = 0;

    ck_assert(two.f && one.f);
    ck_assert_uint_eq(one.f->sets.more, 0);
    ck_assert_uint_ge(two.f->sets.more, 1);
    ck_assert_uint_eq(count(two.f, IR_lwe_bit_lut), 1);
    for (uint32_t i = 0; i <= two.f->sets.more; i++)
        wide += ir_params_of(two.f, i)->tr_levels > 0;
    ck_assert_uint_eq(wide, 1);
    ck_assert(two.f->params.cost < one.f->params.cost);
    check_curve(two.f, 132);
    check_bound(two.f, -128, 0);
    check_bound(one.f, -128, 0);
    arena_free(&two.mem);
    arena_free(&one.mem);
    free(text);
    free(same);
}
END_TEST

/* Products with what the server sees have the noise of their operands. */
START_TEST(products_in_the_open_have_sets)
{
    static const char text[] =
        "ir 1 t\nset clear.k = 1\nset tables.native = 8\n"
        "const @w : int[1,64] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, "
        "1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, "
        "0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, "
        "0, 0, 1]\nconst @n : int[1,4] = [0, 0, 1, 0]\n{\n"
        "%0 = input { name = @a } : int[3] in 0..15\n"
        "%1 = input { name = @b } : int[40] in 0..3\n"
        "%2 = input { name = @k } : int in 0..3\n"
        "%3 = encrypt %0 : enc int[3] in 0..15\n"
        "%4 = encrypt %1 : enc int[40] in 0..3\n"
        "%5 = disclose %2 : open int in 0..3\n"
        "%6 = mul %3, %5 : enc int[3] in 0..45\n"
        "%7 = lut %6 { table = @w, offset = 0, approx = 0 } : enc int[3] in "
        "0..1\n"
        "%8 = lut %4 { table = @n, offset = 0, approx = 0 } : enc int[40] in "
        "0..1\n"
        "%9 = sum %7 { axis = 0 } : enc int in 0..3\n"
        "%10 = sum %8 { axis = 0 } : enc int in 0..40\n"
        "%11 = mul %10, %5 : enc int in 0..120\n"
        "%12 = add %9, %11 : enc int in 0..123\n"
        "%13 = decrypt %12 : int in 0..123\n"
        "output %13 { name = @y }\n}\n";
    struct result r = compiled(text, after_range);

    ck_assert_ptr_nonnull(r.f);
    ck_assert_uint_ge(r.f->sets.more, 1);
    ck_assert_uint_eq(count(r.f, IR_lwe_mul_open), 2);
    check_curve(r.f, 132);
    check_bound(r.f, -128, 0);
    arena_free(&r.mem);
}
END_TEST

/* Each more set that may be used costs less. */
START_TEST(three_widths_have_three_sets)
{
    char *text = mixed(6, 2, 20, ""), *less = mixed(6, 2, 20, "set sets = 2\n");
    struct result three = compiled(text, after_range),
                  two = compiled(less, after_range);

    ck_assert(three.f && two.f);
    ck_assert_uint_eq(three.f->sets.more, 2);
    ck_assert_uint_eq(two.f->sets.more, 1);
    ck_assert(three.f->params.cost < two.f->params.cost);
    check_curve(three.f, 132);
    check_bound(three.f, -128, 0);
    check_bound(two.f, -128, 0);
    arena_free(&three.mem);
    arena_free(&two.mem);
    free(text);
    free(less);
}
END_TEST

/* Level and bound of the settings hold for every set. */
START_TEST(settings_reach_all_sets)
{
    char *text = mixed(6, 3, 2, "set security = 128\nset log2_pfail = -40\n");
    struct result r = compiled(text, after_range);

    ck_assert_ptr_nonnull(r.f);
    ck_assert_uint_ge(r.f->sets.more, 1);
    check_curve(r.f, 128);
    check_bound(r.f, -40, 0);
    arena_free(&r.mem);
    free(text);
}
END_TEST

/* Tables of one width have one set, whatever it costs to look. */
START_TEST(one_width_has_one_set)
{
    static const char text[] =
        "ir 1 t\nconst @t : int[1,4] = [0, 1, 1, 0]\n{\n"
        "%0 = input { name = @x } : int[9] in 0..3\n"
        "%1 = encrypt %0 : enc int[9] in 0..3\n"
        "%2 = lut %1 { table = @t, offset = 0, approx = 0 } : enc "
        "int[9] in 0..1\n"
        "%3 = decrypt %2 : int[9] in 0..1\n"
        "output %3 { name = @y }\n}\n";
    struct result r = compiled(text, after_range);

    ck_assert_ptr_nonnull(r.f);
    ck_assert_uint_eq(r.f->sets.more, 0);
    check_bound(r.f, -128, 0);
    arena_free(&r.mem);
}
END_TEST

/* Random models at real parameters; their own settings ask for toys. */
START_TEST(random_models_keep_meaning_and_bound)
{
    enum { MODELS = 600 };
    unsigned with[IR_MAX_SETS + 1] = { 0 };

    for (uint64_t seed = 1; seed <= MODELS; seed++) {
        struct arena mem = { 0 };
        struct dice d = { seed * 0x2545f4914f6cdd1d };
        char *text = meaning_text(
            random_ir(&mem, &d, (enum random_kind)_i, 6 + (unsigned)seed % 12));
        char *toy = strstr(text, "insecure.toy = 1"), *native;
        struct result r;

        toy[strlen("insecure.toy = ")] = '0';
        native = seed % 4 ? all_native(text) : strdup(text);
        r = compiled(native, NULL);
        if (r.f && count(r.f, IR_lwe_answer) > 0)
            check_bound(r.f, -128, 1e9);
        if (r.f)
            with[r.f->sets.more + 1]++;
        arena_free(&r.mem);
        arena_free(&mem);
        free(native);
        free(text);
    }
    ck_assert_uint_ge(with[1], 5);
    ck_assert_uint_ge(with[2] + with[3], 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sets");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_add_test(tc, mixed_widths_have_two_sets);
    tcase_add_test(tc, tables_by_bits_have_a_set);
    tcase_add_test(tc, products_in_the_open_have_sets);
    tcase_add_test(tc, three_widths_have_three_sets);
    tcase_add_test(tc, settings_reach_all_sets);
    tcase_add_test(tc, one_width_has_one_set);
    tcase_add_loop_test(tc, random_models_keep_meaning_and_bound, 0,
                        RANDOM_LINEAR);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
