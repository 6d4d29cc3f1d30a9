/* Dead value elimination.
 *
 * A value is live if it is pinned (inputs, outputs) or an operand of a live
 * value.  Operands come before their users, so one sweep backward marks and
 * one sweep forward copies.  Constants that no live op names go as well.
 */
#include "passes/inner.h"

#include <stdlib.h>
#include <string.h>

static void
mark(const struct ir_func *f, bool *live)
{
    for (uint32_t i = f->n; i-- > 0;) {
        const struct ir_ins *ins = &f->ins[i];

        if (ir_ops[ins->op].traits & IR_PINNED)
            live[i] = true;
        if (!live[i])
            continue;
        for (size_t j = 0; j < ins->nin; j++)
            live[ins->in[j].id] = true;
    }
}

struct names {
    const char **at;
    size_t n;
};

static int
by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* What live ops name, sorted. */
static struct names
named(struct arena *mem, const struct ir_func *f, const bool *live)
{
    struct names s = { NULL, 0 };

    for (int counted = 0; counted < 2; counted++) {
        if (counted)
            s.at = arena_new(mem, const char *, s.n);
        s.n = 0;
        for (uint32_t i = 0; i < f->n; i++) {
            const struct ir_ins *ins = &f->ins[i];

            for (const struct ir_attr_info *a = ir_ops[ins->op].attrs;
                 a->name && live[i]; a++) {
                const void *p = (const char *)&ins->as + a->offset;

                if (a->kind != IR_KIND_sym)
                    continue;
                if (counted)
                    s.at[s.n] = *(const char *const *)p;
                s.n++;
            }
        }
    }
    if (s.n)
        qsort(s.at, s.n, sizeof *s.at, by_text);
    return s;
}

static bool
wanted(const struct ir_blob *b, const struct names *s)
{
    return b->kind == IR_NAMES || b->kind == IR_CALIB
           || (s->n && bsearch(&b->name, s->at, s->n, sizeof *s->at, by_text));
}

struct ir_func *
pass_dce(struct pass_ctx *cx, const struct ir_func *f)
{
    bool *live = arena_new(cx->scratch, bool, f->n);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_bare(cx->out, f);
    struct names s;

    mark(f, live);
    s = named(cx->scratch, f, live);
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        if (wanted(b, &s))
            ir_blob_copy(g, b);
    for (uint32_t i = 0; i < f->n; i++)
        if (live[i])
            map[i] = ir_copy(g, &f->ins[i], map);
    return g;
}
