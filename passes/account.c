/* Costs by op from the circuit, failures by op from its events; see account.h.
 */
#include "passes/account.h"

#include "passes/budget.h"
#include "passes/cost.h"
#include "passes/encode.h"
#include "passes/inner.h"
#include "passes/sets.h"
#include "passes/slots.h"

#include <math.h>

struct account
account_none(void)
{
    return (struct account){ .log2_pfail = (double)-INFINITY,
                             .margin = (double)INFINITY };
}

struct account
account_sum(struct account a, struct account b)
{
    return (struct account){
        .bootstraps = a.bootstraps + b.bootstraps,
        .ms = a.ms + b.ms,
        .log2_pfail = model_log2_add(a.log2_pfail, b.log2_pfail),
        .margin = fmin(a.margin, b.margin),
    };
}

/* ---- costs, (55) to (57) */

static double
dimension(const struct ir_params *s)
{
    return model_dimension((struct model_ring){ s->k, s->log2_n, s->ternary });
}

/* with the keyswitch that it reads */
static double
table_ns(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_params *s = ir_params_of(f, ins->type.set);
    const struct ir_ins *in = ir_at(f, ins->in[0]);
    const struct model_ring r = { s->k, s->log2_n, s->ternary };

    return s->n * cost_cmux(r, s->br_levels)
           + cost_ks(dimension(ir_params_of(f, ir_from_set(f, in))), s->n,
                     s->ks_levels);
}

/* a rotation and a keyswitch each bit, and (58) to (60) */
static double
wide_ns(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_params *s = ir_params_of(f, ins->type.set);
    const struct model_ring r = { s->k, s->log2_n, s->ternary };
    const uint32_t bits = ins->as.lwe_bit_lut.bits;
    struct search_event e[ENCODE_MAX_WIDE] = { 0 };
    const struct search_problem p = { .event = e, .n = bits };

    for (uint32_t i = 0; i < bits; i++)
        e[i] = (struct search_event){ .wide = true,
                                      .width = i ? 0 : bits,
                                      .count = 1 };
    return bits
               * (s->n * cost_cmux(r, s->br_levels)
                  + cost_ks(dimension(s), s->n, s->ks_levels))
           + search_wide_cost(s, &p);
}

static double
convert_ns(const struct ir_func *f, const struct ir_ins *ins)
{
    const uint32_t from = ir_from_set(f, ins), to = ins->type.set;

    return cost_ks(dimension(ir_params_of(f, from)),
                   dimension(ir_params_of(f, to)),
                   ir_switch_of(f, from, to, true)->levels);
}

static double
op_ms(const struct ir_func *f, const struct ir_ins *ins)
{
    const double n = (double)ir_count(&ins->type);

    if (ir_is_bootstrap(ins))
        return (double)ir_bootstraps(f, ins) * table_ns(f, ins) / 1e6;
    if (ins->op == IR_lwe_bit_lut)
        return n * wide_ns(f, ins) / 1e6;
    if (ins->op == IR_lwe_convert)
        return n * convert_ns(f, ins) / 1e6;
    if (!ir_ops[ins->op].cipher)
        return 0;
    if (ins->op == IR_glwe_to_ggsw || ins->op == IR_ggsw_forest
        || ins->op == IR_ggsw_lut || ins->op == IR_ggsw_encrypt
        || ins->op == IR_glwe_expand || ins->op == IR_ggsw_products)
        return leveled_ms(f, ins);
    return budget_additions(f, ins) * dimension(ir_params_of(f, ins->type.set))
           * cost_linear() / 1e6;
}

/* ---- events */

static void
add_event(struct account *to, const struct ir_params *s,
          const struct search_event *e, double share, double bound)
{
    const struct reply r = budget_event(s, e, share);
    const struct account a = { .log2_pfail = r.log2_pfail + log2(e->count),
                               .margin = r.sigmas / model_kappa(bound) };

    *to = account_sum(*to, a);
}

