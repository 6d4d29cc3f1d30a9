/* Ids that bind keys, ciphertexts and programs together: BLAKE2b-128.
 *
 *     parameter id   of the fields of the set, u64 each, little-endian, in the
 *                    order of struct cmlrt_set, without those of wide tables if
 *                    there are none, and with those of leveled circuits if
 * there are; of further sets likewise, and of the switches, struct cmlrt_switch
 *     key id         of the payload of the evaluation key
 *     model id       comes with the manifest
 */
#include "runtime/serial.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    NARROW_FIELDS = 10,
    WIDE_FIELDS = 6,
    LEVELED_FIELDS = 4 + 2 * CMLRT_MOST_STEPS,
    SET_FIELDS = NARROW_FIELDS + WIDE_FIELDS + LEVELED_FIELDS,
    SWITCH_FIELDS = 6,
};

static uint64_t *
put_leveled(uint64_t *to, const struct cmlrt_leveled *l)
{
    if (l->steps + l->ss_levels == 0)
        return to;
    *to++ = l->first;
    *to++ = l->steps;
    for (uint32_t q = 0; q < l->steps; q++) {
        *to++ = l->levels[q];
        *to++ = l->log2_base[q];
    }
    *to++ = l->ss_levels;
    *to++ = l->ss_log2_base;
    return to;
}

static uint64_t *
put_set(uint64_t *to, const struct cmlrt_set *set)
{
    const uint64_t field[NARROW_FIELDS + WIDE_FIELDS] = {
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
        set->wide.tr_levels,
        set->wide.tr_log2_base,
        set->wide.ss_levels,
        set->wide.ss_log2_base,
        set->wide.cb_levels,
        set->wide.cb_log2_base,
    };

    memcpy(to, field, sizeof field);
    to += NARROW_FIELDS + (set->wide.tr_levels > 0 ? WIDE_FIELDS : 0);
    return put_leveled(to, &set->leveled);
}

static uint64_t *
put_switch(uint64_t *to, const struct cmlrt_switch *s)
{
    const uint64_t field[SWITCH_FIELDS] = {
        s->from, s->to, s->big, s->levels, s->log2_base, (uint64_t)s->t,
    };

    memcpy(to, field, sizeof field);
    return to + SWITCH_FIELDS;
}

void
cmlrt_sets_id(uint8_t id[CMLRT_ID], const struct cmlrt_sets *sets)
{
    uint64_t
        field[CMLRT_MAX_SETS * SET_FIELDS + CMLRT_MAX_SWITCHES * SWITCH_FIELDS];
    uint8_t bytes[sizeof field];
    uint64_t *to = field;
    size_t n;

    for (size_t i = 0; i < sets->n; i++)
        to = put_set(to, &sets->at[i]);
    for (size_t i = 0; i < sets->switches; i++)
        to = put_switch(to, &sets->sw[i]);
    n = (size_t)(to - field) * sizeof *field;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(field[i / 8] >> 8 * (i % 8));
    cmlrt_key_id(id, bytes, n);
}

void
cmlrt_params_id(uint8_t id[CMLRT_ID], const struct cmlrt_set *set)
{
    const struct cmlrt_sets one = { .n = 1, .at = { *set } };

    cmlrt_sets_id(id, &one);
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
