/* Fresh encryption of a vector of integers:
 *
 *     body[i] = (sum_c A_c S_c)_i + e_i + message[i] 2^log2_delta
 *
 * The masks A_c come from the public stream (seed, MASK, index), the noise from
 * one that only the master key can name.  The pair (seed, index) must be used
 * once: two messages under one mask differ by the difference of the bodies.
 * out   |e_i| <= 2^t_glwe, variance (2)
 * time  depends on k, N and count only
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

/*     message <- -S message */
static void
times_key(uint64_t *message, const struct cmlrt_secret *s, uint64_t *scratch)
{
    const size_t n = cmlrt_ring_degree(&s->set);

    for (size_t i = 0; i < n; i++) {
        scratch[i] = 0 - message[i];
        message[i] = 0;
    }
    cmlrt_ring_mul_add(message, &s->ring, scratch, s->points,
                       (double *)scratch + n);
}

enum cml_status
cmlrt_encrypt_times_key(uint64_t *body, const struct cmlrt_secret *s,
                        const uint8_t seed[CMLRT_SEED], uint64_t index,
                        const struct cmlrt_plain *in)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    const size_t words = n + cmlrt_ring_scratch(&s->ring);
    uint64_t *message = cmlrt_alloc((n + words) * sizeof *message);
    struct cmlrt_plain turned = *in;
    enum cml_status status = CML_E_nomem;

    if (message) {
        for (size_t i = 0; i < in->count; i++)
            message[i] = (uint64_t)in->message[i];
        times_key(message, s, message + n);
        turned.message = (const int64_t *)message;
        turned.count = n;
        status = cmlrt_encrypt(body, s, seed, index, &turned);
        cmlrt_wipe(message, (n + words) * sizeof *message);
    }
    free(message);
    return status;
}

void
cmlrt_keep_bits(uint64_t *word, size_t n, unsigned bits)
{
    const unsigned cut = 64 - bits;

    for (size_t i = 0; cut > 0 && i < n; i++)
        word[i] = (word[i] + (UINT64_C(1) << (cut - 1))) >> cut << cut;
}

enum cml_status
cmlrt_encrypt(uint64_t *body, const struct cmlrt_secret *s,
              const uint8_t seed[CMLRT_SEED], uint64_t index,
              const struct cmlrt_plain *in)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    const size_t bytes = n * sizeof(uint64_t) + cmlrt_zero_scratch(s);
    uint8_t secret_seed[CMLRT_SEED];
    const struct cmlrt_stream mask = { seed, CMLRT_MASK, index };
    const struct cmlrt_stream noise = { secret_seed, CMLRT_NOISE, index };
    uint64_t *zero = cmlrt_alloc(bytes);

    if (!zero)
        return CML_E_nomem;
    cmlrt_secret_noise(secret_seed, s, seed);
    cmlrt_zero_body(zero, s, &mask, &noise, zero + n);
    for (size_t i = 0; i < in->count; i++)
        body[i] = zero[i] + ((uint64_t)in->message[i] << in->log2_delta);
    cmlrt_wipe(secret_seed, sizeof secret_seed);
    cmlrt_wipe(zero, bytes);
    free(zero);
    return CML_E_ok;
}
