/* Shape and base of a result from its operands: one function per rule of the
 * `infer` column of ops.def.
 *
 * A rule answers NULL, or the phrase of a message: "shapes [3] and [4] do not
 * fit".  The front end shows it to the user, everyone else takes it for a bug.
 */
#include "ir/infer.h"

#include <stdarg.h>
#include <string.h>

const char *
infer_say(const struct infer *x, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return arena_string(x->mem, text, strlen(text));
}

static const char *
shape(const struct infer *x, const struct ir_type *t)
{
    char text[128] = "[";
    size_t len = 1;

    for (size_t i = 0; i < t->rank; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%u",
                                i ? ", " : "", t->dim[i]);
    snprintf(text + len, sizeof text - len, "]");
    return arena_string(x->mem, text, strlen(text));
}

static const char *
given(struct infer *x)
{
    if (!x->given)
        return infer_say(x, "%s needs a type", ir_ops[x->op].name);
    if (x->given->enc || x->given->base > IR_INT)
        return infer_say(x, "an input is clear");
    *x->out = *x->given;
    return NULL;
}

/* The hull of integer cells. */
static void
hull_of(struct ir_type *t, const struct ir_blob *b)
{
    t->ranged = true;
    t->ilo = t->ihi = b->cell[0].i;
    for (size_t i = 1; i < ir_count(&b->type); i++) {
        if (b->cell[i].i < t->ilo)
            t->ilo = b->cell[i].i;
        if (b->cell[i].i > t->ihi)
            t->ihi = b->cell[i].i;
    }
}

static const char *
blob(struct infer *x)
{
    const struct ir_blob *b = ir_blob_find(x->f, x->as->constant.data, false);

    if (!b)
        return infer_say(x, "there is no constant @%s", x->as->constant.data);
    *x->out = b->type;
    if (b->type.base == IR_INT)
        hull_of(x->out, b);
    return NULL;
}

/* Integer ops of two: the extremes are at corners of the operands' intervals.
 * What does not fit in 62 bits, or has no interval, is left open; the pass
 * `range` does better where it matters. */
static void
corners(struct infer *x, enum ir_op op)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, x->nin - 1);
    const int64_t p[2] = { a->ilo, a->ihi }, q[2] = { b->ilo, b->ihi };
    const int64_t limit = (int64_t)1 << 62;

    x->out->ranged = a->ranged && b->ranged && x->out->base == IR_INT;
    for (int i = 0; i < 4 && x->out->ranged; i++) {
        const int64_t u = p[i & 1], v = q[i >> 1];
        int64_t r = 0;
        const bool lost = op == IR_add   ? __builtin_add_overflow(u, v, &r)
                          : op == IR_sub ? __builtin_sub_overflow(u, v, &r)
                          : op == IR_mul ? __builtin_mul_overflow(u, v, &r)
                          : op == IR_neg
                              ? __builtin_sub_overflow((int64_t)0, u, &r)
                              : true;

        if (op == IR_minimum)
            r = u < v ? u : v;
        if (op == IR_maximum)
            r = u > v ? u : v;
        if ((lost && op != IR_minimum && op != IR_maximum) || r > limit
            || r < -limit)
            x->out->ranged = false;
        x->out->ilo = i && x->out->ilo < r ? x->out->ilo : r;
        x->out->ihi = i && x->out->ihi > r ? x->out->ihi : r;
    }
}

/* The sum of n integers of the interval of the result so far. */
static void
repeated(struct infer *x, uint32_t n)
{
    const int64_t limit = (int64_t)1 << 62;
    struct ir_type *t = x->out;

    t->ranged = t->ranged && t->base == IR_INT
                && !__builtin_mul_overflow(t->ilo, (int64_t)n, &t->ilo)
                && !__builtin_mul_overflow(t->ihi, (int64_t)n, &t->ihi)
                && t->ilo >= -limit && t->ihi <= limit;
}

