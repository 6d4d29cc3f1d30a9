/* Shared by the files of `pairs`. */
#ifndef CML_PASSES_PAIRS_H
#define CML_PASSES_PAIRS_H

#include "passes/encode.h"
#include "passes/inner.h"
#include "passes/interval.h"
#include "passes/search.h"

/* How a product of a and b bits is made. */
enum product_way { UNPLANNED, QUARTERS, PACKED, SPLIT_A, SPLIT_B };

struct product_plan {
    uint32_t tables; /* how many bootstraps */
    unsigned low;    /* bits of the low part of a split */
    enum product_way way;
};

enum { UNPLANNABLE = 1 << 24 };

enum { PAIRS_WIDEST = 20 }; /* of a factor that is split */

struct pairs {
    struct pass_ctx *cx;
    struct ir_func *g;
    struct span at; /* of the op that is replaced */
    uint32_t *root; /* of each op of g, */
    uint32_t known; /* so many of them */
    uint32_t cap;
    double price[ENCODE_MAX_EXACT + 1]; /* of a table; 0: not asked yet */
    unsigned widest;                    /* of the tables of a product */
    struct product_plan plan[PAIRS_WIDEST + 1][PAIRS_WIDEST + 1];
};

/* pairs.c */
const struct ir_type *pairs_type(const struct pairs *p, ir_ref v);
ir_ref pairs_op(struct pairs *p, enum ir_op op, ir_ref a, ir_ref b);
ir_ref pairs_number(struct pairs *p, int64_t x);
ir_ref pairs_plus(struct pairs *p, ir_ref v, int64_t x);
/* v / 2^shift, which is whole and lies in h */
ir_ref pairs_proved(struct pairs *p, ir_ref v, struct interval h,
                    unsigned shift);
/* whether an interval of at most 53 bits is known */
bool pairs_interval(struct pairs *p, ir_ref v, struct interval *h);
uint32_t pairs_root(struct pairs *p, ir_ref v);
/* milliseconds of a table of 2^bits entries: (5), and (42) */
double pairs_price(struct pairs *p, unsigned bits);
/* the same of one that reads norm2 V_br; of no bits, of a low_bit */
double pairs_price_of(const struct pairs *p, unsigned bits, double norm2);

ir_ref pairs_gather(struct pairs *p, ir_ref v, const struct ir_type *shape,
                    const union ir_cell *index);
/* v in the shape of *like */
ir_ref pairs_shaped(struct pairs *p, ir_ref v, const struct ir_type *like);
ir_ref pairs_of_two(struct pairs *p, enum ir_op op, ir_ref a, ir_ref b);

/* compare.c: an integer with the sign of v, narrow enough for a table of the
 * sign */
void compare_narrow(struct pairs *p, ir_ref *v, struct interval *h);
double compare_price(struct pairs *p, struct interval h);
/* v = 2^n w + rest of each element, as large an n as all weights allow: w */
void compare_halve(struct pairs *p, ir_ref *v, struct interval *h,
                   union ir_cell *rest);

/* order.c */
/* of each element, how many along the axis come before it */
ir_ref order_ranks(struct pairs *p, ir_ref v, uint32_t axis);
ir_ref order_argmax(struct pairs *p, ir_ref v, uint32_t axis);

/* a function of two, and what is known of them */
struct pair {
    enum ir_op op;
    ir_ref a, b;
    bool known; /* both have intervals */
    struct interval ha, hb;
};

/* bits.c: every way has its price */
/* v <- floor(v / 2^n), v in h; the rest is the result */
ir_ref bits_remove(struct pairs *p, ir_ref *v, struct interval *h, unsigned n);
/* & | ^ of integers from 0 on */
double bits_price(struct pairs *p, enum ir_op op, const struct pair *x);
ir_ref bits_of_two(struct pairs *p, enum ir_op op, const struct pair *pair);
double bits_relu_price(struct pairs *p, struct interval h);
ir_ref bits_relu(struct pairs *p, ir_ref v, struct interval h);
/* a narrow integer that is 0 where v is */
double bits_zero_price(struct pairs *p, struct interval h);
ir_ref bits_count(struct pairs *p, ir_ref v, struct interval h);
/* floor_div or mod of v by a constant power of two, if that is cheaper than as
 * a table */
bool bits_quotient(struct pairs *p, enum ir_op op, ir_ref v, ir_ref by,
                   ir_ref *out);

#endif
