/* Which tables are wide: the circuit is lowered with each bound on the bits of
 * the others that makes a difference, and the cheapest in the cost model stays.
 */
#ifndef CML_PASSES_TABLES_H
#define CML_PASSES_TABLES_H

#include "passes/inner.h"

/* way: how tables are formed and shared; TABLES_ANY: the cheapest */
struct tables_choice {
    unsigned native;
    int way;
};
#define TABLES_ANY (-1)

/* to_tfhe.c: exact tables above `native` bits are wide; NULL after a message.
 * If the way was not given, it is set.  *cost, if it is asked for, in ms a row;
 * infinite if there are no parameters. */
struct ir_func *tables_lower(struct pass_ctx *cx, const struct ir_func *f,
                             struct tables_choice *c, double *cost);

#endif