/* abs, relu, sign and the roundings of an integer */
static void
unary_range(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0);
    int64_t top = 0;

    if (a->base != IR_INT || !a->ranged
        || __builtin_sub_overflow((int64_t)0, a->ilo, &top))
        return;
    top = a->ihi > top ? a->ihi : top;
    *x->out = *a;
    if (x->op == IR_relu || x->op == IR_abs)
        x->out->ilo = a->ilo > 0 ? a->ilo : 0;
    if (x->op == IR_relu)
        x->out->ihi = a->ihi > 0 ? a->ihi : 0;
    if (x->op == IR_abs)
        x->out->ihi = top;
    if (x->op == IR_sign)
        x->out->ilo = -1, x->out->ihi = 1;
}

static const char *
none(struct infer *x)
{
    *x->out = *infer_in(x, 0);
    return NULL;
}

/* the operand's type without its range */
static const char *
same(struct infer *x)
{
    *x->out = *infer_in(x, 0);
    x->out->ranged = false;
    if (x->op == IR_neg)
        corners(x, IR_neg);
    return NULL;
}

static bool
is_whole(double v)
{
    return v >= -0x1p53 && v <= 0x1p53 && (double)(int64_t)v >= v
           && (double)(int64_t)v <= v;
}

/* of an integer: what both ends say */
static const char *
clip(struct infer *x)
{
    const double lo = x->as->clip.lo, hi = x->as->clip.hi;
    struct ir_type *t = x->out;

    same(x);
    if (!(lo <= hi))
        return infer_say(x, "clip to %g .. %g, which is empty", lo, hi);
    if (t->base != IR_INT)
        return NULL;
    if (!is_whole(lo) || !is_whole(hi))
        return infer_say(x, "an integer is clipped to integers, not %g .. %g",
                         lo, hi);
    t->ranged = true;
    t->ilo = (int64_t)lo;
    t->ihi = (int64_t)hi;
    if (infer_in(x, 0)->ranged) {
        const int64_t p = infer_in(x, 0)->ilo, q = infer_in(x, 0)->ihi;

        t->ilo = p < t->ilo ? t->ilo : p < t->ihi ? p : t->ihi;
        t->ihi = q > t->ihi ? t->ihi : q > (int64_t)lo ? q : (int64_t)lo;
    }
    return NULL;
}

static bool
keeps_int(enum ir_op op)
{
    return op == IR_abs || op == IR_relu || op == IR_sign || op == IR_floor
           || op == IR_ceil || op == IR_round;
}

static const char *
unary(struct infer *x)
{
    if (infer_in(x, 0)->base == IR_INT && !keeps_int(x->op))
        return infer_say(x, "%s takes reals", ir_ops[x->op].name);
    same(x);
    unary_range(x);
    return NULL;
}

static const char *
join(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, 1);

    if (a->base != b->base)
        return infer_say(x, "real and integer do not mix in %s",
                         ir_ops[x->op].name);
    *x->out = *a;
    x->out->enc = a->enc || b->enc;
    x->out->ranged = false;
    if (!ir_broadcast(x->out, a, b))
        return infer_say(x, "shapes %s and %s do not fit", shape(x, a),
                         shape(x, b));
    corners(x, x->op);
    return NULL;
}

static const char *
join_real(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_REAL)
        return infer_say(x, "%s takes reals", ir_ops[x->op].name);
    return join(x);
}

static const char *
compare(struct infer *x)
{
    const char *why = join(x);

    x->out->base = IR_INT;
    x->out->ranged = true;
    x->out->ilo = 0;
    x->out->ihi = 1;
    return why;
}

/* The divisor of integers is at least 1: constants know their interval. */
static const char *
divide(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, 1);
    const char *why = join(x);
    struct ir_type *t = x->out;

    t->ranged = false;
    if (why || t->base != IR_INT)
        return why;
    if (!b->ranged || b->ilo < 1)
        return infer_say(x, "%s takes a divisor of at least 1",
                         ir_ops[x->op].name);
    t->ranged = x->op == IR_mod || a->ranged;
    t->ilo = 0;
    t->ihi = b->ihi - 1;
    if (x->op == IR_mod && a->ranged && a->ilo >= 0 && a->ihi < t->ihi)
        t->ihi = a->ihi;
    if (x->op == IR_floor_div) {
        const int64_t l = a->ilo < 0 ? b->ilo : b->ihi;
        const int64_t h = a->ihi < 0 ? b->ihi : b->ilo;

        t->ilo = a->ilo / l - (a->ilo % l < 0);
        t->ihi = a->ihi / h - (a->ihi % h < 0);
    }
    return NULL;
}

