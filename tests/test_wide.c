/* Wide tables: exact, and as noisy as lang-spec/crypto.md 16 says.
 *
 * Real parameters where nothing is said; those of `toy` are insecure.
 * CML_LONG=200 evaluates so many tables of every width up to 12 bits, and 30 of
 * wider ones, at the parameters that the search returns; CML_RATIOS=1 prints
 * measured over predicted variances.
 */
#include "passes/search.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cmlrt_set insecure_toy = {
    1, 9, 32, 3, 12, 6, 4, 35, 3, false, { 5, 9, 4, 12, 4, 6, 16, 0, 0 }, { 0 }
};

/* 7 bits on a norm of 1, 8 bits, and 7 bits with the keys of 13 and 14, which
 * have two limbs; level 132 */
#ifdef CML_SANITIZED
enum { ROTATED = 0 };
#else
enum { ROTATED = 3 };
#endif
static const struct cmlrt_set real[] = {
    { 2,
      10,
      720,
      2,
      15,
      4,
      3,
      50,
      17,
      false,
      { 5, 8, 2, 18, 7, 3, 7, 0, 0 },
      { 0 } },
    { 2,
      10,
      720,
      3,
      12,
      4,
      3,
      50,
      17,
      false,
      { 7, 6, 3, 14, 3, 6, 8, 0, 0 },
      { 0 } },
    { 3,
      10,
      720,
      2,
      15,
      4,
      3,
      50,
      3,
      false,
      { 4, 12, 2, 23, 7, 4, 7, 34, 44 },
      { 0 } },
};

/* ---- ciphertexts */

static size_t
stride_of(const struct cmlrt_set *set)
{
    return cmlrt_ring_degree(set) + CMLRT_PAD;
}

static void
random_words(struct rig *r, uint64_t *to, size_t n)
{
    cmlrt_rng_bytes(&r->rng, to, n * sizeof *to);
}

/* phase <- B - sum A_c S_c, polynomials `stride` words apart */
static void
phase_of(uint64_t *phase, const struct rig *r, const uint64_t *glwe,
         size_t stride)
{
    const size_t n = cmlrt_ring_degree(&r->set), k = r->set.k;
    double *more =
        rig_alloc(cmlrt_ring_scratch(&r->secret->ring) * sizeof *more);

    memset(phase, 0, n * sizeof *phase);
    for (size_t c = 0; c < k; c++)
        cmlrt_ring_mul_add(phase, &r->secret->ring, glwe + c * stride,
                           r->secret->points + c * n, more);
    for (size_t i = 0; i < n; i++)
        phase[i] = glwe[k * stride + i] - phase[i];
    free(more);
}

static double
torus(uint64_t x)
{
    return (double)(int64_t)x * 0x1p-64;
}

/* mean square of got - want */
static double
error_of(const uint64_t *got, const uint64_t *want, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += torus(got[i] - want[i]) * torus(got[i] - want[i]);
    return sum / (double)n;
}

struct work {
    uint64_t *glwe, *turned, *phase, *want;
    void *scratch;
};

static struct work
open_work(const struct rig *r)
{
    const size_t n = cmlrt_ring_degree(&r->set) * sizeof(uint64_t);
    const size_t words = cmlrt_acc_words(&r->set) * sizeof(uint64_t);

    return (struct work){
        rig_alloc(words), rig_alloc(words), rig_alloc(n), rig_alloc(n),
        rig_alloc(cmlrt_bit_lut_bytes(&r->set, r->eval->ring.kernels))
    };
}

static void
close_work(struct work *w)
{
    free(w->glwe);
    free(w->turned);
    free(w->phase);
    free(w->want);
    free(w->scratch);
}

/* ---- noise */

enum { KEYS = 2, SMALL_KEYS = 12, EACH = 4, ROWS = 100 };

struct terms {
    struct model_ring r;
    double sigma2, br, tr, ss, body, mask, ext;
};

