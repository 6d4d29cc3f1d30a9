/* How much scratch a thread must have, so that no row of the ABI allocates. */
#include "runtime/inner.h"

size_t
cmlrt_scratch_bytes(const struct cmlrt_set *set, const struct kernels *kernels)
{
    const size_t need[] = {
        cmlrt_extract_bytes(set),          cmlrt_keyswitch_bytes(set),
        cmlrt_pbs_bytes(set, kernels),     cmlrt_answer_bytes(set),
        cmlrt_bit_lut_bytes(set, kernels), cmlrt_leveled_bytes(set),
    };
    size_t most = 0;

    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        most = need[i] > most ? need[i] : most;
    return most;
}

size_t
cmlrt_sets_scratch(const struct cmlrt_sets *sets, const struct kernels *kernels)
{
    size_t most = 0;

    for (size_t i = 0; i < sets->n; i++) {
        const size_t need = cmlrt_scratch_bytes(&sets->at[i], kernels);

        most = need > most ? need : most;
    }
    for (size_t i = 0; i < sets->switches; i++) {
        const size_t need = cmlrt_switch_scratch(sets, i);

        most = need > most ? need : most;
    }
    return most;
}
