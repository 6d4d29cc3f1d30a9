/* Random models in CML: typed, small, mostly of widths that can be encrypted.
 * Same seed and compiler, same text: arguments roll dice in an order of its
 * choice. */
#ifndef CML_TESTS_RANDOM_CML_H
#define CML_TESTS_RANDOM_CML_H

#include "ir/arena.h"
#include "tests/random_ir.h"

enum { CML_STATEMENTS = 48 };

/* Statements, a line each, of which a shorter model may leave out some. */
struct random_cml {
    size_t n;
    const char *line[CML_STATEMENTS];
    bool left_out[CML_STATEMENTS];
};

/* reals: beside integers; narrow: two or three bits, few statements */
void random_cml(struct random_cml *p, struct arena *mem, struct dice *d,
                bool reals, bool narrow);
const char *random_cml_text(struct arena *mem, const struct random_cml *p);

/* ---- shared by the files of the generator */

enum { CML_RANK = 4, CML_NAMES = 64 };

/* An expression: how it is written, and what is known of its values. */
struct expr {
    const char *text;
    bool real, enc;
    size_t rank, dim[CML_RANK];
    double lo, hi;
};

struct gen {
    struct arena *mem;
    struct dice *d;
    struct random_cml *p;
    bool reals, narrow;
    bool inside_fn; /* only what works element by element */
    struct expr name[CML_NAMES];
    size_t names;
    unsigned fresh;
    struct {
        const char *name;
        size_t parameters;
        double lo, hi;
    } fn[4];
    size_t fns;
};

size_t gen_roll(struct gen *g, size_t sides);
int gen_between(struct gen *g, int lo, int hi);
const char *gen_text(struct gen *g, const char *fmt, ...) CML_PRINTF(2, 3);
size_t gen_count(const struct expr *e);
/* like e, with this text; a range, one number */
struct expr gen_like(const struct expr *e, const char *text, double lo,
                     double hi);
struct expr gen_scalar(const struct expr *e, const char *text, double lo,
                       double hi);
/* [[1, 2], [3, 4]] in that shape */
const char *gen_numbers(struct gen *g, bool real, size_t rank,
                        const size_t *dim, int lo, int hi);
/* an integer in lo..hi that has the shape of e */
struct expr gen_inside(struct gen *g, struct expr e, int lo, int hi);
/* e with at most so many values */
struct expr gen_narrowed(struct gen *g, struct expr e, double most);
/* one element of e */
struct expr gen_element(struct gen *g, struct expr e);
/* a value that broadcasts with e */
struct expr gen_beside(struct gen *g, const struct expr *e, unsigned depth);
struct expr gen_value(struct gen *g, unsigned depth);
/* a name that holds e from now on */
void gen_name(struct gen *g, const char *name, const struct expr *e);
/* whether two shapes broadcast, and to what */
bool gen_broadcast(struct expr *out, const struct expr *a,
                   const struct expr *b);

/* random_ops.c: an operation of integers, of reals, of shapes */
struct expr gen_integers(struct gen *g, struct expr e, unsigned depth);
struct expr gen_reals(struct gen *g, struct expr e, unsigned depth);
/* random_shapes.c */
struct expr gen_shapes(struct gen *g, struct expr e, unsigned depth);
struct expr gen_reduced(struct gen *g, struct expr e, unsigned depth);

#endif
