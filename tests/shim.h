/* What a loaded model and its test share; see shim.c. */
#ifndef CML_TESTS_SHIM_H
#define CML_TESTS_SHIM_H

#include <stdint.h>

struct cml_manifest;
struct cmlrt_env;

struct shim {
    const struct cml_manifest *manifest; /* set by the model's main */
#define RT(name) \
    void (*name)(struct cmlrt_env * env, uint64_t *out, const uint64_t *in, \
                 const void *with, int64_t begin, int64_t end);
#include "runtime/abi.def"
};

__attribute__((visibility("default"))) extern struct shim shim;

#endif
