/* Roots of unity, correct to the last bit: kernels differ in their order only.
 *
 * cos(2 pi x) with the product 2 pi x rounded to double would be off by up to
 * 2^-51 and cost 40 % more noise in a product; lang-spec/crypto.md (19).
 */
#ifndef CML_RUNTIME_TWIDDLE_H
#define CML_RUNTIME_TWIDDLE_H

/*     w = e^(2 pi i turns),   turns a multiple of 2^-20 in [0, 1] */
void cmlrt_twiddle(double w[2], double turns);

#endif
