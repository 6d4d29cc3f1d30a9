/* Norms of the factors of tables; see multi_value.h. */
#include "passes/multi_value.h"

#include <math.h>

/* v_i of (40); the first is 0, by the choice of c */
static double
factor(const union ir_cell *entry, size_t i)
{
    return i ? (double)(entry[i].i - entry[i - 1].i) : 0;
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
        norm2 += factor(entry, i) * factor(entry, i);
        total += factor(entry, i);
    }
    for (size_t i = 0; i < n; i++) {
        prefix += factor(entry, i);
        crossed += prefix * (total - prefix);
    }
    mean = total * total - 4 * crossed / (double)n;
    return norm2 + fmax(mean - norm2, 0) / 2;
}

size_t
multi_terms(const union ir_cell *entry, uint32_t bits)
{
    size_t terms = 0;

    for (size_t i = 1; i < (size_t)1 << bits; i++)
        terms += entry[i].i != entry[i - 1].i;
    return terms;
}
