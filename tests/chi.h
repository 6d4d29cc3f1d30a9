/* Whether a variance agrees with a formula: it lies in the 99.9 % interval of
 * the chi-square law, and neither twice nor half of the formula does. */
#ifndef CML_TESTS_CHI_H
#define CML_TESTS_CHI_H

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline double
torus(uint64_t x)
{
    return (double)(int64_t)x * 0x1p-64;
}

/* Quantile of chi-square / n by Wilson and Hilferty, error < 1e-4 here. */
static inline double
quantile(double n, double z)
{
    const double h = 2 / (9 * n), root = 1 - h + z * sqrt(h);

    return root * root * root;
}

/* Second moment about zero: a formula's noise has mean zero. */
static inline bool
agrees(const double *x, size_t n, double variance)
{
    const double z = 3.2905; /* 99.9 %, both sides */
    double square = 0;

    for (size_t i = 0; i < n; i++)
        square += x[i] * x[i] / (double)n;
    return square / variance > quantile((double)n, -z)
           && square / variance < quantile((double)n, z);
}

static inline double
ratio(const double *x, size_t n, double variance)
{
    double square = 0;

    for (size_t i = 0; i < n; i++)
        square += x[i] * x[i] / (double)n;
    return square / variance;
}

#define CHECK_VARIANCE(x, n, variance) \
    do { \
        ck_assert_msg(agrees(x, n, variance), "measured / formula = %.3f", \
                      ratio(x, n, variance)); \
        ck_assert(!agrees(x, n, 2 * (variance))); \
        ck_assert(!agrees(x, n, (variance) / 2)); \
    } while (0)

#endif
