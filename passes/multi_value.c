/* Norms of the factors of tables; see multi_value.h. */
#include "passes/multi_value.h"

#include <math.h>

/* v_i of (40) */
static double
factor(const union ir_cell *entry, size_t i, size_t n)
{
    return i ? (double)entry[i].i - (double)entry[i - 1].i
             : (double)entry[0].i + (double)entry[n - 1].i;
}

/* With prefix sums P_k of v and their total T,
 *
 *     sum_(i,j) v_i v_j (1 - 2|i - j|/n) = T^2 - (4/n) sum_k P_k (T - P_k)
 */
double
multi_gain(const union ir_cell *entry, uint32_t bits)
{
    const size_t n = (size_t)1 << bits;
    double norm2 = 0, total = 0, prefix = 0, crossed = 0, mean;

    for (size_t i = 0; i < n; i++) {
        norm2 += factor(entry, i, n) * factor(entry, i, n);
        total += factor(entry, i, n);
    }
    for (size_t i = 0; i < n; i++) {
        prefix += factor(entry, i, n);
        crossed += prefix * (total - prefix);
    }
    mean = total * total - 4 * crossed / (double)n;
    return norm2 + fmax(mean - norm2, 0) / 2;
}

size_t
multi_terms(const union ir_cell *entry, uint32_t bits)
{
    const size_t n = (size_t)1 << bits;
    size_t terms = 0;

    for (size_t i = 0; i < n; i++)
        terms += factor(entry, i, n) < 0 || factor(entry, i, n) > 0;
    return terms;
}