/* of integers that are not negative */
static const char *
bitwise(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, 1);
    const char *why = join(x);
    struct ir_type *t = x->out;
    unsigned bits;

    t->ranged = false;
    if (why || t->base != IR_INT)
        return why;
    if (!a->ranged || !b->ranged || a->ilo < 0 || b->ilo < 0)
        return infer_say(x, "%s takes integers of a range from 0 on",
                         ir_ops[x->op].name);
    t->ranged = true;
    t->ilo = 0;
    t->ihi = a->ihi < b->ihi ? a->ihi : b->ihi;
    bits = ir_bits(0, a->ihi > b->ihi ? a->ihi : b->ihi);
    if (x->op != IR_bit_and)
        t->ihi = (int64_t)((UINT64_C(1) << bits) - 1);
    return NULL;
}

static const char *
gather(struct infer *x)
{
    const struct ir_blob *b = ir_blob_find(x->f, x->as->gather.index, false);
    const size_t n = ir_count(infer_in(x, 0));

    if (!b || b->type.base != IR_INT)
        return infer_say(x, "there is no index @%s", x->as->gather.index);
    for (size_t i = 0; i < ir_count(&b->type); i++)
        if (b->cell[i].i < 0 || (size_t)b->cell[i].i >= n)
            return infer_say(x, "an index of @%s is outside", b->name);
    *x->out = *infer_in(x, 0);
    x->out->rank = b->type.rank;
    memcpy(x->out->dim, b->type.dim, sizeof b->type.dim);
    return NULL;
}

static const char *
reshape(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0);

    if (!x->given)
        return infer_say(x, "reshape needs a type");
    *x->out = *a;
    x->out->rank = x->given->rank;
    memcpy(x->out->dim, x->given->dim, sizeof x->given->dim);
    if (ir_count(a) != ir_count(x->out))
        return infer_say(x, "shape %s has %zu elements, %s has %zu",
                         shape(x, a), ir_count(a), shape(x, x->out),
                         ir_count(x->out));
    return NULL;
}

/* along axis 0 */
static const char *
concat(struct infer *x)
{
    uint64_t length = 0;

    if (x->nin == 0)
        return infer_say(x, "nothing to join");
    *x->out = *infer_in(x, 0);
    x->out->ranged = x->out->base == IR_INT;
    for (size_t i = 0; i < x->nin; i++) {
        const struct ir_type *t = infer_in(x, i);

        if (t->rank == 0 || t->rank != x->out->rank || t->base != x->out->base
            || memcmp(t->dim + 1, x->out->dim + 1,
                      (t->rank - 1u) * sizeof *t->dim)
                   != 0)
            return infer_say(x, "elements of shapes %s and %s do not stack",
                             shape(x, infer_in(x, 0)), shape(x, t));
        length += t->dim[0];
        x->out->enc = x->out->enc || t->enc;
        x->out->ranged = x->out->ranged && t->ranged;
        x->out->ilo = t->ilo < x->out->ilo ? t->ilo : x->out->ilo;
        x->out->ihi = t->ihi > x->out->ihi ? t->ihi : x->out->ihi;
    }
    if (length > IR_MAX_CELLS)
        return infer_say(x, "the result has too many elements");
    x->out->dim[0] = (uint32_t)length;
    return NULL;
}

/* [k] or [m,k] times [k] or [k,n] */
const char *
infer_product_shape(struct infer *x, const struct ir_type *a,
                    const struct ir_type *b)
{
    if (a->rank < 1 || a->rank > 2 || b->rank < 1 || b->rank > 2)
        return infer_say(x,
                         "@ takes vectors and matrices, not shapes %s and %s",
                         shape(x, a), shape(x, b));
    if (a->dim[a->rank - 1] != b->dim[0])
        return infer_say(x, "shapes %s and %s do not fit: %u columns, %u rows",
                         shape(x, a), shape(x, b), a->dim[a->rank - 1],
                         b->dim[0]);
    x->out->rank = 0;
    if (a->rank == 2)
        x->out->dim[x->out->rank++] = a->dim[0];
    if (b->rank == 2)
        x->out->dim[x->out->rank++] = b->dim[1];
    return NULL;
}

