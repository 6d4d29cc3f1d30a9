/* Bootstraps fail as often as the formulas say: parameters of the search for a
 * loosened budget, real keys, thousands of tables on the outputs of tables, and
 * the failures counted.  A budget like that is for tests only. */
#include "passes/search.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { SIDE = 8, WRONG = 7 };

/* A tenth unless CML_FULL is set. */
static unsigned
evaluations(void)
{
#ifdef CML_SANITIZED
    return 128;
#endif
    return getenv("CML_FULL") ? 20480 : 2048;
}

/* log2 of the binomial probability of x in n */
static double
log2_binomial(double n, double p, double x)
{
    const double ways = lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1);

    return (ways + x * log(p) + (n - x) * log1p(-p)) / log(2);
}

/* x is no surprise at 99 %: neither tail beyond it is below 1/200. */
static bool
expected(unsigned n, double p, unsigned x)
{
    double below = 0, above = 0;

    for (unsigned i = 0; i <= n; i++) {
        const double one = exp2(log2_binomial(n, p, i));

        below += i <= x ? one : 0;
        above += i >= x ? one : 0;
    }
    return below >= 0.005 && above >= 0.005;
}

START_TEST(the_interval_is_that_of_99_percent)
{
    /* tables of the binomial law: n = 20, p = 1/2 */
    ck_assert(expected(20, 0.5, 4) && expected(20, 0.5, 16));
    ck_assert(!expected(20, 0.5, 3) && !expected(20, 0.5, 17));
}
END_TEST

/* A table of `bits` bits whose input is `weight` times a table's output.  BOTH:
 * without a padding bit, its messages in both halves of the torus; MANY: two
 * tables share the bootstrap; WIDE: a bootstrap for each bit, of new
 * inputs, since (51) is a bound that only inputs of ones reach. */
enum kind { NATIVE, BOTH, MANY, WIDE };
static const struct path {
    unsigned bits;
    int64_t weight;
    double log2_pfail;
    enum kind kind;
} paths[] = { { 2, 1, -7, NATIVE }, { 3, 2, -6, NATIVE }, { 4, 4, -8, NATIVE },
              { 2, 1, -7, BOTH },   { 3, 2, -6, BOTH },   { 2, 1, -6, MANY },
              { 3, 2, -7, MANY },   { 3, 1, -4, WIDE } };
enum { PATHS = sizeof paths / sizeof *paths, MOST_BITS = 4 };

/* the events of a table: one, or (50) and that of its result */
static size_t
events_of(const struct path *p, struct search_event *e)
{
    const double norm2 = (double)(p->weight * p->weight);

    e[0] = (struct search_event){ .c_br = norm2,
                                  .table = true,
                                  .tau = ldexp(1, -(int)(p->bits + 2)),
                                  .count = 1,
                                  .min_log2_n = p->bits,
                                  .theta = p->kind == MANY };
    if (p->kind != WIDE)
        return 1;
    for (unsigned i = 0; i < p->bits; i++) {
        const double scale = exp2(2.0 * (p->bits - 1 - i));

        e[i] = (struct search_event){ .c_in = scale * norm2,
                                      .c_br = scale * i,
                                      .table = true,
                                      .wide = true,
                                      .width = i ? 0 : p->bits,
                                      .tau = 0.25,
                                      .count = 1 };
    }
    /* its results can be told apart */
    e[p->bits] =
        (struct search_event){ .c_ext = p->bits,
                               .tau = ldexp(1, -(int)(p->bits + 1)),
                               .v_max = ldexp(1, -2 * (int)(p->bits + 5)),
                               .count = 1 };
    return p->bits + 1;
}

/* P(some event), variances divided by `divisor` */
static double
rate_of(const struct ir_params *s, const struct search_problem *p,
        double divisor)
{
    double none = 1;

    for (size_t i = 0; i < p->n; i++)
        none *=
            1
            - exp2(model_log2_pfail(search_variance(s, &p->event[i]) / divisor,
                                    p->event[i].tau));
    return 1 - none;
}

static struct cmlrt_set
set_of(const struct ir_params *s)
{
    return (struct cmlrt_set){
        s->k,
        s->log2_n,
        s->n,
        s->br_levels,
        s->br_log2_base,
        s->ks_levels,
        s->ks_log2_base,
        s->t_lwe,
        s->t_glwe,
        s->ternary,
        { s->tr_levels, s->tr_log2_base, s->ss_levels, s->ss_log2_base,
          s->cb_levels, s->cb_log2_base, s->wide_bits, s->tr_low_bits,
          s->ss_low_bits },
        { 0 },
    };
}

/* Multiples of the weight go round; what lies between is wrong.  Twice. */
static void
fill(int64_t *entry, const struct path *p)
{
    const int64_t size = INT64_C(1) << p->bits, count = size / p->weight;

    for (int64_t i = 0; i < size; i++) {
        const int64_t next = (i / p->weight + 1) % count;

        entry[i] = i % p->weight                          ? WRONG
                   : p->kind == BOTH && i / p->weight % 2 ? -next
                                                          : next;
        entry[size + i] = entry[i];
    }
}

