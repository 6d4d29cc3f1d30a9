/* Forests without bootstraps: figures of bench.c. */
#ifndef CML_TESTS_BENCH_FOREST_H
#define CML_TESTS_BENCH_FOREST_H

#include "runtime/kernels.h"

/* the shapes of the reference prototype, one and two threads */
void bench_forests(const struct kernels *k);

#endif
