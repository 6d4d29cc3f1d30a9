/* Cuts of a feature; see cuts.h.
 *
 * Decoys halve, again and again, the piece between two cuts that holds most
 * data; without data, the widest.  If all thresholds are those of floats
 * (ir_float_threshold), so are the decoys. */
#include "passes/cuts.h"

#include "ir/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- too many thresholds */

struct gap {
    size_t place; /* between want[place] and the next */
    size_t rows;
    double width;
};

/* Gaps that keep thresholds apart first: many rows, then wide. */
static int
by_rows(const void *x, const void *y)
{
    const struct gap *a = x, *b = y;

    if (a->rows != b->rows)
        return a->rows < b->rows ? 1 : -1;
    if (a->width > b->width || a->width < b->width)
        return a->width < b->width ? 1 : -1;
    return (a->place > b->place) - (a->place < b->place);
}

/* rows of data below x */
static size_t
below(const struct cuts_wish *w, double x)
{
    size_t lo = 0, hi = w->rows;

    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;

        if (w->data[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t
thin_out(struct arena *mem, const struct cuts_wish *w, double *cut, size_t *to)
{
    struct gap *gap = arena_new(mem, struct gap, w->n);
    bool *apart = arena_new(mem, bool, w->n);
    size_t n = 0, best = 0, first = 0;

    for (size_t i = 0; i + 1 < w->n; i++)
        gap[i] =
            (struct gap){ i, below(w, w->want[i + 1]) - below(w, w->want[i]),
                          w->want[i + 1] - w->want[i] };
    qsort(gap, w->n - 1, sizeof *gap, by_rows);
    for (size_t i = 0; i + 1 < w->room; i++)
        apart[gap[i].place] = true;
    for (size_t i = 0; i < w->n; i++) {
        if (w->uses[i] > w->uses[best])
            best = i;
        if (!apart[i] && i + 1 < w->n)
            continue;
        cut[n++] = w->want[best];
        for (; first <= i; first++)
            to[first] = n;
        best = first;
    }
    return w->n - w->room;
}

/* ---- decoys */

static bool
of_floats(const struct cuts_wish *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const double t = ir_float_threshold((float)w->want[i]);

        if (t < w->want[i] || t > w->want[i])
            return false;
    }
    return w->n > 0;
}

/* A point between a and b, above low and below high; false: there is none. */
static bool
between(double a, double b, double low, double high, bool floats, double *out)
{
    double x = a + (b - a) / 2;

    if (floats)
        x = ir_float_threshold((float)x);
    *out = x;
    return x > low && x < high;
}

/* Where the rows [first, end) are best halved: nearest to the middle. */
static bool
half(const struct cuts_wish *w, size_t first, size_t end, double low,
     double high, bool floats, double *out)
{
    const size_t mid = first + (end - first) / 2;

    for (size_t d = 0; d < end - first; d++)
        for (int side = 0; side < 2; side++) {
            const size_t i = side ? mid - d : mid + d;

            if (i <= first || i >= end || !(w->data[i - 1] < w->data[i]))
                continue;
            if (between(w->data[i - 1], w->data[i], low, high, floats, out))
                return true;
        }
    return false;
}

/* What lies between two cuts. */
struct piece {
    double low, high; /* cuts, or the ends of the data */
    size_t first, end;
    bool done; /* cannot be halved */
};

static void
piece_of(const struct cuts_wish *w, struct piece *p, double low, double high)
{
    *p = (struct piece){ .low = low, .high = high };
    p->first = below(w, low);
    p->end = below(w, high);
}

/* The open piece of most rows, or the widest. */
static size_t
largest(const struct piece *p, size_t n, bool by_value)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++) {
        if (p[i].done)
            continue;
        if (best == n
            || (by_value ? p[i].high - p[i].low > p[best].high - p[best].low
                         : p[i].end - p[i].first > p[best].end - p[best].first))
            best = i;
    }
    return best;
}

static bool
split(const struct cuts_wish *w, const struct piece *p, bool floats,
      bool by_value, double *x)
{
    if (!by_value)
        return half(w, p->first, p->end, p->low, p->high, floats, x);
    return between(p->low, p->high, p->low, p->high, floats, x);
}

/* n cuts there are; more until room is full or nothing can be halved. */
static size_t
decoys(struct arena *mem, const struct cuts_wish *w, double *cut, size_t n)
{
    struct piece *p = arena_new(mem, struct piece, w->room + 2);
    const bool floats = of_floats(w);
    double low = w->rows ? w->data[0] : w->want[0], x;
    double high = w->rows ? w->data[w->rows - 1] : w->want[n - 1];

    low = n && cut[0] < low ? cut[0] : low;
    high = n && cut[n - 1] > high ? cut[n - 1] : high;
    for (size_t i = 0; i <= n; i++)
        piece_of(w, &p[i], i ? cut[i - 1] : low, i < n ? cut[i] : high);
    p[n].end = w->rows;
    for (int by_value = 0; by_value < 2; by_value++) {
        for (size_t i = 0; i <= n; i++)
            p[i].done = false;
        while (n < w->room) {
            const size_t i = largest(p, n + 1, by_value);

            if (i == n + 1)
                break;
            if (!split(w, &p[i], floats, by_value, &x)) {
                p[i].done = true;
                continue;
            }
            memmove(p + i + 2, p + i + 1, (n - i) * sizeof *p);
            memmove(cut + i + 1, cut + i, (n - i) * sizeof *cut);
            cut[i] = x;
            n++;
            piece_of(w, &p[i + 1], x, p[i].high);
            piece_of(w, &p[i], p[i].low, x);
            p[i].done = p[i + 1].done = false;
        }
    }
    return n;
}

size_t
cuts_choose(struct arena *mem, const struct cuts_wish *w, double *cut,
            size_t *to)
{
    size_t n = w->n, i = 0;

    if (w->n > w->room)
        return thin_out(mem, w, cut, to);
    memcpy(cut, w->want, n * sizeof *cut);
    n = decoys(mem, w, cut, n);
    for (size_t j = n; j < w->room; j++)
        cut[j] = cut[n - 1];
    for (size_t j = 0; j < w->n; j++) {
        while (i < w->room && cut[i] <= w->want[j])
            i++;
        to[j] = i;
    }
    return 0;
}
