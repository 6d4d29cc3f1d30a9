/* Measured noise against the formulas of lang-spec/crypto.md, at toy parameters
 * (named insecure) where the modelled terms weigh what they should.
 *
 * A sample is one coefficient of one ciphertext; several keys share a test.  A
 * variance agrees if it lies in the 99.9 % interval of the chi-square law, and
 * every test also asks that twice and half of the formula do not agree.
 */
#include "tests/chi.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, EACH = 150, SAMPLES = KEYS * EACH };

static const double u = 0x1p-128; /* q^-2 */

/* (2) */
static double
v_tuniform(int t)
{
    return (ldexp(2, 2 * t) + 1) / 6 * u;
}

/* (10), (11) */
static double
d2(unsigned log2_base)
{
    return (ldexp(1, 2 * (int)log2_base) + 2) / 12;
}

static double
rest(unsigned levels, unsigned log2_base)
{
    return ldexp(1, -2 * (int)(levels * log2_base)) - u;
}

/* ---- the verdict */

static double
mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* The verdict itself, on normal samples of a known and of a doubled variance.
 */
START_TEST(a_doubled_variance_is_caught)
{
    const uint8_t seed[CMLRT_SEED] = { 17 };
    double x[SAMPLES];
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_SIMULATE, 0);
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] = torus(cmlrt_normal(&g, 0x1p-20));
    CHECK_VARIANCE(x, SAMPLES, 0x1p-40);
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] = torus(cmlrt_normal(&g, 0x1p-20 * sqrt(2)));
    ck_assert(!agrees(x, SAMPLES, 0x1p-40));
}
END_TEST

/* ---- fresh encryption and the re-randomising zero */

/* clang-format off */
static const struct cmlrt_set insecure_fresh[] = {
    { 1, 9, 0, 0, 0, 0, 0, 0, 40, true, { 0 }, { 0 } },
    { 2, 8, 0, 0, 0, 0, 0, 0, 25, true, { 0 }, { 0 } },
    { 3, 8, 0, 0, 0, 0, 0, 0, 33, false, { 0 }, { 0 } },
};
/* clang-format on */
enum { FRESH = sizeof insecure_fresh / sizeof *insecure_fresh };

static double
mean_square_key(const struct cmlrt_set *set)
{
    return set->ternary ? 2.0 / 3 : 0.5;
}

/* Coefficient at of the i-th encryption of zero. */
static uint64_t
fresh_phase(struct rig *r, uint64_t *lwe, uint64_t i)
{
    static const int64_t zeros[256];

    rig_encrypt(r, lwe, zeros, 256, 50, i);
    return cmlrt_phase(r->secret, lwe + i % 256 * r->env.big);
}

START_TEST(fresh_noise)
{
    const struct cmlrt_set *set = &insecure_fresh[_i];
    uint64_t *lwe;
    double x[400];
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 1);
    lwe = rig_alloc(256 * r.env.big * sizeof *lwe);
    for (uint64_t i = 0; i < 400; i++)
        x[i] = torus(fresh_phase(&r, lwe, i));
    CHECK_VARIANCE(x, 400, v_tuniform(set->t_glwe));
    free(lwe);
    rig_close(&r);
}
END_TEST

/* sum_i u_i e_i + e - sum_c e_c S_c:  kN 2/3 + 1 + kN E[s^2]  times (2) */
START_TEST(answer_noise)
{
    const struct cmlrt_set *set = &insecure_fresh[_i];
    const double d = (double)cmlrt_big(set);
    const double v =
        v_tuniform(set->t_glwe) * (d * 2 / 3 + 1 + d * mean_square_key(set));
    const struct cmlrt_reply reply = { -1, 64, 0, 0 };
    double x[SAMPLES];

    for (size_t key = 0; key < KEYS; key++) {
        struct rig r;
        uint64_t *lwe;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 100 + key);
        lwe = rig_alloc(r.env.big * sizeof *lwe);
        for (size_t i = 0; i < EACH; i++) {
            memset(lwe, 0, r.env.big * sizeof *lwe);
            cmlrt_lwe_answer(&r.env, lwe, lwe, &reply, 0, 1);
            x[key * EACH + i] = torus(cmlrt_phase(r.secret, lwe));
        }
        free(lwe);
        rig_close(&r);
    }
    CHECK_VARIANCE(x, SAMPLES, v);
}
END_TEST

