/* Erases secrets, also where the compiler thinks nobody looks. */
#include "runtime/rt.h"

#include <sodium.h>

void
cmlrt_wipe(void *at, size_t bytes)
{
    sodium_memzero(at, bytes);
}
