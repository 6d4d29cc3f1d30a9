/* The name of the ABI, alone: every emitted object refers to it, a client's as
 * well, which must not get the circuit's functions with it. */
#include "runtime/abi.h"

const int64_t cmlrt_abi_1 = 1;
