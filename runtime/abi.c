/* What compiled code needs besides its calls: the name of the ABI, and how much
 * scratch a thread must have so that no call allocates. */
#include "runtime/abi.h"
#include "runtime/inner.h"

const int64_t cmlrt_abi_1 = 1;

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
