/* Keys and an environment for tests of the runtime: everything from one seed,
 * so that a failure comes back. */
#ifndef CML_TESTS_RIG_H
#define CML_TESTS_RIG_H

#include "runtime/abi.h"
#include "runtime/inner.h"

struct rig {
    struct cmlrt_set set;
    struct cmlrt_pool *pool;
    struct cmlrt_secret *secret;
    struct cmlrt_eval *eval;
    struct cmlrt_rng rng;
    struct cmlrt_env env;
    uint8_t seed[CMLRT_SEED]; /* of the masks of inputs */
};

/* Fails the test when there is no memory. */
void rig_open(struct rig *r, const struct cmlrt_set *set,
              const struct kernels *kernels, uint64_t seed);
void rig_close(struct rig *r);

/* An environment of one word a ciphertext: clear, or simulated without noise
 * until the caller sets the deviations. */
void rig_one_word(struct rig *r, const struct cmlrt_set *set, bool clear);

/* LWE ciphertexts under the big key of count messages, count <= N; index names
 * the GLWE and is used once. */
void rig_encrypt(struct rig *r, uint64_t *lwe, const int64_t *message,
                 size_t count, unsigned log2_delta, uint64_t index);

/* The integer nearest to phase 2^-log2_delta, in [-2^(63-log2_delta), ..). */
int64_t rig_decode(uint64_t phase, unsigned log2_delta);
/* The same of an LWE under the big key, or of a word. */
int64_t rig_decrypt(const struct rig *r, const uint64_t *lwe,
                    unsigned log2_delta);

/* Zeroed; fails the test when there is no memory. */
void *rig_alloc(size_t bytes);

#endif
