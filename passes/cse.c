/* Common subexpressions: of equal values the first is kept.
 *
 * Two constants are equal if their kinds, types and cells are.  Equal work on
 * ciphertexts would also add its noise in amplitude.
 */
#include "passes/inner.h"

#include <string.h>

enum { HASHED = 64 }; /* cells of a constant */

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

/* Equal ops have equal ones. */
static uint64_t
hash(const struct ir_func *g, const struct ir_ins *ins)
{
    uint64_t h = ins->op;

    if (ins->op == IR_constant) {
        const struct ir_blob *b = ir_data(g, ins->as.constant.data);
        const size_t n = ir_count(&b->type);

        for (size_t e = 0; e < n && e < HASHED; e++)
            h = (h ^ (uint64_t)b->cell[e].i) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= n;
    }
    for (size_t j = 0; j < ins->nin; j++)
        h = (h ^ ins->in[j].id) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

struct ir_func *
pass_cse(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(cx->out, f);
    uint32_t *first, *next; /* ops of a bucket, plus one */
    size_t buckets = 1;

    while (buckets < f->n)
        buckets *= 2;
    first = arena_new(cx->scratch, uint32_t, buckets);
    next = arena_new(cx->scratch, uint32_t, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        const ir_ref own = map[i] = ir_copy(g, &f->ins[i], map);
        uint32_t *head = &first[hash(g, ir_at(g, own)) & (buckets - 1)];

        for (uint32_t j = *head; j; j = next[j - 1])
            if (equal(g, &g->ins[j - 1], &g->ins[own.id])) {
                g->n--; /* the copy is not wanted */
                map[i].id = j - 1;
                break;
            }
        if (map[i].id == own.id) {
            next[own.id] = *head;
            *head = own.id + 1;
        }
    }
    return g;
}