static const char *
matmul(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, 1);

    if (a->base != b->base)
        return infer_say(x, "real and integer do not mix in matmul");
    *x->out = *a;
    x->out->enc = a->enc || b->enc;
    corners(x, IR_mul);
    repeated(x, b->dim[0]);
    return infer_product_shape(x, a, b);
}

static const char *
reduce(struct infer *x)
{
    const uint32_t axis = x->as->sum.axis; /* the same place in all of them */
    const struct ir_type *a = infer_in(x, 0);

    if (axis >= a->rank)
        return infer_say(x, "shape %s has no axis %u", shape(x, a), axis);
    *x->out = *a;
    x->out->ranged = a->ranged && a->base == IR_INT;
    if (x->op == IR_sum)
        repeated(x, a->dim[axis]);
    x->out->rank--;
    for (uint32_t i = axis; i < x->out->rank; i++)
        x->out->dim[i] = a->dim[i + 1];
    return NULL;
}

static const char *
mean(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_REAL)
        return infer_say(x, "mean takes reals");
    return reduce(x);
}

static const char *
argmax(struct infer *x)
{
    const char *why = reduce(x);

    if (why)
        return why;
    x->out->base = IR_INT;
    x->out->ranged = true;
    x->out->ilo = 0;
    x->out->ihi = (int64_t)infer_in(x, 0)->dim[x->as->argmax.axis] - 1;
    return NULL;
}

/* how many come before: larger ones, and equal ones of a lower index */
static const char *
rank(struct infer *x)
{
    if (x->as->rank.axis >= infer_in(x, 0)->rank)
        return infer_say(x, "shape %s has no axis %u", shape(x, infer_in(x, 0)),
                         x->as->rank.axis);
    *x->out = *infer_in(x, 0);
    x->out->base = IR_INT;
    x->out->ranged = true;
    x->out->ilo = 0;
    x->out->ihi = (int64_t)infer_in(x, 0)->dim[x->as->rank.axis] - 1;
    return NULL;
}

static const char *
softmax(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_REAL)
        return infer_say(x, "softmax takes reals");
    if (x->as->softmax.axis >= infer_in(x, 0)->rank)
        return infer_say(x, "shape %s has no axis %u", shape(x, infer_in(x, 0)),
                         x->as->softmax.axis);
    return same(x);
}

static const char *
real(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_INT)
        return infer_say(x, "%s takes integers", ir_ops[x->op].name);
    *x->out = *infer_in(x, 0);
    x->out->base = IR_REAL;
    x->out->ranged = false;
    return NULL;
}

static const char *
encrypt(struct infer *x)
{
    if (infer_in(x, 0)->enc)
        return infer_say(x, "this is encrypted already");
    *x->out = *infer_in(x, 0);
    x->out->enc = true;
    return NULL;
}

static const char *
decrypt(struct infer *x)
{
    if (!infer_in(x, 0)->enc)
        return infer_say(x, "this is not encrypted");
    *x->out = *infer_in(x, 0);
    x->out->enc = false;
    return NULL;
}

static const char *
quant(struct infer *x)
{
    const int64_t limit = (int64_t)1 << 53;

    if (infer_in(x, 0)->base != IR_REAL)
        return infer_say(x, "quant takes reals");
    if (x->as->quant.lo < -limit || x->as->quant.hi > limit
        || x->as->quant.lo > x->as->quant.hi)
        return infer_say(x, "a grid has lo <= hi, of 53 bits");
    *x->out = *infer_in(x, 0);
    x->out->base = IR_INT;
    x->out->ranged = true;
    x->out->ilo = x->as->quant.lo;
    x->out->ihi = x->as->quant.hi;
    return NULL;
}

/* The hull of a table's entries, or NULL with a phrase. */
static const char *
hull(struct infer *x, const char *name)
{
    const struct ir_blob *b = ir_blob_find(x->f, name, false);

    if (!b || b->type.base != IR_INT || b->type.rank != 2)
        return infer_say(x, "there is no table @%s", name);
    hull_of(x->out, b);
    return NULL;
}

static const char *
lut(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_INT || !infer_in(x, 0)->enc)
        return infer_say(x, "a table takes encrypted integers");
    *x->out = *infer_in(x, 0);
    return hull(x, x->as->lut.table);
}

