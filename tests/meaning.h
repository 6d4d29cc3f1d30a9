/* What every pass must keep: the text form, and the values. */
#ifndef CML_TESTS_MEANING_H
#define CML_TESTS_MEANING_H

#include "ir/ir.h"

/* the text, to be freed */
char *meaning_text(const struct ir_func *f);

/* print(parse(print(f))) is print(f); name goes into the messages */
void meaning_round_trip(const char *name, const struct ir_func *f);

/* Both functions have the same outputs on in; every integer of `after` lies in
 * its proved interval. */
void meaning_same(const char *name, const struct ir_func *before,
                  const struct ir_func *after, const union ir_cell *const *in);

/* the second half of it alone, and the outputs' cells in mem */
const union ir_cell **meaning_run(struct arena *mem, const char *name,
                                  const struct ir_func *f,
                                  const union ir_cell *const *in);

#endif
