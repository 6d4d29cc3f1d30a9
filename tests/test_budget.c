/* Parameters and answers of whole programs: the failure bound, computed again
 * from the formulas, holds and is the one that is stated. */
#include "passes/budget.h"
#include "passes/encode.h"
#include "tests/lowering.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(each_table_and_answer_is_an_event)
{
    struct run r = lowering_run(lowering_widths, RANGE, NOISE);
    const struct ir_func *f = r.at[NOISE];
    const struct search_problem p = budget_of(&r.mem, f);

    ck_assert_uint_eq(p.n, 4);
    for (size_t i = 0; i < p.n; i++) {
        const struct search_event *e = &p.event[i];
        const struct ir_ins *ins = &f->ins[e->tag];
        const struct ir_type *t = &ir_at(f, ins->in[0])->type;

        ck_assert(ins->op == (e->table ? IR_lwe_pbs : IR_lwe_answer));
        ck_assert(e->c_in >= t->lo && e->c_in <= t->lo);
        ck_assert(e->c_br >= t->hi && e->c_br <= t->hi);
        ck_assert(e->c_in + e->c_br > 0);
    }
    /* raised: 3 + 1; products: 3 + 3; sum: 3; sums of two: 2 */
    ck_assert(fabs(p.additions - 15) < 0.5);
    lowering_finish(&r);
}
END_TEST

START_TEST(no_parameters_is_an_error)
{
    static const char *const answer =
        "ir 1 t\n{\n"
        "  %0 = input { name = @x } : int in 0..1152921504606846975\n"
        "  %1 = encrypt %0 : enc int in 0..1152921504606846975\n"
        "  %2 = decrypt %1 : int\n"
        "  output %2 { name = @y }\n}\n";
    char *text = lowering_set("insecure.toy = 1", answer);

    lowering_refused(answer, TO_TFHE, PARAMS, "an answer of 60 bits");
    lowering_refused(answer, TO_TFHE, PARAMS, "t.ir:5:3: error: no secure");
    lowering_refused(text, TO_TFHE, PARAMS, "an answer of 60 bits");
    free(text);
}
END_TEST

struct event {
    double v, tau, count;
};

/* (36), from the annotated types and the formulas */
static size_t
events_by_hand(const struct ir_func *f, struct event *event)
{
    const struct ir_params *s = &f->params;
    const struct model_ring r = { s->k, s->log2_n, s->ternary };
    const double dim = model_dimension(r), m = 2 * model_degree(r);
    const double fresh = model_v_tuniform(s->t_glwe, 64);
    const struct model_gadget br = { s->br_levels, s->br_log2_base };
    const struct model_gadget ks = { s->ks_levels, s->ks_log2_base };
    const double row = model_v_tuniform(s->t_lwe, 64) + MODEL_V_ROUND32;
    size_t n = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const bool table = ir_is_bootstrap(ins);
        struct event e = { 0, 0, (double)ir_count(&ins->type) };
        const struct ir_type *t;

        if (!table && ins->op != IR_lwe_answer)
            continue;
        t = &ir_at(f, ins->in[0])->type;
        e.v = t->lo * fresh;
        if (s->n)
            e.v += t->hi * s->n * model_v_cmux(r, br, fresh);
        if (table) { /* (39) */
            e.v += dim * model_v_ks1(ks, row) + MODEL_V_ROUND32
                   + model_v_ms(s->n, m / exp2(ir_theta(ins)));
            e.tau = exp2(-(double)ins->as.lwe_pbs.bits - 2);
            e.count = (double)ir_bootstraps(f, ins);
            ck_assert_uint_ge(s->log2_n,
                              ins->op == IR_lwe_pbs && ins->as.lwe_pbs.approx
                                  ? ins->as.lwe_pbs.approx
                                  : ins->as.lwe_pbs.bits + ir_theta(ins));
        } else {
            e.v += model_v_zero(r, fresh);
            if (ins->as.lwe_answer.word_bits == 32)
                e.v += model_v_cut(r, 32);
            e.tau = exp2(t->log2_delta - 65.0);
            if (ins->as.lwe_answer.log2_flood >= 0)
                e.tau -= exp2((double)ins->as.lwe_answer.log2_flood - 64);
        }
        ck_assert(e.v > 0 && e.tau > 0);
        event[n++] = e;
    }
    return n;
}