static struct terms
terms_of(const struct cmlrt_set *s)
{
    const struct cmlrt_wide *w = &s->wide;
    struct terms t = { { s->k, s->log2_n, false },
                       model_v_tuniform(s->t_glwe, 64),
                       0,
                       0,
                       0,
                       0,
                       0,
                       0 };

    t.br = s->n
           * model_v_cmux(
               t.r, (struct model_gadget){ s->br_levels, s->br_log2_base },
               t.sigma2);
    t.tr = model_v_auto(t.r,
                        (struct model_gadget){ w->tr_levels, w->tr_log2_base },
                        w->tr_low_bits, t.sigma2);
    t.ss = model_v_switch(
        t.r, (struct model_gadget){ w->ss_levels, w->ss_log2_base },
        w->ss_low_bits, t.sigma2);
    t.body = model_v_body(t.r, t.br, t.tr);
    t.mask = model_v_mask(t.r, t.br, t.tr, t.ss);
    t.ext =
        model_v_ext(t.r, (struct model_gadget){ w->cb_levels, w->cb_log2_base },
                    t.mask, t.body);
    return t;
}

static void
within(const char *what, double ratio, double lo, double hi)
{
    if (getenv("CML_RATIOS"))
        printf("%s: measured / formula = %.3f\n", what, ratio);
    ck_assert_msg(ratio >= lo && ratio <= hi, "%s: measured / formula = %.3f",
                  what, ratio);
}

/* The same, and twice the formula would be seen. */
static void
agrees(const char *what, double ratio, double lo, double hi)
{
    within(what, ratio, lo, hi);
    ck_assert_msg(2 * ratio > hi, "%s: %.3f tells nothing", what, ratio);
}

/* Traces and switches do not depend on n. */
static struct cmlrt_set
without_rotations(const struct cmlrt_set *set)
{
    struct cmlrt_set insecure = *set;

    insecure.n = 1;
    return insecure;
}

/* Of random ciphertexts nothing but coefficient 0 stays, (25). */
START_TEST(trace_adds_what_it_should)
{
    const struct cmlrt_set insecure = without_rotations(&real[_i]);
    const struct cmlrt_set *set = &insecure;
    const size_t n = cmlrt_ring_degree(set);
    double all = 0, constant = 0;

    for (uint64_t key = 0; key < SMALL_KEYS; key++) {
        struct rig r;
        struct work w;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 100 + key);
        w = open_work(&r);
        for (int i = 0; i < EACH; i++) {
            random_words(&r, w.glwe, cmlrt_acc_words(set));
            phase_of(w.phase, &r, w.glwe, stride_of(set));
            memset(w.want, 0, n * sizeof *w.want);
            w.want[0] = w.phase[0] << set->log2_n;
            cmlrt_trace(w.glwe, r.eval, w.turned, w.scratch);
            phase_of(w.phase, &r, w.glwe, stride_of(set));
            all += error_of(w.phase, w.want, n) / (double)(SMALL_KEYS * EACH);
            constant +=
                error_of(w.phase, w.want, 1) / (double)(SMALL_KEYS * EACH);
        }
        close_work(&w);
        rig_close(&r);
    }
    const double v = terms_of(set).tr, dn = (double)n;

    agrees("trace, mean", all / ((dn - 1) * v), 0.7, 1.4);
    within("trace, constant", constant / ((dn * dn - 1) / 3 * v), 0.5, 1.7);
}
END_TEST