/* What words of 32 bits lose, (72): the same answer with 64. */
START_TEST(cut_noise)
{
    const struct cmlrt_set *set = &insecure_fresh[_i];
    const double d = (double)cmlrt_big(set);
    const double v = (1 + d * mean_square_key(set)) * 0x1p-64 / 12;
    const struct cmlrt_reply whole = { -1, 64, 0, 0 }, cut = { -1, 32, 0, 0 };
    double x[SAMPLES];

    for (size_t key = 0; key < KEYS; key++) {
        struct rig r;
        uint64_t *lwe;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 150 + key);
        lwe = rig_alloc(2 * r.env.big * sizeof *lwe);
        for (size_t i = 0; i < EACH; i++) {
            uint64_t *other = lwe + r.env.big;

            memset(lwe, 0, 2 * r.env.big * sizeof *lwe);
            cmlrt_rng_init(&r.rng, r.seed, CMLRT_ANSWER, i);
            cmlrt_lwe_answer(&r.env, lwe, lwe, &whole, 0, 1);
            cmlrt_rng_init(&r.rng, r.seed, CMLRT_ANSWER, i);
            cmlrt_lwe_answer(&r.env, other, other, &cut, 0, 1);
            x[key * EACH + i] = torus(cmlrt_phase(r.secret, other)
                                      - cmlrt_phase(r.secret, lwe));
        }
        free(lwe);
        rig_close(&r);
    }
    CHECK_VARIANCE(x, SAMPLES, v);
}
END_TEST

/* ---- keyswitch */

/* the key's noise alone, the rounding alone, both */
/* clang-format off */
static const struct cmlrt_set insecure_switch[] = {
    { 1, 9, 40, 1, 20, 5, 5, 50, 17, false, { 0 }, { 0 } },
    { 1, 9, 40, 1, 20, 4, 3, 34, 17, false, { 0 }, { 0 } },
    { 2, 8, 40, 1, 20, 5, 4, 40, 17, false, { 0 }, { 0 } },
    { 1, 8, 40, 1, 20, 9, 3, 33, 17, true, { 0 }, { 0 } },
};
/* clang-format on */
enum { SWITCHES = sizeof insecure_switch / sizeof *insecure_switch };

static uint64_t
small_phase(const struct cmlrt_secret *s, const uint64_t *lwe)
{
    uint64_t phase = lwe[s->set.n];

    for (size_t i = 0; i < s->set.n; i++)
        phase -= lwe[i] * s->small[i];
    return phase;
}

/* (14) with E[s^2]/12 for the 1/24 of a binary key, and (15) */
static double
v_keyswitch(const struct cmlrt_set *s)
{
    const double h2 = mean_square_key(s);
    const double body = 0x1p-64 / 12; /* of the key's, rounded to 32 bits */
    const double key = v_tuniform(s->t_lwe) + body;

    return (double)cmlrt_big(s)
               * (s->ks_levels * key * d2(s->ks_log2_base)
                  + rest(s->ks_levels, s->ks_log2_base) * h2 / 12 + u / 16)
           + 0x1p-64 / 12;
}

START_TEST(keyswitch_noise)
{
    const struct cmlrt_set *set = &insecure_switch[_i];
    double x[SAMPLES];

    for (size_t key = 0; key < KEYS; key++) {
        struct rig r;
        uint64_t *in, *out;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 200 + key);
        in = rig_alloc(r.env.big * sizeof *in);
        out = rig_alloc(r.env.small * sizeof *out);
        for (size_t i = 0; i < EACH; i++) {
            cmlrt_rng_bytes(&r.rng, in, r.env.big * sizeof *in);
            cmlrt_lwe_keyswitch(&r.env, out, in, NULL, 0, 1);
            x[key * EACH + i] =
                torus(small_phase(r.secret, out) - cmlrt_phase(r.secret, in));
        }
        free(in);
        free(out);
        rig_close(&r);
    }
    CHECK_VARIANCE(x, SAMPLES, v_keyswitch(set));
}
END_TEST

/* Column j of row i of the keyswitch key, which lies in panels. */
static uint32_t
key_word(const struct rig *r, size_t i, size_t j)
{
    const size_t rows = r->eval->ks.inputs * r->eval->ks.levels;

    return r->eval
        ->ksk[(j / CMLRT_PANEL * rows + i) * CMLRT_PANEL + j % CMLRT_PANEL];
}

/* Bodies are rounded to 32 bits, not cut: noise far below half a unit leaves
 * none. */
