/* Security, noise, failure probability and cost, lang-spec/crypto.md.
 *
 * With TUniform noise all but (30) to (32) and (71) is plain arithmetic on
 * doubles (powers of two are exact), so a search repeats on every machine.
 */
#include "passes/model.h"

#include "runtime/cml.h"

#include <math.h>

#define PI 3.14159265358979323846
#define LOG2_E 1.44269504088896340736

/* (1): log2 sigma_min(n) = slope n + bias */
static const struct curve {
    int level;
    double slope, bias;
    const char *date;
} curves[] = {
    { 132, -0.024891456582633045, 2.65734593837534, "2024-12" },
    { 128, -0.025696778711484593, 2.675931372549016, "2024-06" },
};

struct model_basis
model_basis(int level)
{
    return (struct model_basis){
        .bits = 128,
        .date = curves[level == 128].date,
        .source = "zama-ai/concrete, curves_gen.rs",
        .estimator = "lattice estimator, MATZOV cost model",
    };
}

static double
on_curve(int level, double n)
{
    const struct curve *c = &curves[level == 128];

    return c->slope * n + c->bias;
}

/* (1), clamped at 4 integer units */
double
model_log2_sigma_min(int level, double n, double log2_q)
{
    if (n < MODEL_MIN_DIMENSION)
        return (double)INFINITY;
    return fmax(on_curve(level, n), 2 - log2_q);
}

/* (3) is published; (4) matches the standard deviation of (1) */
int
model_tuniform(int level, double n, double log2_q)
{
    const double t = level == 128
                         ? on_curve(level, n) + log2_q + 0.5 * log2(3)
                         : -0.025167785 * n + log2_q + 4.10067100000001;

    return (int)fmax(ceil(t), 3);
}

double
model_v_tuniform(int t, double log2_q)
{
    return (exp2(2.0 * t + 1) + 1) / 6 * exp2(-2 * log2_q);
}

double
model_v_fresh(int level, enum model_noise noise, double n)
{
    if (n < MODEL_MIN_DIMENSION)
        return (double)INFINITY;
    if (noise == MODEL_GAUSS)
        return exp2(2 * model_log2_sigma_min(level, n, 64));
    return model_v_tuniform(model_tuniform(level, n, 64), 64);
}

/* (10): E[d^2] = (B^2 + 2) / 12 */
double
model_digit_m2(struct model_gadget g)
{
    return (exp2(2.0 * g.log2_base) + 2) / 12;
}

/* (11): R = B^(-2l) - u */
double
model_round_err(struct model_gadget g)
{
    return exp2(-2.0 * g.log2_base * g.levels) - MODEL_U;
}

double
model_degree(struct model_ring r)
{
    return (double)(UINT64_C(1) << r.log2_n);
}

double
model_dimension(struct model_ring r)
{
    return r.k * model_degree(r);
}

/* (62): kN E[s^2] is kN/2 for a binary key and 2kN/3 for a ternary one */
double
model_key_norm2(struct model_ring r)
{
    return r.ternary ? 2 * model_dimension(r) / 3 : model_dimension(r) / 2;
}

/* (14): l sigma^2 D2 + R/24 + u/16 */
double
model_v_ks1(struct model_gadget g, double sigma2)
{
    return model_round_err(g) / 24 + MODEL_U / 16
           + g.levels * sigma2 * model_digit_m2(g);
}

/* (16): (1 + n/2) / (12 M^2) + (n/48 - 1/12) u */
double
model_v_ms_classic(double n, double m)
{
    return (1 + n / 2) / 12 / (m * m) + (n / 48 - 1.0 / 12) * MODEL_U;
}

/* (17): n / (48 M^2) + n u / 24 */
double
model_v_ms(double n, double m)
{
    return n / 48 / (m * m) + n / 24 * MODEL_U;
}

/* (18): (k+1) l N sigma^2 D2 + E[m^2] ((1 + kN E[s^2]) R/12 + kN u/16) */
double
model_v_ep(struct model_ring r, struct model_gadget g, double sigma2,
           double em2)
{
    const double rounding = (1 + model_key_norm2(r)) * model_round_err(g) / 12
                            + model_dimension(r) * MODEL_U / 16;

    return g.levels * (r.k + 1.0) * model_degree(r) * sigma2 * model_digit_m2(g)
           + em2 * rounding;
}

