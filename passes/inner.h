/* Shared by the passes.
 *
 * A pass reads one function and builds another; it changes nothing in place.
 * After a mistake of the user it has said so to diag, has set status, and
 * returns NULL.
 */
#ifndef CML_PASSES_INNER_H
#define CML_PASSES_INNER_H

#include "ir/ir.h"

/* Integers that pass through doubles on their way to a table lie within. */
#define PASS_EXACT ((int64_t)1 << 52)

struct pass_ctx {
    struct arena *out;     /* of the function that is built */
    struct arena *scratch; /* released after the pass */
    struct diag *diag;
    int status;  /* the exit code: 1 the model has errors, 6 no parameters */
    double most; /* 0, or ms a row: dearer parameters are of no use */
};

/* clang-format off */
#define PASS(name, run, needs, keeps, gives, help) \
    struct ir_func *pass_##run(struct pass_ctx *cx, const struct ir_func *f);
#include "passes/pipeline.def"
/* clang-format on */

/* Whether the op is a constant whose blob is then in *blob. */
bool pass_constant(const struct ir_func *f, ir_ref v,
                   const struct ir_blob **blob);

/* Integers [rows], or [rows, cols] unless cols is 0, as a blob: its name; */
const char *pass_integers(struct ir_func *g, enum ir_blob_kind kind,
                          size_t rows, size_t cols, const union ir_cell *cell);
/* as a value; */
ir_ref pass_matrix(struct ir_func *g, struct span at, enum ir_blob_kind kind,
                   size_t rows, size_t cols, const union ir_cell *cell);
/* n elements of x, by public indices */
ir_ref pass_gathered(struct ir_func *g, struct span at, ir_ref x, size_t n,
                     const union ir_cell *index);

/* Whether every setting has a value that it may have; else a message. */
bool pass_settings_ok(struct diag *dg, const struct ir_func *f);

/* Whether a type lives at the server. */
bool pass_sent(const struct ir_ins *ins); /* encrypt, disclose */
bool pass_encrypted(const struct ir_type *t);

#endif
