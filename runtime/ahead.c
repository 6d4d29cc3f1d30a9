/* A core that has nothing else to do reads the bootstrapping key ahead of a
 * single ciphertext's blind rotation: alone, that waits for memory.
 *
 * A victim cache has a line only when the reader's own cache has dropped it, so
 * the reader must be ahead by more than that holds.
 */
#include "runtime/inner.h"

enum {
    LINE_CELLS = 8,        /* of 64 bytes */
    AHEAD_BYTES = 3 << 20, /* more than the second cache of a core */
};

/* wait without disturbing the other thread of the core */
static inline void
relax(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#endif
}

void
cmlrt_key_ahead(const struct cmlrt_eval *e, const _Atomic uint32_t *done)
{
    const size_t n = cmlrt_ring_degree(&e->set);
    const size_t row = cmlrt_ggsw_rows(&e->set) * (e->set.k + 1) * n;
    const size_t ahead = 1 + AHEAD_BYTES / (row * sizeof(double));
    size_t i = 0;

    while (i < e->set.n) {
        const size_t now = atomic_load_explicit(done, memory_order_relaxed);
        const double *key = e->bsk + i * row;

        if (i >= now + ahead) {
            relax();
            continue;
        }
        if (i >= now)
            for (size_t j = 0; j < row; j += LINE_CELLS)
                (void)*(const volatile double *)(key + j);
        i = i < now ? now : i + 1;
    }
}
