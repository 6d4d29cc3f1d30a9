#include "passes/cost.h"

#include <stddef.h>

static const struct {
    uint32_t k, log2_n, levels;
    double ns;
} cmux[] = {
#define CMUX(k, log2_n, levels, ns) { k, log2_n, levels, ns },
#define WORD(name, ns)
#include "passes/cost.def"
};

enum { CMUXES = sizeof cmux / sizeof *cmux };

static const struct {
    double keyswitch, addition;
} word = {
#define CMUX(k, log2_n, levels, ns)
#define WORD(name, ns) .name = ns,
#include "passes/cost.def"
};

/* Rows ascend in log2_n, k and levels, and every ring has k = levels = 1: the
 * last row of the ring that is nowhere larger is the nearest. */
double
cost_cmux(struct model_ring r, uint32_t levels)
{
    struct model_ring at = r;
    size_t best = 0;

    for (size_t i = 0; i < CMUXES; i++)
        if (cmux[i].log2_n <= r.log2_n && cmux[i].k <= r.k
            && cmux[i].levels <= levels)
            best = i;
    at.k = cmux[best].k;
    at.log2_n = cmux[best].log2_n;
    return cmux[best].ns * model_cost_cmux(r, levels)
           / model_cost_cmux(at, cmux[best].levels);
}

double
cost_ks(double n_in, double n_out, uint32_t levels)
{
    return word.keyswitch * n_in * levels * (n_out + 1);
}

double
cost_linear(void)
{
    return word.addition;
}
