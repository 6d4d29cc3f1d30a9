/* The end of an ISA file: its table, complete or it does not compile. */
extern const struct kernels NAME;

const struct kernels NAME = {
    .name = NAME_STRING,
#define K(kernel, ret, params) .kernel = kernel,
#include "runtime/kernels.def"
};