/* The phase is -S_c times that of a random ciphertext, (26). */
START_TEST(switch_adds_what_it_should)
{
    const struct cmlrt_set insecure = without_rotations(&real[_i]);
    const struct cmlrt_set *set = &insecure;
    const size_t n = cmlrt_ring_degree(set);
    double all = 0;

    for (uint64_t key = 0; key < SMALL_KEYS; key++) {
        struct rig r;
        struct work w;
        double *more;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 200 + key);
        w = open_work(&r);
        more = rig_alloc(cmlrt_ring_scratch(&r.secret->ring) * sizeof *more);
        for (unsigned i = 0; i < EACH; i++) {
            const unsigned c = i % set->k;

            random_words(&r, w.glwe, cmlrt_acc_words(set));
            phase_of(w.phase, &r, w.glwe, stride_of(set));
            memset(w.want, 0, n * sizeof *w.want);
            cmlrt_ring_mul_add(w.want, &r.secret->ring, w.phase,
                               r.secret->points + c * n, more);
            for (size_t j = 0; j < n; j++)
                w.want[j] = 0 - w.want[j];
            cmlrt_scheme_switch(w.turned, w.glwe, r.eval, c, w.scratch);
            phase_of(w.phase, &r, w.turned, stride_of(set));
            all += error_of(w.phase, w.want, n) / (double)(SMALL_KEYS * EACH);
        }
        free(more);
        close_work(&w);
        rig_close(&r);
    }
    agrees("switch", all / terms_of(set).ss, 0.7, 1.4);
}
END_TEST

/* A rotation by a random ciphertext of the polynomial that has -q/(2 B^(f+1))
 * at every place f modulo 2^theta; the bit that its sign is, as the key tells.
 */
static uint64_t
rotate_bit(struct rig *r, uint64_t *plain, void *acc, void *scratch)
{
    const struct cmlrt_set *set = &r->set;
    const size_t n = cmlrt_ring_degree(set), stride = stride_of(set);
    const unsigned theta = model_log2_outputs(set->wide.cb_levels);
    uint64_t *lwe = rig_alloc((set->n + 1) * sizeof *lwe);
    uint64_t *test = rig_alloc(n * sizeof *test), at;
    uint32_t *counts = rig_alloc((set->n + 1) * sizeof *counts);
    const struct cmlrt_rotations one = { { acc }, { counts }, 1, false, NULL };

    for (size_t j = 0; j < n; j++) {
        const size_t f = j & ((1u << theta) - 1);

        if (f < set->wide.cb_levels)
            test[j] = 0
                      - (UINT64_C(1)
                         << (63 - set->wide.cb_log2_base * (unsigned)(f + 1)));
    }
    random_words(r, lwe, set->n + 1);
    cmlrt_mod_switch(counts, lwe, set->n, set->log2_n + 1 - theta);
    for (size_t i = 0; i <= set->n; i++)
        counts[i] <<= theta;
    at = counts[set->n];
    for (size_t i = 0; i < set->n; i++)
        at -= counts[i] * r->secret->small[i];
    cmlrt_acc_start(acc, set, test, counts[set->n], false);
    cmlrt_blind_rotate(&one, r->eval, scratch);
    for (size_t c = 0; c <= set->k; c++)
        memcpy(plain + c * n, (uint64_t *)acc + c * stride, n * sizeof *plain);
    free(lwe);
    free(test);
    free(counts);
    return at / n & 1;
}

/* Rows of the GGSW of a bit: (27), and (28), of whose 1.5 a part is margin.
 * Most is the error of one coefficient, so a bit is a sample. */
START_TEST(rows_are_as_noisy_as_they_should)
{
    const struct cmlrt_set *set = &real[_i];
    const unsigned levels = set->wide.cb_levels;
    const size_t n = cmlrt_ring_degree(set);
    double body = 0, mask = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        struct rig r;
        struct work w;
        uint64_t *plain, *out;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 700 + key);
        w = open_work(&r);
        plain = rig_alloc((set->k + 1) * n * sizeof *plain);
        out = rig_alloc(cmlrt_acc_words(set) * sizeof *out);
        for (unsigned i = 0; i < ROWS; i++) {
            const uint64_t bit = rotate_bit(&r, plain, w.glwe, w.scratch);
            const unsigned f = i % levels, c = i % set->k;
            const uint64_t one = bit << (64 - set->wide.cb_log2_base * (f + 1));

            cmlrt_body_row(w.glwe, plain, r.eval, f, w.turned, w.scratch);
            phase_of(w.phase, &r, w.glwe, stride_of(set));
            memset(w.want, 0, n * sizeof *w.want);
            w.want[0] = one;
            body += error_of(w.phase, w.want, n) / (double)(KEYS * ROWS);
            cmlrt_scheme_switch(out, w.glwe, r.eval, c, w.scratch);
            phase_of(w.phase, &r, out, stride_of(set));
            for (size_t j = 0; j < n; j++)
                w.want[j] = 0 - one * r.secret->big[c * n + j];
            mask += error_of(w.phase, w.want, n) / (double)(KEYS * ROWS);
        }
        free(plain);
        free(out);
        close_work(&w);
        rig_close(&r);
    }
    agrees("body rows", body / terms_of(set).body, 0.7, 1.4);
    agrees("mask rows", mask / terms_of(set).mask, 0.65, 1.3);
}
END_TEST

