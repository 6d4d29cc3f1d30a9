/* Noise of selections without bootstraps, lang-spec/crypto.md 17.
 *
 * N = 2048, k = 1, a ternary key.  Variances are relative to the torus.
 */
#include "passes/leveled.h"

#include <math.h>
#include <stdlib.h>

struct model_ring
leveled_ring(void)
{
    return (struct model_ring){ 1, IR_LOG2_LEVELED, true };
}

/* Errors of step q are doubled in each later one, and there are twice as many
 * keyswitches a step: fine gadgets first, coarse ones where the work is. */
void
leveled_grade(struct leveled_keys *k, uint32_t first, uint32_t last)
{
    for (uint32_t q = 0; q < k->steps; q++) {
        const double base =
            k->steps > 1 ? first + ((double)last - first) * q / (k->steps - 1)
                         : last;
        const uint32_t b = (uint32_t)lround(base);

        k->step[q] = (struct model_gadget){
            (uint32_t)ceil((LEVELED_FIRST - 0.5 * q) / b), b
        };
    }
}

/* rows of a keyswitch: fresh noise times digits, and its transforms */
static double
v_rows(uint32_t rows, struct model_gadget g, double sigma2)
{
    const struct model_ring r = leveled_ring();

    return rows * model_degree(r) * sigma2 * model_digit_m2(g)
           + model_v_fft(r, rows, g.log2_base);
}

/* (82) */
double
leveled_v_auto(struct model_gadget g, double sigma2)
{
    return v_rows(g.levels, g, sigma2)
           + model_key_norm2(leveled_ring()) * model_round_err(g) / 12;
}

/* (83) */
double
leveled_v_body(const struct leveled_keys *k, double sigma2)
{
    double v = ldexp(sigma2, (int)k->steps);

    for (uint32_t q = 0; q < k->steps; q++)
        v += ldexp(leveled_v_auto(k->step[q], sigma2), (int)(k->steps - 1 - q));
    return v;
}

/* (93): a coefficient that is kept in each step has its error doubled, not only
 * added to another's. */
double
leveled_v_expand(const struct leveled_keys *k, double sigma2)
{
    double v = sigma2;

    for (uint32_t q = 0; q < k->steps; q++)
        v = 4 * v + leveled_v_auto(k->step[q], sigma2);
    return v;
}

/* (85) with (84) */
double
leveled_v_mask(const struct leveled_keys *k, double v_body, double sigma2)
{
    const double norm2 = model_key_norm2(leveled_ring());

    return norm2 * v_body + v_rows(k->ss.levels, k->ss, sigma2)
           + norm2 * norm2 * model_round_err(k->ss) / 12;
}

/* (86) with |M| = 1: the masks of mask rows are not reduced before the product,
 * which costs bits of the transform. */
double
leveled_v_cmux(const struct leveled_keys *k, struct model_gadget g,
               double v_body, double v_mask)
{
    const struct model_ring r = leveled_ring();
    const double n = model_degree(r);
    const double unreduced = model_v_fft(r, g.levels, g.log2_base) * n
                             * k->ss.levels * model_digit_m2(k->ss);

    return n * g.levels * model_digit_m2(g) * (v_body + v_mask)
           + (1 + model_key_norm2(r)) * model_round_err(g) / 12
           + model_v_fft(r, 2 * g.levels, g.log2_base) + unreduced;
}

struct leveled_keys
leveled_keys_of(struct ir_expansion x)
{
    struct leveled_keys k = { .steps = x.steps,
                              .ss = { x.switch_levels, x.switch_log2_base } };

    for (size_t q = 0; q < k.steps; q++)
        k.step[q] = (struct model_gadget){ (uint32_t)x.gadget[2 * q].i,
                                           (uint32_t)x.gadget[2 * q + 1].i };
    return k;
}

struct model_gadget
leveled_gadget_of(const struct ir_ins *ins)
{
    return (struct model_gadget){ ins->nin, ins->as.glwe_to_ggsw.log2_base };
}

