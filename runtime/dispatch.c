/* Chooses kernels, once: the caller keeps the table in its context.
 *
 * A test asks for each table by index; a user forces one by name.  The
 * compiler's builtin also asks the system whether it saves the registers.
 */
#include "runtime/kernels.h"

#include <stdbool.h>
#include <string.h>

extern const struct kernels cmlrt_kernels_ref;

static bool
has_ref(void)
{
    return true;
}

#ifdef CML_HAVE_avx2
extern const struct kernels cmlrt_kernels_avx2;

static bool
has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#ifdef CML_HAVE_avx512
extern const struct kernels cmlrt_kernels_avx512;

static bool
has_avx512(void)
{
    return __builtin_cpu_supports("avx512f")
           && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vl")
           && __builtin_cpu_supports("avx512bw");
}
#endif

/* Best first. */
static const struct {
    const struct kernels *kernels;
    bool (*usable)(void);
} table[] = {
#ifdef CML_HAVE_avx512
    { &cmlrt_kernels_avx512, has_avx512 },
#endif
#ifdef CML_HAVE_avx2
    { &cmlrt_kernels_avx2, has_avx2 },
#endif
    { &cmlrt_kernels_ref, has_ref },
};

enum { NTABLES = sizeof table / sizeof *table };

const struct kernels *
cmlrt_kernels_usable(size_t i)
{
    for (size_t t = 0; t < NTABLES; t++)
        if (table[t].usable() && i-- == 0)
            return table[t].kernels;
    return NULL;
}

const struct kernels *
cmlrt_kernels_select(const char *name)
{
    const struct kernels *k;

    for (size_t i = 0; (k = cmlrt_kernels_usable(i)); i++)
        if (!name || strcmp(name, k->name) == 0)
            return k;
    return NULL;
}
