/* A compiled model, loaded into the process of a test: its prologue, circuit
 * and epilogue run on rows, in the clear, simulated or encrypted. */
#ifndef CML_TESTS_LOADED_H
#define CML_TESTS_LOADED_H

#include "ir/ir.h"
#include "runtime/engine.h"

struct loaded {
    const struct ir_func *f; /* as the back end took it */
    void *library;
    const struct cml_manifest *m;
    struct cmlrt_layout layout;
    double square; /* of the errors of encrypted answers, summed, */
    size_t errors; /* and how many they are */
};

/* Fails the test if the model does not become a library. */
void loaded_open(struct loaded *x, const struct ir_func *f, bool optimise);
void loaded_close(struct loaded *x);

enum loaded_how {
    LOADED_CLEAR,
    LOADED_QUIET, /* simulated without noise */
    LOADED_ENCRYPTED
};

/* The numbers of all outputs, row after row; to be freed.  Keys come from the
 * seed. */
double *loaded_run(struct loaded *x, enum loaded_how how,
                   const union ir_cell *const *const *in, size_t rows,
                   uint64_t seed);

/* The same; fails the test if a row is not what the evaluator has, reals by
 * their bits. */
void loaded_agrees(struct loaded *x, enum loaded_how how,
                   const union ir_cell *const *const *in, size_t rows,
                   uint64_t seed);

#endif
