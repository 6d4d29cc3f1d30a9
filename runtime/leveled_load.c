/* Loading the keys of leveled circuits, see leveled_keys.c: rows in Fourier
 * form, in the order of kernel key_mul. */
#include "runtime/inner.h"

#include <string.h>

/* Row `row` of a key of so many: a mask from a stream, and a body. */
static void
load_row(const struct cmlrt_eval *e, double *key, size_t rows, size_t row,
         const struct cmlrt_stream *mask, const uint8_t *body, uint64_t *poly)
{
    const struct kernels *k = e->ring.kernels;
    const size_t n = cmlrt_ring_degree(&e->set);
    double *points = (double *)(void *)(poly + n);
    struct cmlrt_rng g;

    cmlrt_stream_open(&g, mask);
    cmlrt_rng_bytes(&g, poly, n * sizeof *poly);
    k->torus_points(points, poly, e->ring.plan);
    k->key_put(key, points, (unsigned)rows, (unsigned)row, 0, n);
    memcpy(poly, body, n * sizeof *poly);
    k->torus_points(points, poly, e->ring.plan);
    k->key_put(key, points, (unsigned)rows, (unsigned)row, 1, n);
}

void
cmlrt_graded_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set);
    const uint8_t *bodies = e->payload + cmlrt_graded_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        const struct cmlrt_stream mask = { e->payload, CMLRT_AUTO_MASK,
                                           (uint64_t)i };
        size_t row = (size_t)i;
        const uint32_t q = cmlrt_graded_step(&e->set, &row);
        const size_t before = cmlrt_graded_before(&e->set, q);

        load_row(e, e->graded + before * 2 * n, e->set.leveled.levels[q], row,
                 &mask, bodies + (size_t)i * n * sizeof *poly, poly);
    }
}

void
cmlrt_square_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set);
    const uint8_t *bodies = e->payload + cmlrt_square_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        const struct cmlrt_stream mask = { e->payload, CMLRT_SWITCH_MASK,
                                           (uint64_t)i };

        load_row(e, e->square, e->set.leveled.ss_levels, (size_t)i, &mask,
                 bodies + (size_t)i * n * sizeof *poly, poly);
    }
}
