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
    return 512;
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

/* A table of `bits` bits whose input is `weight` times a table's output; both:
 * without a padding bit, its messages in both halves of the torus. */
static const struct path {
    unsigned bits;
    int64_t weight;
    double log2_pfail;
    bool both;
} paths[] = { { 2, 1, -7, false },
              { 3, 2, -6, false },
              { 4, 4, -8, false },
              { 2, 1, -7, true },
              { 3, 2, -6, true } };
enum { PATHS = sizeof paths / sizeof *paths };

static struct search_event
event_of(const struct path *p)
{
    return (struct search_event){ .c_br = (double)(p->weight * p->weight),
                                  .table = true,
                                  .tau = ldexp(1, -(int)(p->bits + 2)),
                                  .count = 1,
                                  .min_log2_n = p->bits };
}

static struct cmlrt_set
set_of(const struct ir_params *s)
{
    return (struct cmlrt_set){
        s->k,         s->log2_n,       s->n,     s->br_levels, s->br_log2_base,
        s->ks_levels, s->ks_log2_base, s->t_lwe, s->t_glwe,    s->ternary,
        { 0 }
    };
}

/* Multiples of the weight go round; what lies between is wrong. */
static void
fill(int64_t *entry, const struct path *p)
{
    const int64_t size = INT64_C(1) << p->bits, count = size / p->weight;

    for (int64_t i = 0; i < size; i++) {
        const int64_t next = (i / p->weight + 1) % count;

        entry[i] = i % p->weight                  ? WRONG
                   : p->both && i / p->weight % 2 ? -next
                                                  : next;
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

/* Failures among evaluations(); those begin again with the right message. */
static unsigned
failures(struct rig *r, const struct path *p, uint64_t *lwe, uint64_t *small)
{
    const unsigned delta = 63 - p->bits;
    int64_t entry[16], factor[SIDE], m[SIDE];
    const struct cmlrt_table t = { entry, 1, p->bits, 0, delta, delta, 0 };
    unsigned wrong = 0;

    fill(entry, p);
    for (int64_t i = 0; i < SIDE; i++) {
        m[i] = i % ((INT64_C(1) << p->bits) / p->weight);
        m[i] = p->both && i % 2 ? -m[i] : m[i];
        factor[i] = p->weight;
    }
    rig_encrypt(r, lwe, m, SIDE, delta, 0);
    for (unsigned n = 0; n < evaluations() / SIDE; n++) {
        cmlrt_lwe_mul_clear(&r->env, lwe, lwe, factor, 0, SIDE);
        cmlrt_lwe_keyswitch(&r->env, small, lwe, NULL, 0, SIDE);
        cmlrt_lwe_pbs(&r->env, lwe, small, &t, 0, SIDE);
        for (size_t i = 0; i < SIDE; i++) {
            uint64_t *out = lwe + i * r->env.big;

            m[i] = looked_up(p, entry, m[i]);
            if (rig_decrypt(r, out, delta) == m[i])
                continue;
            wrong++;
            out[r->env.big - 1] +=
                ((uint64_t)m[i] << delta)
                - ((uint64_t)rig_decrypt(r, out, delta) << delta);
        }
    }
    return wrong;
}

START_TEST(native_tables_fail_as_predicted)
{
    const struct path *p = &paths[_i];
    const struct search_event e = event_of(p);
    const struct search_problem problem = {
        .event = &e, .n = 1, .log2_pfail = p->log2_pfail, .level = 132
    };
    struct ir_params s;
    struct cmlrt_set set;
    double v, rate, half;
    uint64_t *lwe, *small;
    unsigned wrong;
    size_t tightest;
    struct rig r;

    ck_assert(search_params(&s, &problem, &tightest));
    v = search_variance(&s, &e);
    rate = exp2(model_log2_pfail(v, e.tau));
    half = exp2(model_log2_pfail(v / 2, e.tau));
    ck_assert(log2(rate) <= p->log2_pfail && log2(rate) > p->log2_pfail - 4);
    set = set_of(&s);
    rig_open(&r, &set, cmlrt_kernels_select(NULL), 900 + (uint64_t)_i);
    lwe = rig_alloc(SIDE * r.env.big * sizeof *lwe);
    small = rig_alloc(SIDE * r.env.small * sizeof *small);
    wrong = failures(&r, p, lwe, small);
    printf("%u bits, weight %d: %u of %u failed, %.1f were predicted\n",
           p->bits, (int)p->weight, wrong, evaluations(), rate * evaluations());
    ck_assert(expected(evaluations(), rate, wrong));
    if (evaluations() * rate > 20) /* a doubled variance would be seen */
        ck_assert(!expected(evaluations(), half, wrong));
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

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, the_interval_is_that_of_99_percent);
    tcase_add_loop_test(tc, native_tables_fail_as_predicted, 0, PATHS);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