/* Of integers, whose range the table has to hold; or of reals that hold them
 * (quantize), which gives reals. */
static const char *
select(struct infer *x)
{
    const struct ir_blob *b = ir_blob_find(x->f, x->as->select.table, false);
    const struct ir_type *a = infer_in(x, 0);

    if (!b || b->type.rank != 2 || b->type.base > IR_INT)
        return infer_say(x, "there is no table @%s", x->as->select.table);
    *x->out = *a;
    x->out->ranged = false;
    if (a->base == IR_REAL)
        return NULL;
    if (!a->ranged || a->ilo < 0 || a->ihi >= (int64_t)b->type.dim[1])
        return infer_say(x, "a table of %u entries is indexed from 0 to %u",
                         b->type.dim[1], b->type.dim[1] - 1);
    x->out->base = b->type.base;
    if (b->type.base == IR_INT)
        hull_of(x->out, b);
    return NULL;
}

static const char *
low_bit(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_INT)
        return infer_say(x, "low_bit takes integers");
    *x->out = *infer_in(x, 0);
    x->out->ranged = true;
    x->out->ilo = 0;
    x->out->ihi = 1;
    return NULL;
}

static const char *
proved(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_INT)
        return infer_say(x, "proved takes integers");
    if (x->as->proved.lo > x->as->proved.hi || x->as->proved.shift > 62)
        return infer_say(x,
                         "an interval has lo <= hi, a shift at most 62 bits");
    *x->out = *infer_in(x, 0);
    x->out->ranged = true;
    x->out->ilo = x->as->proved.lo;
    x->out->ihi = x->as->proved.hi;
    return NULL;
}

/* What every op asks of its operands, before its own rule. */
static const char *
level(const struct infer *x)
{
    for (size_t i = 0; i < x->nin && !ir_ops[x->op].cipher; i++)
        if (infer_in(x, i)->base > IR_INT && x->op != IR_output)
            return infer_say(x, "%s takes no ciphertexts", ir_ops[x->op].name);
    return NULL;
}

/* A shape that is about to be asked for as memory. */
static bool
too_large(const struct ir_type *t)
{
    uint64_t n = 1;

    for (size_t i = 0; i < t->rank && n <= IR_MAX_CELLS; i++)
        n *= t->dim[i];
    return n > IR_MAX_CELLS;
}

static const char *(*const rules[IR_NOPS])(struct infer *x) = {
/* clang-format off */
#define A(op, kind, field)
#define T(name, nin, infer, traits, attrs) [IR_##name] = infer,
#define C(family, name, nin, infer, traits, attrs) \
    [IR_##family##_##name] = cipher_##infer,
#include "ir/ops.def"
    /* clang-format on */
};

const char *
infer_like(struct infer *x, enum ir_op op)
{
    return rules[op](x);
}

/* What the server makes of values that it sees, and of constants, it sees. */
static bool
is_open(const struct infer *x)
{
    bool open = false;

    if (x->op == IR_disclose || x->op == IR_encrypt)
        return x->op == IR_disclose;
    for (size_t i = 0; i < x->nin; i++) {
        if (infer_in(x, i)->enc && !infer_in(x, i)->open)
            return false;
        open = open || infer_in(x, i)->open;
    }
    return open && x->out->enc && x->out->base <= IR_INT;
}

const char *
ir_infer(struct arena *mem, const struct ir_func *f, enum ir_op op,
         const ir_ref *in, size_t nin, const union ir_attrs *as,
         const struct ir_type *given, struct ir_type *out)
{
    static const union ir_attrs zero;
    struct infer x = { mem, f, op, in, nin, as ? as : &zero, given, out };
    const char *why;

    *out = (struct ir_type){ 0 };
    if (ir_ops[op].nin >= 0 && (size_t)ir_ops[op].nin != nin)
        return infer_say(&x, "%s takes %d operands", ir_ops[op].name,
                         ir_ops[op].nin);
    why = level(&x);
    why = why ? why : rules[op](&x);
    out->open = !why && is_open(&x);
    if (!why && too_large(out))
        return infer_say(&x, "the result has too many elements");
    return why;
}
