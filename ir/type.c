/* Shapes: counting, broadcasting, axes. */
#include "ir/ir.h"

#include <string.h>

const char *const ir_base_name[IR_BASES] = { "real", "int", "glwe", "lwe",
                                             "ggsw" };

struct ir_type
ir_type_of(enum ir_base base, size_t rank, const uint32_t *dim)
{
    struct ir_type t = { 0 };

    if (rank > IR_MAX_RANK)
        bug("a type of rank %zu", rank);
    t.base = (uint8_t)base;
    t.rank = (uint8_t)rank;
    for (size_t i = 0; i < rank; i++)
        t.dim[i] = dim[i];
    return t;
}

size_t
ir_count(const struct ir_type *t)
{
    size_t n = 1;

    for (size_t i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

bool
ir_same_shape(const struct ir_type *a, const struct ir_type *b)
{
    return a->rank == b->rank
           && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

bool
ir_same_type(const struct ir_type *a, const struct ir_type *b)
{
    if (a->base != b->base || a->enc != b->enc || a->open != b->open
        || a->ranged != b->ranged || a->key != b->key || a->set != b->set
        || a->log2_delta != b->log2_delta || !ir_same_shape(a, b))
        return false;
    if (!a->ranged)
        return true;
    return a->base == IR_INT ? a->ilo == b->ilo && a->ihi == b->ihi
                             : a->lo >= b->lo && a->lo <= b->lo
                                   && a->hi >= b->hi && a->hi <= b->hi
                                   && a->wide >= b->wide && a->wide <= b->wide;
}

/* Dimension i of t when its axes are aligned at the end with a rank. */
static uint32_t
aligned(const struct ir_type *t, size_t rank, size_t i)
{
    const size_t skip = rank - t->rank;

    return i < skip ? 1 : t->dim[i - skip];
}

bool
ir_broadcast(struct ir_type *out, const struct ir_type *a,
             const struct ir_type *b)
{
    const size_t rank = a->rank > b->rank ? a->rank : b->rank;

    out->rank = (uint8_t)rank;
    for (size_t i = 0; i < rank; i++) {
        const uint32_t x = aligned(a, rank, i), y = aligned(b, rank, i);

        if (x != y && x != 1 && y != 1)
            return false;
        out->dim[i] = x == 1 ? y : x;
    }
    return true;
}

size_t
ir_broadcast_index(const struct ir_type *out, const struct ir_type *t, size_t i)
{
    size_t at = 0, stride = 1;

    for (size_t d = 0; d < t->rank; d++) {
        const size_t o = out->rank - 1u - d, own = t->rank - 1u - d;
        const size_t x = i % out->dim[o];

        i /= out->dim[o];
        if (t->dim[own] != 1)
            at += x * stride;
        stride *= t->dim[own];
    }
    return at;
}

struct ir_around
ir_around(const struct ir_type *t, uint32_t axis)
{
    struct ir_around r = { 1, t->dim[axis], 1 };

    for (uint32_t i = 0; i < axis; i++)
        r.outer *= t->dim[i];
    for (uint32_t i = axis + 1; i < t->rank; i++)
        r.inner *= t->dim[i];
    return r;
}

size_t
ir_channels(const struct ir_type *t)
{
    return t->rank ? t->dim[t->rank - 1] : 1;
}

/* bits such that hi - lo + 1 values have a code each */
unsigned
ir_bits(int64_t lo, int64_t hi)
{
    const uint64_t last = (uint64_t)hi - (uint64_t)lo;
    unsigned bits = 0;

    while (bits < 64 && last >> bits)
        bits++;
    return bits;
}

bool
ir_is_bootstrap(const struct ir_ins *ins)
{
    return ins->op == IR_lwe_pbs || ins->op == IR_lwe_pbs_many;
}

size_t
ir_bootstraps(const struct ir_func *f, const struct ir_ins *ins)
{
    const size_t n = ins->nin ? ir_count(&ir_at(f, ins->in[0])->type) : 0;

    if (ins->op == IR_lwe_bit_lut)
        return n * ins->as.lwe_bit_lut.bits;
    return ir_is_bootstrap(ins) ? n : 0;
}

unsigned
ir_theta(const struct ir_ins *ins)
{
    return ins->op == IR_lwe_pbs_many && !ins->as.lwe_pbs_many.products
               ? ir_bits(1, ins->as.lwe_pbs_many.outputs)
               : 0;
}

bool
ir_has_open(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_disclose)
            return true;
    return false;
}
