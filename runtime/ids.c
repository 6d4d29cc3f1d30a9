/* Ids that bind keys, ciphertexts and programs together: BLAKE2b-128.
 *
 *     parameter id   of the fields of the set, u64 each, little-endian, in the
 *                    order of struct cmlrt_set
 *     key id         of the payload of the evaluation key
 *     model id       comes with the manifest
 */
#include "runtime/serial.h"

#include <sodium.h>
#include <stdio.h>

void
cmlrt_params_id(uint8_t id[CMLRT_ID], const struct cmlrt_set *set)
{
    const uint64_t field[] = {
        set->k,
        set->log2_n,
        set->n,
        set->br_levels,
        set->br_log2_base,
        set->ks_levels,
        set->ks_log2_base,
        (uint64_t)set->t_lwe,
        (uint64_t)set->t_glwe,
        set->ternary,
    };
    uint8_t bytes[sizeof field];

    for (size_t i = 0; i < sizeof field; i++)
        bytes[i] = (uint8_t)(field[i / 8] >> 8 * (i % 8));
    cmlrt_key_id(id, bytes, sizeof bytes);
}

void
cmlrt_key_id(uint8_t id[CMLRT_ID], const uint8_t *payload, size_t bytes)
{
    (void)crypto_generichash(id, CMLRT_ID, payload, bytes, NULL, 0);
}

struct cmlrt_hex
cmlrt_id_hex(const uint8_t id[CMLRT_ID])
{
    struct cmlrt_hex h;

    for (size_t i = 0; i < CMLRT_ID; i++)
        (void)snprintf(h.text + 2 * i, 3, "%02x", id[i]);
    return h;
}