START_TEST(keyswitch_bodies_are_rounded)
{
    const struct cmlrt_set insecure_exact = { 1, 8,  40, 1,     20,    3,
                                              4, 20, 17, false, { 0 }, { 0 } };
    const struct cmlrt_set *s = &insecure_exact;
    size_t wrong = 0;
    struct rig r;

    rig_open(&r, s, cmlrt_kernels_select(NULL), 250);
    for (size_t i = 0; i < cmlrt_big(s) * s->ks_levels; i++) {
        const size_t level = i % s->ks_levels + 1;
        uint32_t phase = key_word(&r, i, s->n);

        for (size_t j = 0; j < s->n; j++)
            phase -= key_word(&r, i, j) * (uint32_t)r.secret->small[j];
        wrong += phase
                 != (uint32_t)r.secret->big[i / s->ks_levels]
                        << (32 - s->ks_log2_base * level);
    }
    ck_assert_uint_eq(wrong, 0);
    rig_close(&r);
}
END_TEST

/* ---- modulus switch */

/* (17) for a key of n bits, and 1/(12 M^2) of the floor, whose mean is known */
START_TEST(modulus_switch_noise)
{
    enum { N = 800, DRAWS = 4000 };
    const unsigned log2_m = (unsigned[]){ 9, 12, 17 }[_i];
    const double m = ldexp(1, (int)log2_m), n = N;
    const double v = n / (48 * m * m) + n * u / 24 + 1 / (12 * m * m);
    const uint8_t seed[CMLRT_SEED] = { 5 };
    uint64_t key[N], lwe[N + 1];
    uint32_t count[N + 1];
    double *x = rig_alloc(DRAWS * sizeof *x);
    struct cmlrt_rng g;
    bool in_range = true;

    cmlrt_rng_init(&g, seed, CMLRT_MASK, (uint64_t)_i);
    for (size_t i = 0; i < DRAWS; i++) {
        uint64_t phase, after;

        cmlrt_binary(key, N, &g);
        cmlrt_rng_bytes(&g, lwe, sizeof lwe);
        cmlrt_mod_switch(count, lwe, N, log2_m);
        phase = lwe[N];
        after = (uint64_t)count[N] << (64 - log2_m);
        for (size_t j = 0; j < N; j++) {
            in_range &= count[j] < 1u << log2_m;
            phase -= lwe[j] * key[j];
            after -= ((uint64_t)count[j] << (64 - log2_m)) * key[j];
        }
        x[i] = torus(after - phase) + 0.5 / m;
    }
    ck_assert(in_range);
    CHECK_VARIANCE(x, DRAWS, v);
    /* a body that is rounded moves all by half an index */
    ck_assert(fabs(mean(x, DRAWS)) < 4 * sqrt(v / (double)DRAWS));
    free(x);
}
END_TEST

/* All errors alike and at their ends, where their sum passes the torus. */
START_TEST(modulus_switch_keeps_its_sum)
{
    enum { N = 1000, LOG2_M = 9, SHIFT = 64 - LOG2_M };
    const uint64_t half = UINT64_C(1) << (SHIFT - 1), body = half;
    const uint64_t word[] = { half,     half - 1, half + 1,   3 * half - 1, 1,
                              0 - half, ~half,    UINT64_MAX, half / 2 + 1 };
    uint64_t lwe[N + 1];
    uint32_t count[N + 1];

    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        const uint64_t x = word[i], r = (x + half) >> SHIFT;
        const uint64_t sum_by_2 = N / 2 * ((r << SHIFT) - x);

        for (size_t j = 0; j < N; j++)
            lwe[j] = x;
        lwe[N] = body;
        cmlrt_mod_switch(count, lwe, N, LOG2_M);
        ck_assert_uint_eq(count[N], (body + sum_by_2) >> SHIFT);
        ck_assert_uint_eq(count[0], r);
        ck_assert_uint_eq(count[N - 1], r);
    }
}
END_TEST

/* ---- bootstrap */

/* the key's noise alone, the rounding alone, k > 1, all, ties (22) */
/* clang-format off */
static const struct cmlrt_set insecure_rotate[] = {
    { 1, 9, 100, 2, 15, 1, 1, 0, 40, false, { 0 }, { 0 } },
    { 1, 9, 100, 1, 10, 1, 1, 0, 17, false, { 0 }, { 0 } },
    { 3, 8, 100, 3,  7, 1, 1, 0, 38, false, { 0 }, { 0 } },
    { 2, 8, 100, 2,  9, 1, 1, 0, 43, false, { 0 }, { 0 } },
    { 1, 9, 100, 2, 15, 1, 1, 0, 10, false, { 0 }, { 0 } },
};
/* clang-format on */
enum { ROTATES = sizeof insecure_rotate / sizeof *insecure_rotate };

