/* Tensors of the model of the language: as plain as can be. */
#ifndef CML_TESTS_MODEL_TENSOR_H
#define CML_TESTS_MODEL_TENSOR_H

#include "ir/ir.h"

enum { TENSOR_RANK = 6 };

struct tensor {
    bool real;
    size_t rank, dim[TENSOR_RANK];
    union ir_cell *cell;
};

/* zeros */
struct tensor tensor_new(struct arena *mem, bool real, size_t rank,
                         const size_t *dim);
struct tensor tensor_whole(struct arena *mem, int64_t v);
size_t tensor_count(const struct tensor *t);
struct tensor tensor_real(struct arena *mem, struct tensor t);
/* both as reals, if one is */
void tensor_join(struct arena *mem, struct tensor *a, struct tensor *b);
/* an element as a number */
double tensor_at(const struct tensor *t, size_t i);

/* the place of element i, and back */
void tensor_place(const struct tensor *t, size_t i, size_t *place);
size_t tensor_element(const struct tensor *t, const size_t *place);
/* the shape that both have after broadcasting; a bug() if there is none */
struct tensor tensor_shape2(struct arena *mem, const struct tensor *a,
                            const struct tensor *b);
/* which element of t stands at element i of a larger shape */
size_t tensor_under(const struct tensor *shape, const struct tensor *t,
                    size_t i);
/* t in a larger shape */
struct tensor tensor_spread(struct arena *mem, const struct tensor *t,
                            const struct tensor *shape);
/* the same elements */
struct tensor tensor_reshape(struct tensor t, size_t rank, const size_t *dim);
/* side by side along an axis that they have */
struct tensor tensor_concat(struct arena *mem, struct tensor *t, size_t n,
                            size_t axis);
/* a new axis of length 1 */
struct tensor tensor_expand(struct tensor t, size_t axis);

#endif
