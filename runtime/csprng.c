/* ChaCha20 streams.  A stream is named by (seed, purpose, index): the seed is
 * the key, purpose and index are the nonce, so streams never overlap and each
 * can be made by any thread.
 *
 *     nonce   purpose u32 | index u64        little-endian
 *     length  2^32 blocks of 64 bytes
 */
#define _DEFAULT_SOURCE /* getrandom */

#include "runtime/inner.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

enum { BLOCK = 64, BUFFER = sizeof((struct cmlrt_rng *)0)->buffer };

bool
cmlrt_system_random(void *out, size_t bytes)
{
    unsigned char *p = out;

    while (bytes > 0) {
        const ssize_t got = getrandom(p, bytes, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        bytes -= (size_t)got;
    }
    return true;
}

void
cmlrt_rng_init(struct cmlrt_rng *g, const uint8_t seed[CMLRT_SEED],
               enum cmlrt_purpose purpose, uint64_t index)
{
    memcpy(g->seed, seed, CMLRT_SEED);
    g->purpose = purpose;
    g->index = index;
    g->block = 0;
    g->used = BUFFER;
}

void
cmlrt_stream_open(struct cmlrt_rng *g, const struct cmlrt_stream *s)
{
    cmlrt_rng_init(g, s->seed, s->purpose, s->index);
}

/* The next bytes / BLOCK blocks. */
static void
blocks(struct cmlrt_rng *g, unsigned char *out, size_t bytes)
{
    const uint32_t purpose = (uint32_t)g->purpose;
    unsigned char nonce[crypto_stream_chacha20_ietf_NONCEBYTES];

    memcpy(nonce, &purpose, 4);
    memcpy(nonce + 4, &g->index, 8);
    memset(out, 0, bytes);
    (void)crypto_stream_chacha20_ietf_xor_ic(out, out, bytes, nonce,
                                             (uint32_t)g->block, g->seed);
    g->block += bytes / BLOCK;
}

void
cmlrt_rng_bytes(struct cmlrt_rng *g, void *out, size_t bytes)
{
    unsigned char *p = out;
    size_t n = BUFFER - g->used;

    n = n < bytes ? n : bytes;
    memcpy(p, g->buffer + g->used, n);
    g->used += n;
    p += n;
    bytes -= n;
    n = bytes / BLOCK * BLOCK;
    if (n > 0)
        blocks(g, p, n);
    if (bytes > n) {
        blocks(g, g->buffer, BUFFER);
        memcpy(p + n, g->buffer, bytes - n);
        g->used = bytes - n;
    }
}

uint64_t
cmlrt_rng_u64(struct cmlrt_rng *g)
{
    uint64_t x;

    if (g->used + sizeof x <= BUFFER) { /* the common case, cheaply */
        memcpy(&x, g->buffer + g->used, sizeof x);
        g->used += sizeof x;
    } else {
        cmlrt_rng_bytes(g, &x, sizeof x);
    }
    return x;
}
