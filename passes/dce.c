/* Dead value elimination.
 *
 * A value is live if it is pinned (inputs, outputs) or an operand of a live
 * value.  Operands come before their users, so one sweep backward marks and
 * one sweep forward copies.  Constants that no live op names go as well.
 */
#include "passes/inner.h"

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

static bool
names(const struct ir_ins *ins, const char *name)
{
    for (const struct ir_attr_info *a = ir_ops[ins->op].attrs; a->name; a++) {
        const void *p = (const char *)&ins->as + a->offset;

        if (a->kind == IR_KIND_sym
            && strcmp(*(const char *const *)p, name) == 0)
            return true;
    }
    return false;
}

static bool
wanted(const struct ir_func *f, const struct ir_blob *b, const bool *live)
{
    if (b->kind == IR_NAMES || b->kind == IR_CALIB)
        return true;
    for (uint32_t i = 0; i < f->n; i++)
        if (live[i] && names(&f->ins[i], b->name))
            return true;
    return false;
}

struct ir_func *
pass_dce(struct pass_ctx *cx, const struct ir_func *f)
{
    bool *live = arena_new(cx->scratch, bool, f->n);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_bare(cx->out, f);

    mark(f, live);
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        if (wanted(f, b, live))
            ir_blob_copy(g, b);
    for (uint32_t i = 0; i < f->n; i++)
        if (live[i])
            map[i] = ir_copy(g, &f->ins[i], map);
    return g;
}
