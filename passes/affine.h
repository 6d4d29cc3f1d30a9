/* Every encrypted integer as an affine form of its origins.
 *
 * Between two tables the circuit is linear with clear weights, so element e
 * of a value is exactly
 *
 *     c + sum_i w_i x_i        x_i an element of an input or of a table
 *
 * The passes `range` (exact intervals) and `noise` (variances per origin) read
 * these forms; both levels of the IR have them.  Elements of tables that are
 * the same ciphertext (twins.h) share an origin.
 */
#ifndef CML_PASSES_AFFINE_H
#define CML_PASSES_AFFINE_H

#include "ir/ir.h"

/* an element of an encrypt, lut, quant, glwe.extract, lwe.pbs, lwe.bit_lut, or
 * of a function or product of what is open */
struct affine_origin {
    ir_ref op;
    uint32_t element;
    uint32_t mirror; /* the origin that is, up to the sign, this one, or shares
                        its rotation; or this */
    double gain;     /* its variance, in those of a bootstrap or an input */
};

struct twin;
struct twin_open;

struct affine_row {
    uint32_t n;
    const uint32_t *origin; /* ascending */
    const int64_t *weight;  /* none is 0 */
    int64_t constant;       /* an integer; of a ciphertext, a torus word */
};

struct affine {
    const struct ir_func *f;
    struct affine_row **rows; /* by op; NULL for clear values */
    struct affine_origin *origin;
    uint32_t norigins, cap;
    struct twin **twins; /* lists, once there is a table */
    struct twin_open **open;
    struct arena *mem;
};

/* The forms of all encrypted integers (or ciphertexts) of f.  NULL if some
 * weight or constant leaves 62 bits; *bad is the op. */
struct affine *affine_new(struct arena *mem, const struct ir_func *f,
                          ir_ref *bad);

/* whether two rows have the same terms, and the same constant */
bool affine_same_terms(const struct affine_row *x, const struct affine_row *y);
bool affine_same(const struct affine_row *x, const struct affine_row *y);
/* of the terms, behind h; its high bits are good */
uint64_t affine_hash(uint64_t h, const struct affine_row *r);

#endif
