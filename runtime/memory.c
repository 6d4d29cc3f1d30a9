/* Memory of keys and plans: aligned for every kernel and on 2 MiB pages where
 * the system offers them, since a bootstrapping key is read from front to back
 * once a bootstrap. */
#define _DEFAULT_SOURCE /* madvise */

#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 2 << 20 };

static void *
alloc(size_t bytes)
{
    const size_t align = bytes >= PAGE ? PAGE : 64;
    const size_t size = (bytes + align - 1) & ~(align - 1);
    void *p = size >= bytes ? aligned_alloc(align, size ? size : align) : NULL;

#ifdef MADV_HUGEPAGE
    if (p && align == PAGE)
        (void)madvise(p, size, MADV_HUGEPAGE); /* a wish */
#endif
    return p;
}

void *
cmlrt_alloc(size_t bytes)
{
    void *p = alloc(bytes);

    if (p)
        memset(p, 0, bytes);
    return p;
}

struct range {
    unsigned char *at;
    size_t bytes;
};

static void
zero_pages(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct range *r = arg;

    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const size_t left = r->bytes - (size_t)i * PAGE;

        memset(r->at + (size_t)i * PAGE, 0, left < PAGE ? left : PAGE);
    }
}

void *
cmlrt_alloc_by(struct cmlrt_pool *pool, size_t bytes)
{
    struct range r = { alloc(bytes), bytes };

    if (r.at)
        cmlrt_pool_run(pool, (int64_t)((bytes + PAGE - 1) / PAGE), 1,
                       zero_pages, &r);
    return r.at;
}