/* (19) */
static double
v_fft(const struct cmlrt_set *s, double c)
{
    const double n = (double)cmlrt_ring_degree(s);
    const double rows = (double)cmlrt_ggsw_rows(s);

    return c * 0x1p-106 * s->log2_n * rows * n
           * ldexp(1, 2 * (int)s->br_log2_base) / 144
           * (1 + (double)cmlrt_big(s) / 2);
}

/* (18) with E[m^2] = 1/2, times n: (21); (20) and (22), whose alternating sum
 * over a binary key has the variance kN/4, with words of 32 bits */
static double
v_rotate(const struct cmlrt_set *s, double c)
{
    const double d = (double)cmlrt_big(s), n = (double)cmlrt_ring_degree(s);
    const double key = (double)cmlrt_ggsw_rows(s) * n * v_tuniform(s->t_glwe)
                       * d2(s->br_log2_base);
    const double round =
        (1 + d / 2) * rest(s->br_levels, s->br_log2_base) / 12 + d * u / 16;

    const double narrow = s->br_levels * s->br_log2_base > CML_NARROW_BITS
                              ? 0
                              : (1 + d / 2) * (0x1p-64 / 12 - 0x1p-64 / 24)
                                    + (1 + d / 4) * 0x1p-67;

    return s->n * (key + round / 2 + narrow + v_fft(s, c));
}

/* Error of coefficient 0 after a rotation of a random polynomial by a random
 * ciphertext, whose phase the key tells; out has room for an LWE. */
static double
rotate_once(struct rig *r, uint64_t *out, uint64_t *acc, uint64_t *test,
            void *scratch)
{
    const size_t n = cmlrt_ring_degree(&r->set);
    uint32_t count[128];
    const struct cmlrt_rotations one = {
        { acc }, { count }, 1, cmlrt_narrow(&r->set), NULL
    };
    uint64_t lwe[128], index, want;

    cmlrt_rng_bytes(&r->rng, lwe, sizeof lwe);
    cmlrt_rng_bytes(&r->rng, test, n * sizeof *test);
    cmlrt_mod_switch(count, lwe, r->set.n, r->set.log2_n + 1);
    cmlrt_acc_start(acc, &r->set, test, count[r->set.n], one.narrow);
    cmlrt_blind_rotate(&one, r->eval, scratch);
    index = count[r->set.n];
    for (size_t i = 0; i < r->set.n; i++)
        index -= count[i] * r->secret->small[i];
    index &= 2 * n - 1;
    want = index < n ? test[index] : 0 - test[index - n];
    cmlrt_acc_extract(out, acc, &r->set, one.narrow, 0);
    return torus(cmlrt_phase(r->secret, out) - want);
}

static void
measure_rotations(double *x, size_t each, const struct cmlrt_set *set,
                  const struct kernels *k, uint64_t seed)
{
    for (size_t key = 0; key < KEYS; key++) {
        struct rig r;
        uint64_t *acc, *test, *out;
        void *scratch;

        rig_open(&r, set, k, seed + key);
        acc = rig_alloc(cmlrt_acc_words(set) * 8);
        test = rig_alloc(cmlrt_ring_degree(set) * 8);
        out = rig_alloc(r.env.big * sizeof *out);
        scratch = rig_alloc(k->cmux_bytes(&r.eval->shape));
        for (size_t i = 0; i < each; i++)
            x[key * each + i] = rotate_once(&r, out, acc, test, scratch);
        free(out);
        free(acc);
        free(test);
        free(scratch);
        rig_close(&r);
    }
}

START_TEST(bootstrap_noise)
{
    const struct cmlrt_set *set = &insecure_rotate[_i];
    double x[SAMPLES];

    measure_rotations(x, EACH, set, cmlrt_kernels_select(NULL), 300);
    CHECK_VARIANCE(x, SAMPLES, v_rotate(set, 1.2));
}
END_TEST

/* ---- several tables of one rotation */

/* Errors of two outputs at constant tables, q/4 or, as the random ciphertext
 * decides, -q/4. */
