/* Linked with the object of a model into a shared object that a test loads:
 * what the object calls goes through pointers that the test sets, so it meets
 * the runtime of the test and brings none along. */
#include "tests/shim.h"

#include "runtime/abi.h"
#include "runtime/model.h"

struct shim shim;

const int64_t cmlrt_abi_1 = 1;

/* clang-format off */
#define RT(name) \
    void name(struct cmlrt_env *env, uint64_t *out, const uint64_t *in, \
              const void *with, int64_t begin, int64_t end) \
    { shim.name(env, out, in, with, begin, end); }
#include "runtime/abi.def"
/* clang-format on */

int
cml_main_all(const struct cml_manifest *m, int argc, char **argv)
{
    (void)argc, (void)argv;
    shim.manifest = m;
    return 0;
}
