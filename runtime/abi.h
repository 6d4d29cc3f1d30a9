/* Prototypes of what compiled code may call, from the table. */
#ifndef CML_RUNTIME_ABI_H
#define CML_RUNTIME_ABI_H

#include <stdint.h>

struct cmlrt_env;

/* Every object refers to it: an object for another ABI does not link. */
extern const int64_t cmlrt_abi_1;

#define RT(name) \
    void name(struct cmlrt_env *env, uint64_t *out, const uint64_t *in, \
              const void *with, int64_t begin, int64_t end);
#include "runtime/abi.def"

#endif