static void
share_once(struct rig *r, double error[2])
{
    static const int64_t ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1,
                                      1, 1, 1, 1, 1, 1, 1, 1 };
    const struct cmlrt_table t = { ones, 1, 3, 0, 60, 62, 0 };
    const struct cmlrt_tables l = { &t, 2, 1, 0, 1 };
    uint64_t *out = rig_alloc(2 * r->env.big * sizeof *out);
    uint64_t in[128];

    cmlrt_rng_bytes(&r->rng, in, sizeof in);
    cmlrt_lwe_pbs_many(&r->env, out, in, &l, 0, 1);
    for (int o = 0; o < 2; o++) {
        const uint64_t phase =
            cmlrt_phase(r->secret, out + (size_t)o * r->env.big);
        const uint64_t sign = phase >> 63 ? ~UINT64_C(0) : 1;

        error[o] = torus(phase - sign * (UINT64_C(1) << 62));
    }
    free(out);
}

/* Each has (21); their sum more than two independent ones could have, since the
 * key has mean 1/2 (41), and less than the four that the compiler counts.  The
 * noise of the first set would reach from q/4 to -q/4. */
START_TEST(shared_bootstrap_noise)
{
    const struct cmlrt_set *set = &insecure_rotate[_i];
    static double x[2][SAMPLES], sum[SAMPLES];
    const double v = v_rotate(set, 1.2);

    for (size_t key = 0; key < KEYS; key++) {
        struct rig r;

        rig_open(&r, set, cmlrt_kernels_select(NULL), 600 + key);
        for (size_t i = key * EACH; i < (key + 1) * EACH; i++) {
            double e[2];

            share_once(&r, e);
            x[0][i] = e[0];
            x[1][i] = e[1];
            sum[i] = e[0] + e[1];
        }
        rig_close(&r);
    }
    CHECK_VARIANCE(x[0], SAMPLES, v);
    CHECK_VARIANCE(x[1], SAMPLES, v);
    ck_assert_double_lt(ratio(sum, SAMPLES, 4 * v), 1);
    ck_assert_double_gt(ratio(sum, SAMPLES, 2 * v), 0.7);
}
END_TEST

/* Here the transform is all the noise there is: the C of (19) that estimates
 * use must cover it, and not by far. */
START_TEST(transform_noise)
{
    static const struct cmlrt_set insecure_fft = {
        1, 9, 40, 2, 23, 1, 1, 0, 3, false, { 0 }, { 0 }
    };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    double x[KEYS * 40], c;

    if (!k)
        return;
    measure_rotations(x, 40, &insecure_fft, k, 400);
    c = ratio(x, KEYS * 40, v_rotate(&insecure_fft, 1));
    ck_assert_msg(c < 1.5 && c > 0.5, "%s: C = %.3f", k->name, c);
}
END_TEST

/* Rings that the search returns for tables of 1 to 8 bits. */
/* clang-format off */
static const struct { uint32_t k, log2_n, levels; } insecure_rings[] = {
    { 6,  8, 1 }, { 4,  9, 1 }, { 4,  9, 2 }, { 3,  9, 1 }, { 2, 10, 1 },
    { 2, 10, 2 }, { 1, 11, 1 }, { 1, 11, 2 }, { 1, 12, 1 }, { 1, 12, 2 },
#ifdef NDEBUG /* minutes with sanitizers */
    { 1, 13, 1 }, { 1, 13, 2 }, { 1, 13, 3 }, { 1, 14, 1 }, { 1, 14, 2 },
    { 1, 14, 4 }, { 1, 15, 2 }, { 1, 15, 3 }, { 1, 16, 2 }, { 1, 16, 3 },
    { 1, 16, 4 },
#endif
};
/* clang-format on */
enum { RINGS = sizeof insecure_rings / sizeof *insecure_rings };

/* All coefficients of the phase of an accumulator of 64-bit words. */
static void
ring_phase(uint64_t *out, const struct rig *r, const uint64_t *glwe,
           double *scratch)
{
    const size_t n = cmlrt_ring_degree(&r->set), stride = n + CMLRT_PAD;
    uint64_t *minus = rig_alloc(n * sizeof *minus);

    memcpy(out, glwe + r->set.k * stride, n * sizeof *out);
    for (size_t c = 0; c < r->set.k; c++) {
        for (size_t i = 0; i < n; i++)
            minus[i] = 0 - glwe[c * stride + i];
        cmlrt_ring_mul_add(out, &r->secret->ring, minus,
                           r->secret->points + c * n, scratch);
    }
    free(minus);
}

