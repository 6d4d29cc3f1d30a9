/* Ranges that leave out the tails of the calibration data.
 *
 * One value far from the others would widen the grid for all.  The values of
 * each op on all rows go into a histogram over [least, largest]; from it comes
 *
 *     percentile p   what is left of [least, largest] without (100 - p) % of
 *                    the values at each end
 *     mse            the part of it, about 0, whose grid has the least mean
 *                    square error: outside it clips, inside it rounds
 *
 * What lies outside of a range is clipped by the table that would have given
 * it, or by the client.
 */
#include "passes/tails.h"

#include <math.h>

enum { BINS = 1 << 14, PARTS = 64 }; /* eight parts halve a range */

struct tails {
    double lo, hi;
    uint64_t count;
    uint32_t bin[BINS];
};

struct tails *
tails_new(struct arena *mem, const struct ir_type *t)
{
    struct tails *h = arena_new(mem, struct tails, 1);

    h->lo = t->lo;
    h->hi = t->hi;
    return h;
}

static double
middle(const struct tails *h, size_t bin)
{
    return h->lo + (h->hi - h->lo) * ((double)bin + 0.5) / (double)BINS;
}

void
tails_add(struct tails *h, const union ir_cell *cell, size_t n)
{
    const double width = h->hi - h->lo;

    for (size_t i = 0; i < n; i++) {
        const double at = (double)BINS * ((cell[i].r - h->lo) / width);

        if (!isfinite(at))
            continue;
        h->bin[at < 0 ? 0 : at >= (double)BINS ? BINS - 1 : (size_t)at]++;
        h->count++;
    }
}

void
tails_percentile(const struct tails *h, double percent, struct ir_type *t)
{
    const double share = (100 - percent) / 100 * (double)h->count;
    const double width = h->hi - h->lo;
    double below = 0, above = 0;
    size_t first = 0, last = BINS;

    while (first < BINS && below + h->bin[first] <= share)
        below += h->bin[first++];
    while (last > first + 1 && above + h->bin[last - 1] <= share)
        above += h->bin[--last];
    if (first == BINS)
        return;
    t->lo = first == 0 ? h->lo : h->lo + width * (double)first / (double)BINS;
    t->hi = last == BINS ? h->hi : h->lo + width * (double)last / (double)BINS;
}

/* Square error of the grid of 2^bits points over [lo, hi], whose points are
 * multiples of its step. */
static double
error_of(const struct tails *h, double lo, double hi, unsigned bits)
{
    const double steps = (double)((1u << bits) - 1), scale = (hi - lo) / steps;
    const double least = rint(lo / scale);
    double sum = 0;

    for (size_t i = 0; i < BINS; i++) {
        const double x = middle(h, i);
        double k = rint(x / scale);

        k = k < least ? least : k > least + steps ? least + steps : k;
        sum += h->bin[i] * (x - k * scale) * (x - k * scale);
    }
    return sum;
}

void
tails_least_error(const struct tails *h, unsigned bits, struct ir_type *t)
{
    double best = -1;

    for (int part = 0; part < PARTS; part++) {
        const double share = exp2(-part / 8.0);
        const double lo = h->lo * share, hi = h->hi * share;
        const double e = error_of(h, lo, hi, bits);

        if (best >= 0 && !(e < best))
            continue;
        best = e;
        t->lo = lo;
        t->hi = hi;
    }
}
