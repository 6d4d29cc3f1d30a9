/* Erases secrets, also where the compiler thinks nobody looks. */
#include "runtime/rt.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void
cmlrt_wipe(void *at, size_t bytes)
{
    sodium_memzero(at, bytes);
}

void *
cmlrt_regrow(void *old, size_t used, size_t bytes)
{
    void *p = malloc(bytes);

    if (!p)
        return NULL;
    if (old) {
        memcpy(p, old, used);
        cmlrt_wipe(old, used);
    }
    free(old);
    return p;
}
