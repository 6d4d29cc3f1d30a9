/* Formulas that only reproduce published values; numbers (A1) to (A5) are
 * those of lang-spec/crypto.md, appendix A.
 */
#ifndef CML_TESTS_MODEL_PUBLISHED_H
#define CML_TESTS_MODEL_PUBLISHED_H

#include "passes/model.h"

/* a step of a blind rotation: (18) + (A1) of tfhe-rs, (A3) of Concrete */
model_cmux published_cmux_tfhers, published_cmux_concrete;

/* group = 2, 3 or 4 key bits a step */
double published_v_ms_grouped(double n, int group, double m);
double published_v_br_grouped(struct model_ring r, struct model_gadget g,
                              double sigma2, double n, int group);

#endif