/* ---- whole tables */

static void
fill(int64_t *entries, struct rig *r, size_t n, unsigned bits)
{
    for (size_t i = 0; i < n; i++)
        entries[i] = (int64_t)(cmlrt_rng_u64(&r->rng) >> (64 - bits));
}

struct outcome {
    double v; /* mean square of the error, of the whole polynomial's constant */
    int wrong;
};

/* Entries are as wide as the table, but for the least noise of one transform a
 * product. */
#ifdef CML_SANITIZED
enum { WIDEST = 4 };
#else
enum { WIDEST = 16 }; /* of what the search returns */
#endif
enum { MOST_OUT = 8 };

/* count messages through a table of `bits` bits */
static struct outcome
evaluate(struct rig *r, unsigned bits, int64_t offset, const int64_t *message,
         size_t count, unsigned most_out)
{
    const unsigned in = 64 - bits;
    const unsigned own = bits < most_out ? bits : most_out, out = 64 - own;
    const size_t size = (size_t)1 << bits;
    int64_t *entries = rig_alloc(2 * size * sizeof *entries);
    const struct cmlrt_table t = { entries, 2, bits, offset, in, out, 0 };
    uint64_t *lwe = rig_alloc(count * r->env.big * sizeof *lwe);
    uint64_t *to = rig_alloc(count * r->env.big * sizeof *to);
    struct outcome o = { 0, 0 };

    fill(entries, r, 2 * size, own);
    rig_encrypt(r, lwe, message, count, in, cmlrt_rng_u64(&r->rng) >> 32);
    cmlrt_lwe_bit_lut(&r->env, to, lwe, &t, 0, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        const uint64_t m = (uint64_t)(message[i] + offset) & (size - 1);
        const uint64_t want = (uint64_t)entries[i % 2 * size + m] << out;
        const uint64_t *c = to + i * r->env.big;
        const uint64_t phase = r->secret ? cmlrt_phase(r->secret, c) : *c;
        const double e = torus(phase - want);

        o.v += e * e / (double)count;
        o.wrong += fabs(e) >= ldexp(1, (int)out - 65);
    }
    free(entries);
    free(lwe);
    free(to);
    return o;
}

/* What a circuit of one table asks for, up to an answer of as many bits. */
static struct cmlrt_set
searched(unsigned bits)
{
    struct search_event e[WIDEST + 1];
    struct search_problem p = { .event = e, .log2_pfail = -128, .level = 132 };
    struct ir_params s;
    size_t tightest;

    for (unsigned i = 0; i < bits; i++)
        e[p.n++] =
            (struct search_event){ .c_in = exp2(2.0 * (bits - 1 - i)),
                                   .c_br = exp2(2.0 * (bits - 1 - i)) * i,
                                   .table = true,
                                   .wide = true,
                                   .width = i ? 0 : bits,
                                   .tau = 0.25,
                                   .count = 1 };
    e[p.n++] = (struct search_event){
        .c_ext = bits, .c_zero = 1, .tau = exp2(-1.0 - bits), .count = 1
    };
    ck_assert(search_wide(&s, &p, &tightest));
    ck_assert(s.log2_pfail <= -128);
    return (struct cmlrt_set){
        s.k,
        s.log2_n,
        s.n,
        s.br_levels,
        s.br_log2_base,
        s.ks_levels,
        s.ks_log2_base,
        s.t_lwe,
        s.t_glwe,
        false,
        { s.tr_levels, s.tr_log2_base, s.ss_levels, s.ss_log2_base, s.cb_levels,
          s.cb_log2_base, bits, s.tr_low_bits, s.ss_low_bits },
        { 0 },
    };
}

