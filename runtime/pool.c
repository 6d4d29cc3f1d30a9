/* Threads over a range.  Chunks of a fixed size are taken from a counter, so
 * what a chunk is does not depend on how many threads there are.  The caller
 * works too, as thread 0. */
#define _POSIX_C_SOURCE 200809L

#include "runtime/rt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct worker {
    struct cmlrt_pool *pool;
    pthread_t id;
    unsigned index;
};

struct cmlrt_pool {
    unsigned threads;
    struct worker *worker; /* [1 .. threads) */
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    /* under lock */
    uint64_t round;
    unsigned busy;
    bool stop;
    /* of the running job */
    cmlrt_task *task;
    void *arg;
    int64_t n, grain;
    _Atomic int64_t next;
};

static void
work(struct cmlrt_pool *p, unsigned thread)
{
    const int64_t grain = p->grain;

    for (;;) {
        const int64_t begin = atomic_fetch_add(&p->next, grain);

        if (begin >= p->n)
            return;
        p->task(p->arg, thread, begin,
                p->n - begin < grain ? p->n : begin + grain);
    }
}

static void *
worker_main(void *arg)
{
    const struct worker *w = arg;
    struct cmlrt_pool *p = w->pool;
    uint64_t seen = 0;

    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->stop)
            (void)pthread_cond_wait(&p->start, &p->lock);
        if (p->stop)
            break;
        seen = p->round;
        (void)pthread_mutex_unlock(&p->lock);
        work(p, w->index);
        (void)pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            (void)pthread_cond_signal(&p->done);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With fewer threads if the system gives no more. */
struct cmlrt_pool *
cmlrt_pool_new(unsigned threads)
{
    struct cmlrt_pool *p = calloc(1, sizeof *p);
    struct worker *w = threads ? calloc(threads, sizeof *w) : NULL;

    if (!p || !w) {
        free(p);
        free(w);
        return NULL;
    }
    p->worker = w;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->start, NULL);
    (void)pthread_cond_init(&p->done, NULL);
    for (p->threads = 1; p->threads < threads; p->threads++) {
        w = &p->worker[p->threads];
        w->pool = p;
        w->index = p->threads;
        if (pthread_create(&w->id, NULL, worker_main, w) != 0)
            break;
    }
    return p;
}

void
cmlrt_pool_free(struct cmlrt_pool *p)
{
    if (!p)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->start);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 1; i < p->threads; i++)
        (void)pthread_join(p->worker[i].id, NULL);
    (void)pthread_cond_destroy(&p->done);
    (void)pthread_cond_destroy(&p->start);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->worker);
    free(p);
}

unsigned
cmlrt_pool_threads(const struct cmlrt_pool *p)
{
    return p->threads;
}

void
cmlrt_pool_run(struct cmlrt_pool *p, int64_t n, int64_t grain, cmlrt_task *task,
               void *arg)
{
    p->task = task;
    p->arg = arg;
    p->n = n;
    p->grain = grain > 0 ? grain : 1;
    atomic_store(&p->next, 0);
    if (p->threads == 1 || n <= p->grain) {
        work(p, 0);
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->busy = p->threads - 1;
    p->round++;
    (void)pthread_cond_broadcast(&p->start);
    (void)pthread_mutex_unlock(&p->lock);
    work(p, 0);
    (void)pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        (void)pthread_cond_wait(&p->done, &p->lock);
    (void)pthread_mutex_unlock(&p->lock);
}