static void
events_of_one(struct account *row, const struct ir_func *before,
              const struct ir_func *after, const struct search_problem *p)
{
    const double share = budget_share(&after->params, p);

    for (size_t i = 0; i < p->n; i++)
        add_event(&row[before->ins[p->event[i].tag].from], &after->params,
                  &p->event[i], share, p->log2_pfail);
}

/* The choice of sets that `after` was built by: sets_build.c writes op after
 * op, a table with its keyswitch before it and its conversion behind it. */
static void
choice(struct sets *s, const struct sets_problem *p, struct arena *mem,
       const struct ir_func *after)
{
    const struct ir_func *f = p->f;
    uint32_t a = 0;

    s->n = after->sets.more + 1;
    s->of_cluster = arena_new(mem, uint32_t, f->n);
    for (uint32_t i = 0; i < s->n; i++) {
        s->at[i] = *ir_params_of(after, i);
        for (uint32_t j = 0; j < s->n; j++) {
            const struct ir_switch *w = ir_switch_of(after, i, j, true);

            if (w)
                s->convert[i][j] =
                    (struct model_gadget){ w->levels, w->log2_base };
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        const uint16_t op = f->ins[i].op;
        const bool table = sets_is_table(&f->ins[i]);

        if (op == IR_lwe_keyswitch)
            continue;
        while (after->ins[a].op != op)
            if (++a == after->n)
                bug("params lost %s", ir_ops[op].name);
        if (table)
            s->of_class[p->class[i]] = after->ins[a].type.set;
        if (table && a + 1 < after->n && after->ins[a + 1].op == IR_lwe_convert)
            a++;
        if (pass_encrypted(&after->ins[a].type)) /* no number it decrypts to */
            s->of_cluster[p->cluster[i]] = after->ins[a].type.set;
        a++;
    }
}

static void
events_of_several(struct account *row, struct arena *mem,
                  const struct ir_func *before, const struct ir_func *after,
                  const struct search_problem *one)
{
    struct search_problem view[IR_MAX_SETS];
    struct sets_problem p;
    struct sets s = { 0 };
    double share;

    if (!sets_problem(&p, mem, before, one))
        bug("a circuit of several sets has none to choose");
    choice(&s, &p, mem, after);
    for (uint32_t i = 0; i < s.n; i++)
        view[i] =
            sets_view(&s, &p, i, arena_new(mem, struct search_event, p.n));
    share = budget_share(&s.at[0], &view[0]);
    for (size_t i = 0; i < p.n; i++) {
        const uint32_t home = s.of_cluster[p.event[i].cluster];

        add_event(&row[before->ins[p.event[i].op].from], &s.at[home],
                  &view[home].event[i], share, p.log2_pfail);
    }
}

struct account *
account_of(struct arena *mem, const struct ir_func *before,
           const struct ir_func *after, uint32_t n)
{
    struct arena scratch = { 0 };
    const struct search_problem p = budget_of(&scratch, before);
    /* row 0 is for ops that know of none */
    struct account *row = arena_new(mem, struct account, n + 1u);

    for (uint32_t i = 0; i <= n; i++)
        row[i] = account_none();
    if (after->sets.more)
        events_of_several(row, &scratch, before, after, &p);
    else
        events_of_one(row, before, after, &p);
    for (uint32_t i = 0; i < after->n; i++) {
        const struct ir_ins *ins = &after->ins[i];

        row[ins->from].ms += op_ms(after, ins);
        row[ins->from].bootstraps += (double)ir_bootstraps(after, ins);
    }
    if (row[0].bootstraps > 0 || row[0].ms > 0)
        bug("ops of %s belong to none of the circuit of integers", after->name);
    arena_free(&scratch);
    return row + 1;
}

/* ---- files */

/* of a file; seed of its masks, or of all keys; hash */
static const double header = 128, seed = 32, tail = 32;

double
account_client_key(void)
{
    return header + seed + tail;
}

/* Automorphism and switch bodies. */
static bool
wide_part(const struct ir_func *f, struct account_part *out)
{
    uint32_t set = f->sets.more;
    const struct ir_params *s;
    double rows;

    while (set > 0 && ir_params_of(f, set)->tr_levels == 0)
        set--;
    s = ir_params_of(f, set);
    if (s->tr_levels == 0)
        return false;
    rows = (double)s->log2_n * s->k * s->tr_levels
           + s->k * (s->k + 1.0) * s->ss_levels;
    out->key = "wide tables";
    out->set = set;
    out->bytes = 8 * rows * ldexp(1, (int)s->log2_n);
    return true;
}

/* Automorphism keys of a graded expansion, and the key of s^2. */
static bool
leveled_part(const struct ir_func *f, struct account_part *out)
{
    const struct leveled_keys k = leveled_keys_of(ir_expansion_keys(f));
    double rows = k.ss.levels;

    for (uint32_t q = 0; q < k.steps; q++)
        rows += k.step[q].levels;
    out->key = "selections";
    out->set = 0;
    out->bytes = 8 * rows * model_degree(leveled_ring());
    return k.steps > 0;
}

/* Each set has three parts, then come those of wide tables and selections,
 * which one set has, and the switches. */
bool
account_eval_part(const struct ir_func *f, uint32_t i, struct account_part *out)
{
    static const char *const name[] = { "bootstrap", "keyswitch", "zeros" };
    const uint32_t sets = f->sets.more + 1, set = i / 3;
    const struct ir_params *s;

    if (set >= sets) {
        const bool special = wide_part(f, out) || leveled_part(f, out);
        const uint32_t sw = i - 3 * sets - special;

        if (special && i == 3 * sets)
            return true;
        if (sw >= f->sets.switches)
            return false;
        out->key = f->sets.sw[sw].big ? "switch to another big key"
                                      : "switch to another small key";
        out->set = f->sets.sw[sw].from;
        out->bytes =
            seed
            + 4 * dimension(ir_params_of(f, out->set)) * f->sets.sw[sw].levels;
        return true;
    }
    s = ir_params_of(f, set);
    out->key = name[i % 3];
    out->set = set;
    if (i % 3 == 0)
        out->bytes =
            8.0 * s->n * (s->k + 1) * s->br_levels * ldexp(1, (int)s->log2_n);
    else if (i % 3 == 1)
        out->bytes = s->n ? 4 * dimension(s) * s->ks_levels : 0;
    else
        out->bytes = seed + 8 * dimension(s);
    return true;
}

double
account_eval_key(const struct ir_func *f)
{
    double sum = header + tail;
    struct account_part part;

    for (uint32_t i = 0; account_eval_part(f, i, &part); i++)
        sum += part.bytes;
    return sum;
}

double
account_input_row(const struct ir_func *f)
{
    double sum = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_glwe_encrypt || ins->op == IR_disclose)
            sum += 8 * (double)ir_count(&ins->type);
        if (ins->op == IR_ggsw_encrypt) /* a row of N words, of whole bytes */
            sum += 2.0 * ins->as.ggsw_encrypt.levels * ins->type.dim[0]
                   * ceil(ins->as.ggsw_encrypt.keep_bits
                          * ldexp(1, IR_LOG2_LEVELED) / 8);
    }
    return sum;
}

double
account_output_row(const struct ir_func *f)
{
    double sum = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_lwe_answer)
            sum += (double)ir_count(&ins->type)
                   * (dimension(ir_params_of(f, ins->type.set)) + 1)
                   * ins->as.lwe_answer.word_bits / 8;
        if (ins->op == IR_glwe_answer)
            sum += ((double)ir_count(&ins->type)
                    + dimension(ir_params_of(f, ins->type.set)))
                   * ins->as.glwe_answer.word_bits / 8;
    }
    return sum;
}