START_TEST(searched_tables)
{
    const char *asked = getenv("CML_LONG");
    const unsigned bits = (unsigned)_i;
    const size_t most = asked ? (size_t)atoi(asked) : 2;
    const size_t count = bits > 12 && most > 30 ? 30 : most;
    const struct cmlrt_set set = searched(bits);
    int64_t *m;
    struct rig r;

    if (!asked && bits % 4 > 0)
        return;
    m = rig_alloc(count * sizeof *m);
    rig_open(&r, &set, cmlrt_kernels_select(NULL), 500 + bits);
    fill(m, &r, count, bits);
    m[0] = (INT64_C(1) << bits) - 1;
    ck_assert_int_eq(evaluate(&r, bits, 0, m, count, bits).wrong, 0);
    rig_close(&r);
    free(m);
}
END_TEST

enum { COUNT = 10, TOY_COUNT = 4, FEW = 6 };

START_TEST(toy_tables_of_every_width)
{
    const unsigned bits = (unsigned)_i;
    const struct kernels *k;
    int64_t m[TOY_COUNT];
    struct rig r;

    for (size_t table = 0; (k = cmlrt_kernels_usable(table)); table++) {
        rig_open(&r, &insecure_toy, k, 300 + (uint64_t)_i);
        fill(m, &r, TOY_COUNT, bits);
        m[0] = 0;
        m[1] = (INT64_C(1) << bits) - 1;
        ck_assert_int_eq(evaluate(&r, bits, 0, m, TOY_COUNT, MOST_OUT).wrong,
                         0);
        for (size_t i = 0; i < TOY_COUNT; i++)
            m[i] -= INT64_C(1) << bits >> 1;
        ck_assert_int_eq(
            evaluate(&r, bits, INT64_C(1) << bits >> 1, m, TOY_COUNT, MOST_OUT)
                .wrong,
            0);
        rig_close(&r);
    }
}
END_TEST

START_TEST(clear_tables)
{
    int64_t m[TOY_COUNT];
    struct rig r;

    rig_one_word(&r, &insecure_toy, true);
    for (unsigned bits = 1; bits <= 16; bits++) {
        fill(m, &r, TOY_COUNT, bits);
        ck_assert_int_eq(evaluate(&r, bits, 3, m, TOY_COUNT, MOST_OUT).wrong,
                         0);
    }
    rig_close(&r);
}
END_TEST

/* (51) with inputs of ones, where every CMUX takes its second input. */
START_TEST(real_tables)
{
    const struct cmlrt_set *set = &real[_i];
    const unsigned bits = set->wide.bits;
    double v = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        int64_t m[COUNT];
        struct outcome o;
        struct rig r;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 400 + key);
        for (size_t i = 0; i < COUNT; i++)
            m[i] = (INT64_C(1) << bits) - 1;
        o = evaluate(&r, bits, 0, m, COUNT, MOST_OUT);
        v += o.v / (double)KEYS;
        ck_assert_int_eq(o.wrong, 0);
        fill(m, &r, COUNT, bits);
        ck_assert_int_eq(evaluate(&r, bits, 0, m, COUNT, MOST_OUT).wrong, 0);
        rig_close(&r);
    }
    agrees("output", v / (bits * terms_of(set).ext), 0.6, 1.6);
}
END_TEST

/* ---- digits of mean -1/2, as a fault */

