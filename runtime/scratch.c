/* How much scratch a thread must have, so that no row of the ABI allocates. */
#include "runtime/inner.h"

size_t
cmlrt_scratch_bytes(const struct cmlrt_set *set, const struct kernels *kernels)
{
    const size_t need[] = {
        cmlrt_extract_bytes(set),
        cmlrt_keyswitch_bytes(set),
        cmlrt_pbs_bytes(set, kernels),
        cmlrt_answer_bytes(set),
    };
    size_t most = 0;

    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        most = need[i] > most ? need[i] : most;
    return most;
}
