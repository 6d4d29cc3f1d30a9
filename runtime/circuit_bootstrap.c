/* From one blind rotation to the GGSW of a bit, lang-spec/crypto.md 16.
 *
 *     trace       ct <- ct + ct(X^t), the masks back under S    t = N/2^i + 1
 *                 N times coefficient 0 stays; mean adds (N - 1) V_auto  (25)
 *     body row    trace of the level's ciphertext, divided by N before   (27)
 *     mask row c  body row [x] GGSW(-S_c)                                (28)
 *
 * Polynomials of a ciphertext lie CMLRT_PAD words apart, as product64 wants.
 */
#include "runtime/inner.h"

#include <string.h>

static size_t
stride_of(const struct cmlrt_set *set)
{
    return cmlrt_ring_degree(set) + CMLRT_PAD;
}

size_t
cmlrt_key_cells(const struct cmlrt_shape *s)
{
    return ((size_t)cmlrt_shape_rows(s) * cmlrt_shape_outs(s)) << s->log2_n;
}

void
cmlrt_trace(uint64_t *glwe, const struct cmlrt_eval *e, uint64_t *turned,
            void *scratch)
{
    const struct kernels *kernels = e->ring.kernels;
    const size_t n = cmlrt_ring_degree(&e->set), stride = stride_of(&e->set);
    const unsigned k = e->set.k;

    for (size_t i = 0; i < e->set.log2_n; i++) {
        const uint32_t t = (uint32_t)cmlrt_auto_exponent(&e->set, i);

        for (unsigned c = 0; c <= k; c++)
            kernels->automorphism(turned + c * stride, glwe + c * stride, n, t);
        for (size_t x = 0; x < n; x++)
            glwe[k * stride + x] += turned[k * stride + x];
        kernels->product64(glwe, turned, &e->tr,
                           e->autos + i * cmlrt_key_cells(&e->tr), scratch);
    }
}

void
cmlrt_scheme_switch(uint64_t *out, const uint64_t *glwe,
                    const struct cmlrt_eval *e, unsigned c, void *scratch)
{
    memset(out, 0, cmlrt_acc_words(&e->set) * sizeof *out);
    e->ring.kernels->product64(
        out, glwe, &e->ss, e->switches + c * cmlrt_key_cells(&e->ss), scratch);
}

/* Half of level f of the gadget of data bits. */
static uint64_t
half_level(const struct cmlrt_set *set, size_t f)
{
    return UINT64_C(1) << (63 - set->wide.cb_log2_base * (f + 1));
}

/*     out <- (X^-f acc + alpha_f) / N,  word by word */
static void
level(uint64_t *out, const uint64_t *acc, const struct cmlrt_set *set, size_t f)
{
    const size_t n = cmlrt_ring_degree(set), stride = stride_of(set);

    for (unsigned c = 0; c <= set->k; c++) {
        uint64_t *to = out + c * stride;

        cmlrt_rotate(to, acc + c * n, n, f ? 2 * n - f : 0);
        if (c == set->k)
            to[0] += half_level(set, f);
        for (size_t i = 0; i < n; i++)
            to[i] >>= set->log2_n;
    }
}

void
cmlrt_body_row(uint64_t *glwe, const uint64_t *acc, const struct cmlrt_eval *e,
               unsigned f, uint64_t *turned, void *scratch)
{
    level(glwe, acc, &e->set, f);
    cmlrt_trace(glwe, e, turned, scratch);
}

size_t
cmlrt_ggsw_words(const struct cmlrt_set *set)
{
    return 3 * cmlrt_acc_words(set);
}

void
cmlrt_ggsw_of_bit(double *ggsw, const uint64_t *acc, const struct cmlrt_eval *e,
                  uint64_t *glwe, void *scratch)
{
    const struct cmlrt_set *set = &e->set;
    const size_t words = cmlrt_acc_words(set), stride = stride_of(set);
    const unsigned k = set->k, levels = set->wide.cb_levels;
    uint64_t *mask = glwe + words, *turned = mask + words;

    for (unsigned f = 0; f < levels; f++) {
        cmlrt_body_row(glwe, acc, e, f, turned, scratch);
        for (unsigned i = 0; i <= k; i++) {
            const uint64_t *row = i < k ? mask : glwe;

            if (i < k)
                cmlrt_scheme_switch(mask, glwe, e, i, scratch);
            for (unsigned c = 0; c <= k; c++)
                e->ring.kernels->prepare(ggsw, &e->cb, row + c * stride,
                                         i * levels + f, c, turned);
        }
    }
}