/* A product for each bit; none amplifies what it chooses from. */
double
leveled_v_lut(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_ins *bits = ir_at(f, ins->in[0]);
    const struct leveled_keys keys = leveled_keys_of(ir_expansion_of(f, bits));

    return bits->type.dim[0]
           * leveled_v_cmux(&keys, leveled_gadget_of(bits), bits->type.lo,
                            bits->type.hi);
}

/* ---- a forest: leaf pairs, and products in series */

struct pair {
    int64_t where, left, right; /* the bit, leaves */
};

static int
by_bit(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return (x->where > y->where) - (x->where < y->where);
}

/* |W|^2 of (87): a bit between leaves has one error wherever it is used, so the
 * differences of leaves that it chooses between add up, whatever their signs.
 * Positions of two bits are a leaf apart and share no coefficient. */
static double
pair_weights(struct arena *mem, const struct ir_blob *nodes,
             const struct ir_blob *leaves)
{
    const size_t width = leaves->type.dim[1];
    struct pair *pair = arena_new(mem, struct pair, nodes->type.dim[0]);
    double *sum = arena_new(mem, double, width), v = 0;
    size_t n = 0;

    for (size_t i = 0; i < nodes->type.dim[0]; i++) {
        const union ir_cell *at = nodes->cell + 4 * i;

        if (at[0].i)
            pair[n++] = (struct pair){ at[1].i, ~at[2].i, ~at[3].i };
    }
    qsort(pair, n, sizeof *pair, by_bit);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++) {
            const union ir_cell *l = leaves->cell + k;

            if (i == 0 || pair[i - 1].where != pair[i].where)
                sum[k] = 0;
            sum[k] += fabs((double)l[(size_t)pair[i].right * width].i
                           - (double)l[(size_t)pair[i].left * width].i);
            if (i + 1 == n || pair[i + 1].where != pair[i].where)
                v += sum[k] * sum[k];
        }
    return v;
}

double
leveled_v_forest(struct arena *mem, const struct ir_func *f,
                 const struct ir_ins *ins, double sigma2)
{
    const struct ir_blob *nodes = ir_data(f, ins->as.ggsw_forest.nodes);
    const struct ir_blob *leaves = ir_data(f, ins->as.ggsw_forest.leaves);
    const struct ir_blob *roots = ir_data(f, ins->as.ggsw_forest.roots);
    const size_t n = nodes->type.dim[0], width = leaves->type.dim[1];
    struct leveled_node *node = arena_new(mem, struct leveled_node, n);
    int64_t *root = arena_new(mem, int64_t, roots->type.dim[0]);
    int64_t *leaf = arena_new(mem, int64_t, ir_count(&leaves->type));
    const struct ir_ins *pairs = ir_at(f, ins->in[0]);
    double v = pair_weights(mem, nodes, leaves)
               * (pairs->op == IR_glwe_expand ? 2 * pairs->type.lo : sigma2);

    for (size_t i = 0; i < n; i++)
        node[i] = (struct leveled_node){
            (uint32_t)nodes->cell[4 * i + 1].i,
            nodes->cell[4 * i].i == 1,
            { nodes->cell[4 * i + 2].i, nodes->cell[4 * i + 3].i },
        };
    for (size_t i = 0; i < ir_count(&leaves->type); i++)
        leaf[i] = leaves->cell[i].i;
    for (uint32_t t = 0; t < roots->type.dim[0]; t++)
        root[t] = roots->cell[t].i;
    if (ins->nin == 2) {
        const struct ir_ins *bits = ir_at(f, ins->in[1]);
        const struct leveled_keys keys =
            leveled_keys_of(ir_expansion_of(f, bits));

        v += leveled_chain(mem, node, n, root, roots->type.dim[0], leaf, width)
             * leveled_v_cmux(&keys, leveled_gadget_of(bits), bits->type.lo,
                              bits->type.hi);
    }
    return v;
}
