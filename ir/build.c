/* The op descriptors and the only functions that add operations. */
#include "ir/ir.h"

#include <string.h>

enum {
    PURE = IR_PURE,
    COMM = IR_COMM,
    PINNED = IR_PINNED,
    VOID = IR_VOID,
    MAP = IR_MAP,
    LINEAR = IR_LINEAR,
    BORDER = IR_BORDER,
    VAR = -1,
};

/* clang-format off */
#define A(op, kind, field) \
    { #field, IR_KIND_##kind, offsetof(union ir_attrs, op.field) },
#define T(name, nin, infer, traits, attrs) \
    static const struct ir_attr_info name##_attrs[] = \
        { attrs{ NULL, IR_KIND_u32, 0 } };
#define C(family, name, nin, infer, traits, attrs) \
    static const struct ir_attr_info family##_##name##_attrs[] = \
        { attrs{ NULL, IR_KIND_u32, 0 } };
#include "ir/ops.def"

const struct ir_op_info ir_ops[IR_NOPS] = {
#define A(op, kind, field)
#define T(name, nin, infer, traits, attrs) \
    [IR_##name] = { #name, nin, traits, false, name##_attrs },
#define C(family, name, nin, infer, traits, attrs) \
    [IR_##family##_##name] = \
        { #family "." #name, nin, traits, true, family##_##name##_attrs },
#include "ir/ops.def"
};
/* clang-format on */

struct ir_func *
ir_func_new(struct arena *mem, const char *name)
{
    struct ir_func *f = arena_new(mem, struct ir_func, 1);

    f->mem = mem;
    f->name = arena_string(mem, name, strlen(name));
    return f;
}

/* One more op, all zero. */
static struct ir_ins *
append(struct ir_func *f)
{
    if (f->n == f->cap) {
        struct ir_ins *old = f->ins;

        if (f->cap > UINT32_MAX / 4)
            out_of_memory();
        f->cap = f->cap ? 2 * f->cap : 16;
        f->ins = arena_new(f->mem, struct ir_ins, f->cap);
        if (old)
            memcpy(f->ins, old, f->n * sizeof *old);
    }
    return &f->ins[f->n++];
}

static ir_ref
place(struct ir_func *f, enum ir_op op, struct span at, const ir_ref *in,
      size_t nin, const union ir_attrs *as, const struct ir_type *type)
{
    struct ir_ins *ins = append(f);
    ir_ref *own = arena_new(f->mem, ir_ref, nin);

    if (nin > UINT16_MAX)
        bug("%s has %zu operands", ir_ops[op].name, nin);
    for (size_t i = 0; i < nin; i++)
        own[i] = in[i];
    ins->op = (uint16_t)op;
    ins->nin = (uint16_t)nin;
    ins->at = at;
    ins->in = own;
    ins->type = *type;
    if (as)
        ins->as = *as;
    for (const struct ir_attr_info *a = ir_ops[op].attrs; a->name; a++)
        if (a->kind == IR_KIND_sym) {
            const char **s = (void *)((char *)&ins->as + a->offset);

            *s = arena_string(f->mem, *s, strlen(*s));
        }
    return (ir_ref){ f->n - 1 };
}

ir_ref
ir_build_typed(struct ir_func *f, enum ir_op op, struct span at,
               const ir_ref *in, size_t nin, const union ir_attrs *as,
               const struct ir_type *type)
{
    struct ir_type t;
    const char *why = ir_infer(f->mem, f, op, in, nin, as, type, &t);

    if (why)
        bug("%s: %s", ir_ops[op].name, why);
    return place(f, op, at, in, nin, as, &t);
}

ir_ref
ir_build(struct ir_func *f, enum ir_op op, struct span at, const ir_ref *in,
         size_t nin, const union ir_attrs *as)
{
    return ir_build_typed(f, op, at, in, nin, as, NULL);
}

ir_ref
ir_build1(struct ir_func *f, enum ir_op op, struct span at, ir_ref a)
{
    return ir_build(f, op, at, &a, 1, NULL);
}

ir_ref
ir_build2(struct ir_func *f, enum ir_op op, struct span at, ir_ref a, ir_ref b)
{
    return ir_build(f, op, at, (ir_ref[]){ a, b }, 2, NULL);
}

static ir_ref *
renamed(struct ir_func *g, const struct ir_ins *ins, const ir_ref *map)
{
    ir_ref *in = arena_new(g->mem, ir_ref, ins->nin);

    for (size_t i = 0; i < ins->nin; i++)
        in[i] = map[ins->in[i].id];
    return in;
}

ir_ref
ir_copy(struct ir_func *g, const struct ir_ins *ins, const ir_ref *map)
{
    const ir_ref v =
        place(g, (enum ir_op)ins->op, ins->at, renamed(g, ins, map), ins->nin,
              &ins->as, &ins->type);

    g->ins[v.id].from = ins->from;
    return v;
}

ir_ref
ir_copy_infer(struct ir_func *g, const struct ir_ins *ins, const ir_ref *map)
{
    return ir_build_typed(g, (enum ir_op)ins->op, ins->at, renamed(g, ins, map),
                          ins->nin, &ins->as, &ins->type);
}

const struct ir_ins *
ir_at(const struct ir_func *f, ir_ref v)
{
    return &f->ins[v.id];
}

static bool
same_attr(const struct ir_attr_info *a, const void *x, const void *y)
{
    switch (a->kind) {
    case IR_KIND_u32: return memcmp(x, y, sizeof(uint32_t)) == 0;
    case IR_KIND_i64: return memcmp(x, y, sizeof(int64_t)) == 0;
    case IR_KIND_f64: return memcmp(x, y, sizeof(double)) == 0;
    case IR_KIND_sym:
        return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
    }
    return false;
}

/* Same op, operands, attributes and type. */
bool
ir_same(const struct ir_ins *a, const struct ir_ins *b)
{
    if (a->op != b->op || a->nin != b->nin || !ir_same_type(&a->type, &b->type))
        return false;
    for (size_t i = 0; i < a->nin; i++)
        if (a->in[i].id != b->in[i].id)
            return false;
    for (const struct ir_attr_info *t = ir_ops[a->op].attrs; t->name; t++)
        if (!same_attr(t, (const char *)&a->as + t->offset,
                       (const char *)&b->as + t->offset))
            return false;
    return true;
}

static size_t
list_ops(const struct ir_func *f, enum ir_op op, ir_ref *list, size_t max)
{
    size_t n = 0;

    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == op) {
            if (n < max)
                list[n].id = i;
            n++;
        }
    return n;
}

size_t
ir_inputs(const struct ir_func *f, ir_ref *list, size_t max)
{
    return list_ops(f, IR_input, list, max);
}

size_t
ir_outputs(const struct ir_func *f, ir_ref *list, size_t max)
{
    return list_ops(f, IR_output, list, max);
}

const struct ir_params *
ir_params_of(const struct ir_func *f, uint32_t i)
{
    return i ? &f->sets.set[i - 1] : &f->params;
}

const struct ir_switch *
ir_switch_of(const struct ir_func *f, uint32_t from, uint32_t to, bool big)
{
    for (uint32_t i = 0; i < f->sets.switches; i++) {
        const struct ir_switch *s = &f->sets.sw[i];

        if (s->from == from && s->to == to && s->big == big)
            return s;
    }
    return NULL;
}

uint32_t
ir_from_set(const struct ir_func *f, const struct ir_ins *ins)
{
    return ir_at(f, ins->in[0])->type.set;
}
