/* Security, noise, failure probability and cost of a parameter set.
 *
 * Numbers in brackets are formulas of lang-spec/crypto.md.  Variances are
 * relative to the torus (units of q^2), probabilities are log2, costs flop-like
 * units.  sigma2 is the variance of the key material used.
 */
#ifndef CML_PASSES_MODEL_H
#define CML_PASSES_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_U 0x1p-128               /* u = 1/q^2,  q = 2^64 */
#define MODEL_V_ROUND32 (0x1p-64 / 12) /* rounding to 32 bits, (15) */
#define MODEL_FFT_C 1.5                /* C of (19) */

#define MODEL_MIN_DIMENSION 450.0 /* where the curves begin */

enum model_noise { MODEL_TUNIFORM, MODEL_GAUSS };

struct model_ring {
    uint32_t k, log2_n;
    bool ternary; /* the key; binary otherwise */
};

struct model_gadget {
    uint32_t levels, log2_base;
};

/* ---- security; dimension n is that of an LWE, or kN of a GLWE */
double model_log2_sigma_min(int level, double n, double log2_q);
int model_tuniform(int level, double n, double log2_q); /* t, (3), (4) */
double model_v_tuniform(int t, double log2_q);          /* (2) */
/* of fresh noise at q = 2^64; infinite below MODEL_MIN_DIMENSION */
double model_v_fresh(int level, enum model_noise noise, double n);

/* where a curve comes from, for reports */
struct model_basis {
    int bits;         /* that are promised */
    const char *date; /* of publication, year-month */
    const char *source, *estimator;
};
struct model_basis model_basis(int level);

/* ---- gadget */
double model_digit_m2(struct model_gadget g);  /* D2, (10) */
double model_round_err(struct model_gadget g); /* R, (11) */

/* ---- rings: N, and kN E[s^2], (62) */
double model_degree(struct model_ring r);
double model_dimension(struct model_ring r); /* kN */
double model_key_norm2(struct model_ring r);

/* ---- variances; of an external product, em2 is E[m^2] */
/* added by a keyswitch from a binary key, for each dimension of the input */
double model_v_ks1(struct model_gadget g, double sigma2); /* (14) */
double model_v_ms_classic(double n, double m);            /* (16) */
double model_v_ms(double n, double m);                    /* (17) */
double model_v_ep(struct model_ring r, struct model_gadget g, double sigma2,
                  double em2); /* (18), without */
/* rows: digit polynomials */
double model_v_fft(struct model_ring r, uint32_t rows, uint32_t log2_base);
/* words rounded to multiples of q/2^h */
double model_v_acc(struct model_ring r, double n, int h); /* (20) */
/* one step of a blind rotation, (18) + (19), and (20) + (22) with h = 32 where
 * its accumulators have 32 bits; n of them are (21) */
double model_v_cmux(struct model_ring r, struct model_gadget g, double sigma2);
typedef double model_cmux(struct model_ring r, struct model_gadget g,
                          double sigma2);

/* ---- wide tables; sigma2 is the key's, a binary one.  Words of keys in two
 * limbs have low_bits in the low one, in one limb low_bits = 0. */
/* the least with which the products of the high limb are exact */
uint32_t model_low_bits(struct model_ring r, uint32_t rows, uint32_t log2_base);
double model_v_auto(struct model_ring r, struct model_gadget g,
                    uint32_t low_bits, double sigma2); /* (24) */
double model_v_switch(struct model_ring r, struct model_gadget g,
                      uint32_t low_bits, double sigma2); /* (26) */
/* mean variance of the rows of the GGSW of a bit, body and masks */
double model_v_body(struct model_ring r, double v_br, double v_auto); /* (27) */
double model_v_mask(struct model_ring r, double v_br, double v_auto,
                    double v_switch); /* (28) */
/* theta: log2 of the outputs of a rotation, the levels and one more */
uint32_t model_log2_outputs(uint32_t levels);
double model_v_ms_wide(struct model_ring r, double n, uint32_t levels);
/* of a product by it */
double model_v_ext(struct model_ring r, struct model_gadget g, double v_mask,
                   double v_body); /* (29) */

/* ---- answers */
double model_v_zero(struct model_ring r, double sigma2); /* (70) */
/* of a phase whose words are rounded to `bits` bits */
double model_v_cut(struct model_ring r, int bits); /* (72) */
/* largest t such that noise of +-2^t leaves (31) within log2_p; -1: none */
int model_flood(double tau, double v, double log2_p); /* (71) */

/* ---- failure */
double model_log2_erfc(double x);              /* (32) */
double model_log2_pfail(double v, double tau); /* (31) */
double model_kappa(double log2_p);             /* (30) */
double model_log2_add(double a, double b);     /* (37) */

/* ---- cost */
double model_cost_fft(struct model_ring r); /* (53) */
double model_cost_cmux(struct model_ring r, uint32_t levels);
/* of a wide table: a trace (58), the scheme switch of a row (59), transforms of
 * the rows of a bit, the choice of the entry (60) */
double model_cost_trace(struct model_ring r, uint32_t levels, uint32_t limbs);
double model_cost_switch(struct model_ring r, uint32_t levels, uint32_t limbs);
double model_cost_rows(struct model_ring r, uint32_t levels);
double model_cost_choice(struct model_ring r, uint32_t levels, uint32_t bits);
double model_cost_ks(double n_in, double n_out, uint32_t levels);

/* ---- bytes, (61) */
double model_bsk_bytes(struct model_ring r, double n, uint32_t levels);
double model_ksk_bytes(struct model_ring r, double n, uint32_t levels);

#endif