/* The table of weight m; in the upper half of the torus the negated one. */
static int64_t
looked_up(const struct path *p, const int64_t *entry, int64_t m)
{
    const int64_t size = INT64_C(1) << p->bits;
    const int64_t at = m * p->weight & (2 * size - 1);

    return at < size ? entry[at] : -entry[at - size];
}

static void
evaluate(struct rig *r, const struct path *p, const struct cmlrt_table *t,
         uint64_t *lwe, uint64_t *small)
{
    const struct cmlrt_tables two = { t, 2, SIDE, 0, 1 };
    int64_t factor[SIDE];

    for (int64_t i = 0; i < SIDE; i++)
        factor[i] = p->weight;
    cmlrt_lwe_mul_clear(&r->env, lwe, lwe, factor, 0, SIDE);
    if (p->kind == WIDE) {
        cmlrt_lwe_bit_lut(&r->env, lwe, lwe, t, 0, SIDE);
        return;
    }
    cmlrt_lwe_keyswitch(&r->env, small, lwe, NULL, 0, SIDE);
    if (p->kind == MANY)
        cmlrt_lwe_pbs_many(&r->env, lwe, small, &two, 0, SIDE);
    else
        cmlrt_lwe_pbs(&r->env, lwe, small, t, 0, SIDE);
}

/* Failures among n evaluations; those begin again with the right message. */
static unsigned
failures(struct rig *r, const struct path *p, unsigned n, uint64_t *lwe,
         uint64_t *small)
{
    const unsigned delta = (p->kind == WIDE ? 64 : 63) - p->bits;
    const int64_t mask = (INT64_C(1) << (64 - delta)) - 1;
    int64_t entry[2 << MOST_BITS], m[SIDE];
    const struct cmlrt_table t = { entry, 1, p->bits, 0, delta, delta, 0 };
    unsigned wrong = 0;

    fill(entry, p);
    for (int64_t i = 0; i < SIDE; i++) {
        m[i] = i % ((INT64_C(1) << p->bits) / p->weight);
        m[i] = p->kind == BOTH && i % 2 ? -m[i] : m[i];
    }
    rig_encrypt(r, lwe, m, SIDE, delta, 0);
    for (unsigned at = 0; at < n; at += SIDE) {
        if (p->kind == WIDE)
            rig_encrypt(r, lwe, m, SIDE, delta, 1 + at);
        evaluate(r, p, &t, lwe, small);
        for (size_t i = 0; i < SIDE; i++) {
            uint64_t *out = lwe + i * r->env.big;
            const int64_t got = rig_decrypt(r, out, delta);

            m[i] = looked_up(p, entry, m[i]);
            if (p->kind == MANY)
                ck_assert_int_eq(rig_decrypt(r, out + SIDE * r->env.big, delta),
                                 got);
            if (((got ^ m[i]) & mask) == 0)
                continue;
            wrong++;
            out[r->env.big - 1] += ((uint64_t)m[i] - (uint64_t)got) << delta;
        }
    }
    return wrong;
}

START_TEST(tables_fail_as_predicted)
{
    const struct path *p = &paths[_i];
    const unsigned n = evaluations();
    struct search_event e[MOST_BITS + 1];
    const struct search_problem problem = { .event = e,
                                            .n = events_of(p, e),
                                            .log2_pfail = p->log2_pfail,
                                            .level = 132 };
    struct ir_params s;
    struct cmlrt_set set;
    double rate;
    uint64_t *lwe, *small;
    unsigned wrong;
    size_t tightest;
    struct rig r;

    ck_assert(p->kind == WIDE ? search_wide(&s, &problem, &tightest)
                              : search_params(&s, &problem, &tightest));
    rate = rate_of(&s, &problem, 1);
    ck_assert(log2(rate) <= p->log2_pfail && log2(rate) > p->log2_pfail - 4);
    set = set_of(&s);
    rig_open(&r, &set, cmlrt_kernels_select(NULL), 900 + (uint64_t)_i);
    lwe = rig_alloc(2 * SIDE * r.env.big * sizeof *lwe);
    small = rig_alloc(SIDE * r.env.small * sizeof *small);
    wrong = failures(&r, p, n, lwe, small);
    printf(
        "kind %d, %u bits, weight %d: %u of %u failed, %.1f were predicted\n",
        (int)p->kind, p->bits, (int)p->weight, wrong, n, rate * n);
    ck_assert(expected(n, rate, wrong));
    if (n * rate > 40) /* a doubled variance would be seen */
        ck_assert(!expected(n, rate_of(&s, &problem, 2), wrong));
    free(lwe);
    free(small);
    rig_close(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("failure");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 900);
    tcase_add_test(tc, the_interval_is_that_of_99_percent);
    tcase_add_loop_test(tc, tables_fail_as_predicted, 0, PATHS);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
