/* Random numbers of the scheme.  Each takes as many bits of the stream as any
 * other, whatever its value, and no branch depends on it. */
#include "runtime/inner.h"

#include <math.h>

/* TUniform(t), lang-spec/crypto.md (2): integers of [-2^t, 2^t], the end points
 * with half the weight.   0 <= t <= 62 */
uint64_t
cmlrt_tuniform(struct cmlrt_rng *g, int t)
{
    const uint64_t r = cmlrt_rng_u64(g) >> (62 - t);

    return (r >> 1) + (r & 1) - (UINT64_C(1) << t);
}

void
cmlrt_tuniforms(uint64_t *out, size_t n, struct cmlrt_rng *g, int t)
{
    enum { PART = 256 };
    const unsigned cut = 30 - (unsigned)t;
    uint32_t part[PART];

    for (size_t i = 0; i < n && t > 30; i++)
        out[i] = cmlrt_tuniform(g, t);
    for (size_t i = 0; i < n && t <= 30; i += PART) {
        const size_t count = n - i < PART ? n - i : PART;

        cmlrt_rng_bytes(g, part, count * sizeof *part);
        for (size_t j = 0; j < count; j++) {
            const uint32_t r = part[j] >> cut;

            out[i + j] = (uint64_t)(r >> 1) + (r & 1) - (UINT64_C(1) << t);
        }
    }
    cmlrt_wipe(part, sizeof part);
}

void
cmlrt_binary(uint64_t *out, size_t n, struct cmlrt_rng *g)
{
    cmlrt_rng_bytes(g, out, n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] &= 1;
}

/* Uniform on {-1, 0, 1} but for a bias of 2^-62: the thirds of 62 bits. */
void
cmlrt_ternary(uint64_t *out, size_t n, struct cmlrt_rng *g)
{
    cmlrt_rng_bytes(g, out, n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = ((out[i] >> 2) * 3 >> 62) - 1;
}

/* Box-Muller, one of the pair; g is not looked at when sd is 0. */
uint64_t
cmlrt_normal(struct cmlrt_rng *g, double sd)
{
    const double two_pi = 6.283185307179586477;
    double u, v, x, turn;

    if (sd <= 0)
        return 0;
    u = ((double)(cmlrt_rng_u64(g) >> 11) + 0.5) * 0x1p-53;
    v = (double)(cmlrt_rng_u64(g) >> 11) * 0x1p-53;
    x = sd * sqrt(-2 * log(u)) * cos(two_pi * v);
    turn = x - nearbyint(x); /* in [-1/2, 1/2] */
    return turn >= 0.5 ? UINT64_C(1) << 63 : (uint64_t)(int64_t)(turn * 0x1p64);
}
