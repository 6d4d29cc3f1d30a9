/* Memory of keys and plans: aligned for every kernel and on 2 MiB pages where
 * the system offers them, since a bootstrapping key is read from front to back
 * once a bootstrap. */
#define _DEFAULT_SOURCE /* madvise */

#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *
cmlrt_alloc(size_t bytes)
{
    const size_t page = (size_t)2 << 20;
    const size_t align = bytes >= page ? page : 64;
    const size_t size = (bytes + align - 1) & ~(align - 1);
    void *p = size >= bytes ? aligned_alloc(align, size ? size : align) : NULL;

#ifdef MADV_HUGEPAGE
    if (p && align == page)
        (void)madvise(p, size, MADV_HUGEPAGE); /* a wish */
#endif
    if (p)
        memset(p, 0, bytes);
    return p;
}
