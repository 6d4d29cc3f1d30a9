/* How integers lie on the torus: v is encoded as v 2^e.
 *
 * A table of 2^b entries wants e = 63 - b, a padding bit above its boxes
 * (lang-spec/crypto.md (5)) or a message bit (form.h); a wide one of 2^b and an
 * answer of b bits want 64 - b.  An origin takes the least exponent that one of
 * its uses wants; the others multiply.
 */
#ifndef CML_PASSES_ENCODE_H
#define CML_PASSES_ENCODE_H

#include "passes/inner.h"

struct form;

enum {
    ENCODE_MAX_EXACT = 8,   /* bits of a table with a box for each value */
    ENCODE_MAX_WIDE = 16,   /* of a wide one, exact on each bit */
    ENCODE_MAX_APPROX = 16, /* of one that the modulus switch rounds */
    ENCODE_MAX_BITS = 62,
};

struct encode_table {
    unsigned bits;
    int64_t offset; /* index = v + offset in [0, 2^bits) */
};

/* The guard of (47) on each side of an approximate table, relative to the
 * torus: of its 2^bits values at least two and an eighth stay free. */
#define ENCODE_GUARD 0x1p-5

/* of a lut on integers of type *in */
struct encode_table encode_table(const struct ir_type *in, bool approx);

/* bits of the widest table */
unsigned encode_widest(bool approx);

/* The power of two that divides all integers of a constant factor: its product
 * with v is v itself, of an exponent that is so much less. */
unsigned encode_twos(const struct ir_func *f, const struct ir_ins *mul);

/* the exponent of an answer */
unsigned encode_answer(const struct ir_type *t);

/* need[v], for every encrypted integer; form[v], of every lut; false after a
 * message */
bool encode_needs(struct pass_ctx *cx, const struct ir_func *f,
                  const struct form *form, uint8_t *need);

#endif
