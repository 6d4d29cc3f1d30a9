/* The bound between native and wide tables; see tables.h. */
#include "passes/tables.h"

#include "passes/encode.h"

#include <math.h>

enum { WORTH = 5 }; /* bits below which a native table is always cheaper */

/* In ms a row; infinite if there are no parameters. */
static double
price(const struct pass_ctx *cx, const struct ir_func *f, unsigned native)
{
    struct arena mem = { 0 };
    struct diag quiet = { .errors = DIAG_MAX, .muted = true };
    struct pass_ctx inner = { &mem, &mem, &quiet, 0 };
    double cost;

    quiet.src = cx->diag->src;
    (void)tables_lower(&inner, f, native, &cost);
    arena_free(&mem);
    return cost;
}

/* Bit b is set if there is an exact table of b bits. */
static unsigned
widths(const struct ir_func *f)
{
    unsigned set = 0;

    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lut && f->ins[i].type.enc
            && f->ins[i].as.lut.approx == 0)
            set |=
                1u << encode_table(&ir_at(f, f->ins[i].in[0])->type, false).bits
                          % 32;
    return set;
}

/* Of the widths up to that of the native ones only those that occur make a
 * difference. */
static unsigned
cheapest(const struct pass_ctx *cx, const struct ir_func *f)
{
    const unsigned set = widths(f);
    unsigned best = ENCODE_MAX_EXACT;
    double least = (double)INFINITY;

    if (set >> WORTH == 0 || set >> (ENCODE_MAX_WIDE + 1))
        return best;
    for (unsigned native = ENCODE_MAX_EXACT + 1; native-- > 0;) {
        double cost;

        if (native < ENCODE_MAX_EXACT && !(set >> (native + 1) & 1))
            continue;
        cost = price(cx, f, native);
        if (cost < least) {
            least = cost;
            best = native;
        }
    }
    return best;
}

struct ir_func *
pass_to_tfhe(struct pass_ctx *cx, const struct ir_func *f)
{
    const double asked = ir_get(f, "tables.native", -1);

    return tables_lower(cx, f, asked >= 0 ? (unsigned)asked : cheapest(cx, f),
                        NULL);
}