static void
biased_digits(double *digit, const uint64_t *x, size_t n,
              const struct cmlrt_shape *s)
{
    const uint64_t base = UINT64_C(1) << s->log2_base, half = base / 2;
    const unsigned cut = 64 - s->levels * s->log2_base;

    for (size_t i = 0; i < n; i++) {
        uint64_t v = (x[i] + (UINT64_C(1) << cut >> 1)) >> cut;

        for (unsigned l = s->levels; l-- > 0;) {
            const uint64_t d = v & (base - 1), up = d >= half;

            digit[l * n + i] = (double)d - (double)(up * base);
            v = (v >> s->log2_base) + up;
        }
    }
}

static const struct kernels *plain; /* whose transforms are used */

/*     acc <- acc + key [x] in,  by plain kernels' layout of keys */
static void
biased_product(uint64_t *acc, const uint64_t *in, const struct cmlrt_shape *s,
               const double *key, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    const size_t rows = cmlrt_shape_rows(s);
    double *digits = rig_alloc(2 * rows * n * sizeof *digits);
    double *points = digits + rows * n;
    double *sum = rig_alloc(2 * n * sizeof *sum);

    (void)scratch;
    for (unsigned c = 0; c < s->inputs; c++)
        biased_digits(digits + c * s->levels * n, in + c * stride, n, s);
    for (size_t i = 0; i < rows; i++)
        plain->fft_fwd(points + i * n, digits + i * n, s->plan);
    for (unsigned c = 0; c <= s->k; c++) {
        memset(sum, 0, n * sizeof *sum);
        for (size_t i = 0; i < rows; i++)
            plain->points_mul_add(sum, points + i * n, key + (c * rows + i) * n,
                                  n);
        plain->fft_inv(sum + n, sum, s->plan);
        plain->add_torus(acc + c * stride, sum + n, n);
    }
    free(digits);
    free(sum);
}

static void
biased_cmux(uint64_t *acc, const struct cmlrt_shape *s, uint32_t a,
            const double *ggsw, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    uint64_t *in = rig_alloc((s->k + 1) * stride * sizeof *in);

    for (size_t c = 0; c <= s->k; c++) {
        cmlrt_rotate(in + c * stride, acc + c * stride, n, a);
        for (size_t i = 0; i < n; i++)
            in[c * stride + i] -= acc[c * stride + i];
    }
    biased_product(acc, in, s, ggsw, scratch);
    free(in);
}

/* It multiplies the noise of products by computed GGSWs, (29). */
START_TEST(biased_digits_are_caught)
{
    const struct cmlrt_set *set = &real[0];
    const unsigned bits = set->wide.bits;
    struct kernels biased;
    double v[2];

    plain = cmlrt_kernels_select("ref");
    biased = *plain;
    biased.cmux64 = biased_cmux;
    biased.product64 = biased_product;
    for (int fault = 0; fault < 2; fault++) {
        int64_t m[FEW];
        struct rig r;

        rig_open(&r, set, fault ? &biased : plain, 601);
        for (size_t i = 0; i < FEW; i++)
            m[i] = (INT64_C(1) << bits) - 1;
        v[fault] = evaluate(&r, bits, 0, m, FEW, MOST_OUT).v
                   / (bits * terms_of(set).ext);
        rig_close(&r);
    }
    within("as it should be", v[0], 0.1, 1.9);
    within("biased", v[1], 2.5, 1000);
}
END_TEST

int
main(void)
{
    enum { REAL = sizeof real / sizeof *real };
    TCase *tc = tcase_create("wide");
    Suite *s = suite_create("wide tables");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 600);
    tcase_add_loop_test(tc, trace_adds_what_it_should, 0, REAL);
    tcase_add_loop_test(tc, switch_adds_what_it_should, 0, REAL);
    tcase_add_loop_test(tc, rows_are_as_noisy_as_they_should, 0, ROTATED);
    tcase_add_loop_test(tc, toy_tables_of_every_width, 1, 17);
    tcase_add_test(tc, clear_tables);
    tcase_add_loop_test(tc, real_tables, 0, REAL);
    tcase_add_test(tc, biased_digits_are_caught);
    tcase_add_loop_test(tc, searched_tables, 1, WIDEST + 1);
    suite_add_tcase(s, tc);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
