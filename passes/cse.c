/* Common subexpressions: of equal values the first is kept.
 *
 * Two constants are equal if their kinds, types and cells are.  Equal work on
 * ciphertexts would also add its noise in amplitude.
 */
#include "passes/inner.h"

#include <string.h>

static bool
same_constant(const struct ir_func *g, const struct ir_ins *a,
              const struct ir_ins *b)
{
    const struct ir_blob *x = ir_data(g, a->as.constant.data);
    const struct ir_blob *y = ir_data(g, b->as.constant.data);

    return x->kind == y->kind && ir_same_type(&x->type, &y->type)
           && memcmp(x->cell, y->cell, ir_count(&x->type) * sizeof *x->cell)
                  == 0;
}

static bool
equal(const struct ir_func *g, const struct ir_ins *a, const struct ir_ins *b)
{
    if (!(ir_ops[b->op].traits & IR_PURE))
        return false;
    if (a->op == IR_constant && b->op == IR_constant)
        return same_constant(g, a, b);
    return ir_same(a, b);
}

struct ir_func *
pass_cse(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(cx->out, f);

    for (uint32_t i = 0; i < f->n; i++) {
        map[i] = ir_copy(g, &f->ins[i], map);
        for (uint32_t j = 0; j < map[i].id; j++)
            if (equal(g, &g->ins[j], &g->ins[map[i].id])) {
                g->n--; /* the copy is not wanted */
                map[i].id = j;
                break;
            }
    }
    return g;
}
