/* Loading the keys of wide tables, see wide_keys.c and evalload.c: prepared for
 * products, one after the other. */
#include "runtime/inner.h"

#include <string.h>

/* Row `row` of a prepared key: k masks from a stream, and a body. */
static void
load_row(const struct cmlrt_eval *e, double *key, const struct cmlrt_shape *s,
         const struct cmlrt_stream *mask, const uint8_t *body, unsigned row,
         uint64_t *poly)
{
    const size_t n = cmlrt_ring_degree(&e->set);
    struct cmlrt_rng masks;

    cmlrt_stream_open(&masks, mask);
    for (unsigned c = 0; c <= e->set.k; c++) {
        if (c < e->set.k)
            cmlrt_rng_bytes(&masks, poly, n * sizeof *poly);
        else
            memcpy(poly, body, n * sizeof *poly);
        e->ring.kernels->prepare(key, s, poly, row, c, poly + n);
    }
}

void
cmlrt_auto_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set);
    const size_t rows = cmlrt_shape_rows(&e->tr);
    const uint8_t *bodies = e->payload + cmlrt_auto_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        const struct cmlrt_stream mask = { e->payload, CMLRT_AUTO_MASK,
                                           (uint64_t)i };

        load_row(e, e->autos + (size_t)i / rows * cmlrt_key_cells(&e->tr),
                 &e->tr, &mask, bodies + (size_t)i * n * sizeof *poly,
                 (unsigned)((size_t)i % rows), poly);
    }
}

void
cmlrt_switch_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set);
    const size_t rows = cmlrt_shape_rows(&e->ss);
    const uint8_t *bodies = e->payload + cmlrt_switch_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        const struct cmlrt_stream mask = { e->payload, CMLRT_SWITCH_MASK,
                                           (uint64_t)i };

        load_row(e, e->switches + (size_t)i / rows * cmlrt_key_cells(&e->ss),
                 &e->ss, &mask, bodies + (size_t)i * n * sizeof *poly,
                 (unsigned)((size_t)i % rows), poly);
    }
}