/* (19): C 2^-106 log2(N) rows N B^2/144 (1 + kN E[s^2]) */
double
model_v_fft(struct model_ring r, uint32_t rows, uint32_t log2_base)
{
    return MODEL_FFT_C * 0x1p-106 * r.log2_n * rows * model_degree(r)
           * exp2(2.0 * log2_base) / 144 * (1 + model_key_norm2(r));
}

/* (20): n (1 + kN E[s^2]) 2^(-2h) / 12 */
double
model_v_acc(struct model_ring r, double n, int h)
{
    return n * model_v_cut(r, h);
}

/* (20) and (22) of one step with words of 32 bits */
static double
v_narrow(struct model_ring r)
{
    return model_v_acc(r, 1, 32) + (1 + model_key_norm2(r)) * 0x1p-66 / 2;
}

double
model_v_cmux(struct model_ring r, struct model_gadget g, double sigma2)
{
    const bool narrow = g.levels * g.log2_base <= CML_NARROW_BITS;

    return model_v_ep(r, g, sigma2, 0.5)
           + model_v_fft(r, (r.k + 1) * g.levels, g.log2_base)
           + (narrow ? v_narrow(r) : 0);
}

/* 2^(s-65), half a unit of the high limb, is 16 standard deviations of the
 * rounding of its product, V_fft / (1 + kN E[s^2]). */
uint32_t
model_low_bits(struct model_ring r, uint32_t rows, uint32_t log2_base)
{
    const double error =
        model_v_fft(r, rows, log2_base) / (1 + model_key_norm2(r));
    uint32_t s = 1;

    while (s < 64 && exp2(2 * ((double)s - 65)) < 256 * error)
        s++;
    return s;
}

/* (52): V_fft, of the low limb if there are two */
static double
v_limbs(struct model_ring r, uint32_t rows, uint32_t log2_base,
        uint32_t low_bits)
{
    const double v = model_v_fft(r, rows, log2_base);

    return low_bits ? v * exp2(2 * ((double)low_bits - 64)) : v;
}

/* (24): kN (l sigma^2 D2 + R/24) + V_fft of k l rows */
double
model_v_auto(struct model_ring r, struct model_gadget g, uint32_t low_bits,
             double sigma2)
{
    return model_dimension(r)
               * (g.levels * sigma2 * model_digit_m2(g)
                  + model_round_err(g) / 24)
           + v_limbs(r, r.k * g.levels, g.log2_base, low_bits);
}

/* (26): (k+1) l N sigma^2 D2 + (k N^3/48 + N/2) R/12 + V_fft of (k+1) l rows */
double
model_v_switch(struct model_ring r, struct model_gadget g, uint32_t low_bits,
               double sigma2)
{
    const double n = model_degree(r), products = r.k * n * n * n / 48 + n / 2;

    return g.levels * (r.k + 1.0) * n * sigma2 * model_digit_m2(g)
           + products * model_round_err(g) / 12
           + v_limbs(r, (r.k + 1) * g.levels, g.log2_base, low_bits);
}

/* (27): V_br/N + (N - 1) V_auto */
double
model_v_body(struct model_ring r, double v_br, double v_auto)
{
    return v_br / model_degree(r) + (model_degree(r) - 1) * v_auto;
}

/* (28): V_br/2 + 1.5 (N/2)(N - 1) V_auto + V_ss */
double
model_v_mask(struct model_ring r, double v_br, double v_auto, double v_switch)
{
    const double n = model_degree(r);

    return v_br / 2 + 1.5 * (n / 2) * (n - 1) * v_auto + v_switch;
}

uint32_t
model_log2_outputs(uint32_t levels)
{
    uint32_t theta = 0;

    while (UINT32_C(1) << theta < levels + 1)
        theta++;
    return theta;
}

/* (17) with M = 2N / 2^theta */
double
model_v_ms_wide(struct model_ring r, double n, uint32_t levels)
{
    const double outputs = exp2(model_log2_outputs(levels));

    return model_v_ms(n, 2 * model_degree(r) / outputs);
}

/* (29) with E[m^2] = 1: the bits are data */
double
model_v_ext(struct model_ring r, struct model_gadget g, double v_mask,
            double v_body)
{
    return g.levels * model_digit_m2(g) * model_degree(r)
               * (r.k * v_mask + v_body)
           + (1 + model_key_norm2(r)) * model_round_err(g) / 12
           + model_v_fft(r, (r.k + 1) * g.levels, g.log2_base);
}

/* (70): (kN E[u^2] + kN E[s^2] + 1) sigma^2, u ternary */
double
model_v_zero(struct model_ring r, double sigma2)
{
    return (2 * model_dimension(r) / 3 + model_key_norm2(r) + 1) * sigma2;
}

