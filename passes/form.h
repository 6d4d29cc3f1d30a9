/* What a table of integers costs least as; lang-spec/crypto.md (42).
 *
 *     2^halved f(v) = slope v + constant + T(v)        slope, constant of a row
 *
 * T is a bootstrap of 2^bits entries, or nothing (the table is affine).  If
 *
 *     T(v + 2^bits) = -T(v)                                              (42)
 *
 * for all v and v + 2^bits that occur, both halves of the torus are messages:
 * the bootstrap needs no padding bit.  Otherwise 2^bits entries hold them all.
 */
#ifndef CML_PASSES_FORM_H
#define CML_PASSES_FORM_H

#include "passes/inner.h"

struct form {
    bool table;     /* a bootstrap is needed, */
    bool wide;      /* one a bit: the messages have delta 2^(64-bits) */
    unsigned bits;  /* of its entries; the messages have delta 2^(63-bits) */
    int64_t offset; /* index = v + offset, modulo 2^(bits+1) */
    unsigned halved;
    bool sloped, moved; /* some slope, some constant is not 0 */
    uint32_t rows;
    int64_t *slope, *constant;  /* of a row */
    const union ir_cell *entry; /* rows of 2^bits */
};

/* Of a lut whose operand has a proved interval.  Without `slopes` no table is
 * replaced by a multiple of its operand, whose noise the result would have.  An
 * exact table of more than `native` bits is wide. */
struct form form_of(struct arena *mem, const struct ir_func *f,
                    const struct ir_ins *lut, bool slopes, unsigned native);

#endif
