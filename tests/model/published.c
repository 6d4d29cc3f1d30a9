/* Noise formulas of tfhe-rs and Concrete, lang-spec/crypto.md, appendix A. */
#include "tests/model/published.h"

#include <math.h>

/* c 2^22 B^2 u l^e1 k^e2 N^(e2+1) (k+1)^e1: (A1) and the end of (A5) */
static double
fitted(struct model_ring r, struct model_gadget g, const double c[3])
{
    return c[0] * 0x1p22 * exp2(2.0 * g.log2_base) * MODEL_U
           * pow(g.levels, c[1]) * pow(r.k, c[2])
           * pow(model_degree(r), c[2] + 1) * pow(r.k + 1, c[1]);
}

double
published_cmux_tfhers(struct model_ring r, struct model_gadget g, double sigma2)
{
    static const double c[3] = { 0.00705, 1.01827, 1.22003 };

    return model_v_ep(r, g, sigma2, 0.5) + fitted(r, g, c);
}

/* (A2): 2^-2.57722494 2^22 l B^2 N^2 (k+1) u, and (A3) */
double
published_cmux_concrete(struct model_ring r, struct model_gadget g,
                        double sigma2)
{
    const double n = model_degree(r), dim = model_dimension(r);
    const double fft = exp2(22 - 2.57722494) * g.levels
                       * exp2(2.0 * g.log2_base) * n * n * (r.k + 1) * MODEL_U;

    return g.levels * (r.k + 1) * n * sigma2 * model_digit_m2(g)
           + model_round_err(g) / 24 * (1 + dim / 2)
           + (dim / 32 + (1 - dim) * (1 - dim) / 64) * MODEL_U + fft;
}

/* (A4): (n/G)(1 - 2^-G) [2^(-G-2) u + (M^-2 - u)/12] + (M^-2 - u)/12 */
double
published_v_ms_grouped(double n, int group, double m)
{
    const double step = (1 / (m * m) - MODEL_U) / 12;

    return n / group * (1 - exp2(-group)) * (exp2(-group - 2) * MODEL_U + step)
           + step;
}

/* (A5): all 2^G products of a group in one */
double
published_v_br_grouped(struct model_ring r, struct model_gadget g,
                       double sigma2, double n, int group)
{
    static const double c[][3] = { { 0.0022, 1.04148, 1.94548 },
                                   { 0.00492, 1.0111, 1.90722 },
                                   { 0.00855, 1.00715, 1.90759 } };
    const double rounding = model_v_ep(r, g, 0, 1);

    return n / group
           * (exp2(group) * model_v_ep(r, g, sigma2, 0) + rounding
              + fitted(r, g, c[group - 2]));
}