static void
check_bound(const struct ir_func *f, double bound)
{
    struct event event[64];
    const size_t n = events_by_hand(f, event);
    double sum = (double)-INFINITY;

    for (size_t i = 0; i < n; i++)
        sum = model_log2_add(sum,
                             log2(event[i].count)
                                 + model_log2_pfail(event[i].v, event[i].tau));
    ck_assert_msg(sum <= bound, "%g", sum);
    ck_assert_msg(fabs(sum - f->params.log2_pfail) < 1e-6, "%g, not %g", sum,
                  f->params.log2_pfail);
}

static void
check_curve(const struct ir_params *s, int level)
{
    const double dim = s->k * exp2(s->log2_n);

    ck_assert(s->chosen && !s->insecure);
    ck_assert_int_eq(s->level, level);
    ck_assert_int_ge(s->t_glwe, model_tuniform(level, dim, 64));
    if (s->n)
        ck_assert_int_ge(s->t_lwe, model_tuniform(level, s->n, 64));
}

/* Of one set; test_sets.c has the others. */
static char *
tables_of_one_set(void)
{
    char *text = lowering_tables();
    char *one = lowering_set("sets = 1", text);

    free(text);
    return one;
}

START_TEST(the_search_keeps_the_bound)
{
    char *text = tables_of_one_set();
    struct run r = lowering_run(text, RANGE, PARAMS);
    const struct ir_func *f = r.at[PARAMS];

    ck_assert_msg(f != NULL, "%s", r.said);
    check_curve(&f->params, 132);
    ck_assert(!f->params.ternary);
    ck_assert(f->params.cost > 0);
    check_bound(f, -128);
    lowering_finish(&r);
    free(text);
}
END_TEST

START_TEST(settings_reach_the_search)
{
    char *text = tables_of_one_set();
    char *level = lowering_set("security = 128", text);
    char *both = lowering_set("log2_pfail = -40", level);
    struct run a = lowering_run(text, RANGE, PARAMS),
               b = lowering_run(both, RANGE, PARAMS);

    ck_assert(a.at[PARAMS] && b.at[PARAMS]);
    check_curve(&b.at[PARAMS]->params, 128);
    check_bound(b.at[PARAMS], -40);
    ck_assert(b.at[PARAMS]->params.cost < a.at[PARAMS]->params.cost);
    lowering_finish(&b);
    lowering_finish(&a);
    free(both);
    free(level);
    free(text);
}
END_TEST

START_TEST(approximate_tables_are_cheaper)
{
    const int asked[] = { 5, 7 };
    char *text = lowering_wide(asked[_i], 1);
    struct run r = lowering_run(text, RANGE, PARAMS);
    const struct ir_func *f = r.at[PARAMS];
    struct event event[4];

    ck_assert_msg(f != NULL, "%s", r.said);
    check_curve(&f->params, 132);
    ck_assert_uint_eq(events_by_hand(f, event), 2);
    /* a quarter step of the code; the guard keeps the bound */
    ck_assert(sqrt(event[0].v) <= 0.25 * exp2(-asked[_i] - 1));
    ck_assert(model_log2_pfail(event[0].v, ENCODE_GUARD) <= -128);
    ck_assert_uint_lt(f->params.log2_n, 13);
    lowering_finish(&r);
    free(text);
}
END_TEST

START_TEST(without_tables_there_is_no_small_key)
{
    struct run r = lowering_run(lowering_linear, RANGE, PARAMS);
    const struct ir_func *f = r.at[PARAMS];
    const struct ir_ins *answer;

    ck_assert_msg(f != NULL, "%s", r.said);
    check_curve(&f->params, 132);
    ck_assert_uint_eq(f->params.n, 0);
    ck_assert_uint_eq(f->params.k, 1);
    ck_assert_uint_eq(f->params.log2_n, 11);
    ck_assert(f->params.ternary);
    check_bound(f, -128);
    answer = lowering_find(f, IR_lwe_answer, 0);
    ck_assert_uint_eq(answer->as.lwe_answer.word_bits, 32);
    /* nearly half a step, 2^(delta - 1), is flooded */
    ck_assert_int_eq(answer->as.lwe_answer.log2_flood,
                     answer->type.log2_delta - 2);
    lowering_finish(&r);
}
END_TEST

/* 7 answers of nine bits more than the input, from words of 32 to words of 64
 * and to nothing; what is left is flooded. */
