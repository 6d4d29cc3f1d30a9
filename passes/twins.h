/* Which bootstraps give the same ciphertext.
 *
 * A bootstrap has no randomness of its own.  The same table of the same
 * ciphertext gives the same words, noise included, and the negated table their
 * negative; so what looks like two independent results may be one, whose
 * weights add in amplitude (lang-spec/crypto.md 6.3).  Ciphertexts between two
 * tables are the same if their affine forms are.
 */
#ifndef CML_PASSES_TWINS_H
#define CML_PASSES_TWINS_H

#include "passes/affine.h"

/* one element of an lwe.pbs or lwe.bit_lut */
struct twin {
    const struct affine_row *in; /* its constant does not count */
    int64_t index;               /* where its 0 lies: constant + offset, on
                                    the torus */
    const union ir_cell *entry;  /* 2^bits */
    bool wide, products;
    uint32_t bits, log2_delta;
    uint32_t outputs; /* of its rotation */
    uint32_t origin;  /* of the result */
    struct twin *next;
};

/* The element that *x repeats, or NULL; then *x is kept, and *mirror is the
 * origin of one with the negated table, or of any wide table: they share the
 * noise of the bits; else x->origin. */
const struct twin *twins_add(struct affine *a, const struct twin *x,
                             uint32_t *mirror);

/* An element of a lwe.trivial, a lwe.mul_open or an element-wise function of
 * what is open: the same one, if its operands are the same.  Those with
 * attributes, of which tables differ by element, are all apart. */
struct twin_open {
    const struct ir_ins *ins;
    const struct affine_row *in[2]; /* NULL: there is none */
    uint32_t origin;
    struct twin_open *next;
};

/* the origin of the element that *x repeats, or its own */
uint32_t twins_open(struct affine *a, const struct twin_open *x);

#endif