/* Mean square error of all coefficients after n steps from a random GLWE. */
static double
error_of_steps(struct rig *r, uint64_t *acc, double *scratch, void *more)
{
    const size_t n = cmlrt_ring_degree(&r->set), d = cmlrt_big(&r->set);
    const size_t ggsw = cmlrt_ggsw_rows(&r->set) * (d + n);
    uint64_t *before = rig_alloc(n * sizeof *before);
    uint64_t *after = rig_alloc(n * sizeof *after);
    uint64_t *want = rig_alloc(n * sizeof *want), turn = 0;
    double square = 0;

    for (size_t c = 0; c <= r->set.k; c++) {
        uint64_t *poly = acc + c * (n + CMLRT_PAD);

        cmlrt_rng_bytes(&r->rng, poly, n * sizeof *poly);
        for (size_t i = 0; i < CMLRT_PAD; i++)
            poly[n + i] = 0 - poly[i];
    }
    ring_phase(before, r, acc, scratch);
    for (size_t i = 0; i < r->set.n; i++) {
        const uint32_t a = (uint32_t)(cmlrt_rng_u64(&r->rng) % (2 * n));

        r->eval->ring.kernels->cmux64(acc, &r->eval->shape, a,
                                      r->eval->bsk + i * ggsw, more);
        turn += a * r->secret->small[i];
    }
    ring_phase(after, r, acc, scratch);
    cmlrt_rotate(want, before, n, turn % (2 * n));
    for (size_t i = 0; i < n; i++)
        square += torus(after[i] - want[i]) * torus(after[i] - want[i]);
    free(before);
    free(after);
    free(want);
    return square / (double)n;
}

/* (19) on every ring in use, with a base so large that nothing else counts. */
START_TEST(transform_noise_of_each_ring)
{
    enum { STEPS = 4, RUNS = 4, RING_KEYS = 10 };
    static const uint32_t log2_base[] = { 0, 26, 18, 14, 12 };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / RINGS);
    const uint32_t levels = insecure_rings[_i % RINGS].levels;
    const struct cmlrt_set insecure_ring = { insecure_rings[_i % RINGS].k,
                                             insecure_rings[_i % RINGS].log2_n,
                                             STEPS,
                                             levels,
                                             log2_base[levels],
                                             1,
                                             1,
                                             0,
                                             3,
                                             false,
                                             { 0 },
                                             { 0 } };
    const struct cmlrt_set *set = &insecure_ring;
    double sum = 0, c;

    for (size_t key = 0; k && key < RING_KEYS; key++) {
        struct rig r;
        uint64_t *acc;
        double *scratch;
        void *more;

        rig_open(&r, set, k, 500 + key);
        acc = rig_alloc(cmlrt_acc_words(set) * 8);
        scratch = rig_alloc(cmlrt_ring_scratch(&r.secret->ring) * 8);
        more = rig_alloc(k->cmux_bytes(&r.eval->shape));
        for (size_t i = 0; i < RUNS; i++)
            sum += error_of_steps(&r, acc, scratch, more);
        free(acc);
        free(scratch);
        free(more);
        rig_close(&r);
    }
    if (!k)
        return;
    c = sum / (double)(RUNS * RING_KEYS) / ((double)STEPS * v_fft(set, 1));
    ck_assert_msg(c <= 1.5 && c > 0.5, "%s: k %u N 2^%u l %u: C = %.3f",
                  k->name, set->k, set->log2_n, levels, c);
}
END_TEST

int
main(void)
{
    enum { MAX_TABLES = 4 };
    Suite *suite = suite_create("noise");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, a_doubled_variance_is_caught);
    tcase_add_loop_test(tc, fresh_noise, 0, FRESH);
    tcase_add_loop_test(tc, answer_noise, 0, FRESH);
    tcase_add_loop_test(tc, cut_noise, 0, FRESH);
    tcase_add_loop_test(tc, keyswitch_noise, 0, SWITCHES);
    tcase_add_test(tc, keyswitch_bodies_are_rounded);
    tcase_add_loop_test(tc, modulus_switch_noise, 0, 3);
    tcase_add_test(tc, modulus_switch_keeps_its_sum);
    tcase_add_loop_test(tc, shared_bootstrap_noise, 1, ROTATES);
    tcase_add_loop_test(tc, bootstrap_noise, 0, ROTATES);
    tcase_add_loop_test(tc, transform_noise, 0, MAX_TABLES);
    tcase_add_loop_test(tc, transform_noise_of_each_ring, 0,
                        MAX_TABLES * RINGS);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