START_TEST(precise_answers_keep_their_words)
{
    unsigned words[65] = { 0 }, refused = 0;

    for (int bits = 11; bits < 45; bits++) {
        const long long most = (1LL << bits) - 1;
        char text[512];
        struct run r;

        snprintf(text, sizeof text,
                 "ir 1 t\nconst @w : int = [-300]\n{\n"
                 "  %%0 = input { name = @x } : int[7] in 0..%lld\n"
                 "  %%1 = encrypt %%0 : enc int[7] in 0..%lld\n"
                 "  %%2 = constant { data = @w } : int\n"
                 "  %%3 = mul %%1, %%2 : enc int[7]\n"
                 "  %%4 = decrypt %%3 : int[7]\n"
                 "  output %%4 { name = @y }\n}\n",
                 most, most);
        r = lowering_run(text, RANGE, PARAMS);
        if (r.at[PARAMS]) {
            check_bound(r.at[PARAMS], -128);
            words[lowering_find(r.at[PARAMS], IR_lwe_answer, 0)
                      ->as.lwe_answer.word_bits]++;
        } else {
            refused++;
        }
        lowering_finish(&r);
    }
    ck_assert_uint_ge(words[32], 3);
    ck_assert_uint_ge(words[64], 3);
    ck_assert_uint_ge(refused, 3);
}
END_TEST

/* Without tables the answers have the whole bound, each an eleventh. */
START_TEST(answers_share_what_tables_leave)
{
    const struct search_event event[] = {
        { .c_zero = 1, .tau = 0x1p-10, .count = 7 },
        { .c_zero = 1, .tau = 0x1p-12, .count = 4 },
        { .c_br = 1, .table = true, .tau = 0x1p-6, .count = 3 },
    };
    struct search_problem p = { .event = event, .n = 2, .log2_pfail = -64 };
    struct ir_params s = { .v_br = 0x1p-18 };
    const double third = log2(3) + model_log2_pfail(0x1p-18, 0x1p-6);

    ck_assert(fabs(budget_share(&s, &p) - (-64 - log2(11))) < 1e-9);
    p.n = 3;
    p.log2_pfail = third + 1; /* the tables take a half */
    ck_assert(fabs(budget_share(&s, &p) - (third - log2(11))) < 1e-9);
    p.log2_pfail = third - 1;
    ck_assert(isinf(budget_share(&s, &p)));
}
END_TEST

/* An answer whose noise alone takes more than an equal share leaves less to the
 * others; whatever is flooded then, the row keeps its bound. */
START_TEST(a_noisy_answer_lowers_the_share_of_others)
{
    struct search_event event[] = {
        { .c_in = 1, .tau = 0x1p-40, .count = 1 },
        { .c_in = 1, .tau = 0x1p-40, .count = 1 },
        { .c_in = 1, .tau = 0x1p-40, .count = 2 },
    };
    const struct search_problem p = { .event = event,
                                      .n = 3,
                                      .log2_pfail = -128 };
    const struct ir_params s = { .k = 1, .log2_n = 11, .v_fresh = 0x1p-94 };
    int over = 0, flooded = 0;

    event[0].tau = 0x1p-47 * model_kappa(-129);   /* half of the bound */
    event[1].tau = 0x1p-47 * model_kappa(-130.5); /* more than a third of it */
    for (int i = 0; i < 2000; i++) {
        event[2].tau = 0x1p-42 * exp2(i / 500.0);
        over += budget_pfail(&s, &p) > -128 + 1e-9;
        flooded +=
            budget_reply(&s, &event[2], budget_share(&s, &p)).log2_flood >= 0;
    }
    ck_assert_int_eq(over, 0);
    ck_assert_int_gt(flooded, 1000);
    /* 2^-128 - 2^-129 - 2^-130.5 for two */
    ck_assert_double_eq_tol(budget_share(&s, &p),
                            -128 + log2(1 - 0.5 - exp2(-2.5)) - 1, 1e-6);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("budget");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_add_test(tc, each_table_and_answer_is_an_event);
    tcase_add_test(tc, no_parameters_is_an_error);
    tcase_add_test(tc, the_search_keeps_the_bound);
    tcase_add_test(tc, settings_reach_the_search);
    tcase_add_loop_test(tc, approximate_tables_are_cheaper, 0, 2);
    tcase_add_test(tc, without_tables_there_is_no_small_key);
    tcase_add_test(tc, precise_answers_keep_their_words);
    tcase_add_test(tc, answers_share_what_tables_leave);
    tcase_add_test(tc, a_noisy_answer_lowers_the_share_of_others);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