/* (72): (1 + kN E[s^2]) 2^(-2h) / 12 */
double
model_v_cut(struct model_ring r, int bits)
{
    return (1 + model_key_norm2(r)) * exp2(-2.0 * bits) / 12;
}

/* (71): 2^t <= tau - kappa sqrt(V), in units of 2^-64 */
int
model_flood(double tau, double v, double log2_p)
{
    const double room = (tau - model_kappa(log2_p) * sqrt(v)) * 0x1p64;
    int t = 0;

    if (room < 1)
        return -1;
    frexp(room, &t);
    return t - 1;
}

/* (32): a continued fraction from its tail where erfc loses its digits; 20
 * terms reach double precision at x = 5. */
double
model_log2_erfc(double x)
{
    const double t = 1 / (2 * x * x);
    double f = 1;

    if (x < 5)
        return log2(erfc(x));
    for (int j = 40; j > 0; j--)
        f = 1 + j * t / f;
    return -x * x * LOG2_E - log2(x) - 0.5 * log2(PI) - log2(f);
}

double
model_log2_pfail(double v, double tau)
{
    return model_log2_erfc(tau / sqrt(2 * v));
}

/* (30) by bisection, down to neighbouring doubles */
double
model_kappa(double log2_p)
{
    double lo = 0, hi = 60, mid = 30;

    while (lo < mid && mid < hi) {
        if (model_log2_erfc(mid / sqrt(2)) > log2_p)
            lo = mid;
        else
            hi = mid;
        mid = (lo + hi) / 2;
    }
    return hi;
}

/* log2(2^a + 2^b) */
double
model_log2_add(double a, double b)
{
    const double most = fmax(a, b), least = fmin(a, b);

    return isinf(least) ? most : most + log2(1 + exp2(least - most));
}

/* (53): N log2 N + N */
double
model_cost_fft(struct model_ring r)
{
    return model_degree(r) * r.log2_n + model_degree(r);
}

/* rows fft + outs fft + rows outs N */
static double
cost_product(struct model_ring r, double rows, double outs)
{
    return (rows + outs) * model_cost_fft(r) + rows * outs * model_degree(r);
}

/* (54): (k+1) l fft + (k+1) fft + (k+1)^2 l N */
double
model_cost_cmux(struct model_ring r, uint32_t levels)
{
    return cost_product(r, (r.k + 1.0) * levels, r.k + 1.0);
}

/* (58): log2 N [ (k l + x (k+1)) fft + x k (k+1) l N ],  x limbs */
double
model_cost_trace(struct model_ring r, uint32_t levels, uint32_t limbs)
{
    return r.log2_n
           * cost_product(r, (double)r.k * levels, limbs * (r.k + 1.0));
}

/* (59): k [ (k+1) (l + x) fft + x (k+1)^2 l N ] */
double
model_cost_switch(struct model_ring r, uint32_t levels, uint32_t limbs)
{
    return r.k * cost_product(r, (r.k + 1.0) * levels, limbs * (r.k + 1.0));
}

double
model_cost_rows(struct model_ring r, uint32_t levels)
{
    return (r.k + 1.0) * (r.k + 1.0) * levels * model_cost_fft(r);
}

/* a tree over what does not fit in one polynomial, then a rotation each bit */
double
model_cost_choice(struct model_ring r, uint32_t levels, uint32_t bits)
{
    const double tree = bits > r.log2_n ? exp2((double)bits - r.log2_n) - 1 : 0;

    return model_cost_cmux(r, levels)
           * (tree + (bits < r.log2_n ? bits : r.log2_n));
}

/* (56): n_in l + n_in l (n+1) + (n_in l - 1)(n+1) + 1 */
double
model_cost_ks(double n_in, double n_out, uint32_t levels)
{
    const double rows = n_in * levels;

    return rows + rows * (n_out + 1) + (rows - 1) * (n_out + 1) + 1;
}

/* Fourier form: n (k+1) l rows of k + 1 polynomials of doubles */
double
model_bsk_bytes(struct model_ring r, double n, uint32_t levels)
{
    return 8 * n * levels * (r.k + 1.0) * (r.k + 1.0) * model_degree(r);
}

/* modulo 2^32 */
double
model_ksk_bytes(struct model_ring r, double n, uint32_t levels)
{
    return 4 * model_dimension(r) * levels * (n + 1);
}
