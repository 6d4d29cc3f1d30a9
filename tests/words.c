#include "tests/words.h"

#include <check.h>

static const uint8_t seed[CMLRT_SEED] = { 3 };

void *
alloc(size_t bytes)
{
    void *p = cmlrt_alloc(bytes);

    ck_assert_ptr_nonnull(p);
    return p;
}

const struct kernels *
ref(void)
{
    return cmlrt_kernels_select("ref");
}

void
random_words(uint64_t *out, size_t n, uint64_t index)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_MASK, index);
    cmlrt_rng_bytes(&g, out, n * sizeof *out);
}

void
digits_of(int64_t *digit, uint64_t x, unsigned levels, unsigned b)
{
    const unsigned used = levels * b;
    const bool turn = x >> (62 - used) & 1;
    const uint64_t y = turn ? 0 - x : x;
    uint64_t v = (y >> (63 - used)) + 1, carry = 0;

    v >>= 1;
    for (unsigned j = levels; j-- > 0;) {
        const uint64_t e = (v & ((UINT64_C(1) << b) - 1)) + carry;

        v >>= b;
        carry = e >> (b - 1) ? 1 : 0;
        digit[j] = (int64_t)(e - (carry << b));
        digit[j] = turn ? -digit[j] : digit[j];
    }
}
