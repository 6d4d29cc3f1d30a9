/* Events of a program, and what they leave for its answers; see budget.h. */
#include "passes/budget.h"

#include "passes/encode.h"
#include "passes/multi_value.h"

#include <math.h>

static const struct ir_type *
operand(const struct ir_func *f, const struct ir_ins *ins)
{
    return &ir_at(f, ins->in[0])->type;
}

/* (5); approximate tables have the guard (47), and a standard deviation of a
 * quarter step of the code that the user asked for, (46). */
static struct search_event
table_event(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = operand(f, ins);
    const int bits = (int)ins->as.lwe_pbs.bits;
    const uint32_t approx = ins->op == IR_lwe_pbs ? ins->as.lwe_pbs.approx : 0;
    struct search_event e = { .c_in = in->lo,
                              .c_br = in->hi,
                              .c_ext = in->wide,
                              .table = true,
                              .tau = ldexp(1, -(bits + 2)),
                              .count = (double)ir_bootstraps(f, ins),
                              .min_log2_n = (uint32_t)bits + ir_theta(ins),
                              .theta = ir_theta(ins),
                              .tag = i };

    if (approx) {
        e.tau = ENCODE_GUARD;
        e.v_max = ldexp(1, -2 * ((int)approx + 3));
        e.min_log2_n = approx;
    }
    return e;
}

/* (50): each bit of a wide table is an event. */
static void
wide_events(struct search_problem *p, struct search_event *event,
            const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = operand(f, ins);
    const uint32_t bits = ins->as.lwe_bit_lut.bits;

    for (uint32_t bit = 0; bit < bits; bit++) {
        const double scale = exp2(2.0 * (bits - 1 - bit));

        event[p->n++] = (struct search_event){
            .c_in = scale * in->lo,
            .c_br = scale * (in->hi + bit),
            .c_ext = scale * in->wide,
            .table = true,
            .wide = true,
            .width = bit == 0 ? bits : 0,
            .tau = 0.25,
            .count = (double)ir_count(&ins->type),
            .tag = i,
        };
    }
}

/* Half the distance of two messages. */
static struct search_event
answer_event(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = operand(f, ins);

    return (struct search_event){ .c_in = in->lo,
                                  .c_br = in->hi,
                                  .c_ext = in->wide,
                                  .c_zero = 1,
                                  .tau = ldexp(1, in->log2_delta - 65),
                                  .count = (double)ir_count(&ins->type),
                                  .tag = i };
}

static struct search_event
leveled_event(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = operand(f, ins);

    return (struct search_event){ .rest = in->lo,
                                  .c_zero = 1,
                                  .leveled = true,
                                  .tau = ldexp(1, in->log2_delta - 65),
                                  .count = (double)ir_count(&ins->type),
                                  .tag = i };
}

/* of coefficients of the rotation, (40); each row of tables has as many turns
 */
static double
products(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_blob *b = ir_data(f, ins->as.lwe_pbs_many.table);
    const size_t rows = b->type.dim[0], size = b->type.dim[1];
    double terms = 0;

    for (size_t r = 0; r < rows && ins->as.lwe_pbs_many.products; r++)
        terms +=
            (double)multi_terms(b->cell + r * size, ins->as.lwe_pbs_many.bits);
    return terms * (double)ir_count(&ins->type) / (double)rows;
}

double
budget_additions(const struct ir_func *f, const struct ir_ins *ins)
{
    const double out = (double)ir_count(&ins->type);

    switch ((int)ins->op) {
    case IR_lwe_add:
    case IR_lwe_sub:
    case IR_lwe_mul_open:
    case IR_lwe_mul_clear: return out;
    case IR_lwe_sum: return (double)ir_count(operand(f, ins));
    case IR_lwe_matmul_clear: return out * (double)ir_channels(operand(f, ins));
    case IR_lwe_pbs_many: return products(f, ins);
    }
    return 0;
}

struct search_problem
budget_of(struct arena *mem, const struct ir_func *f)
{
    struct search_event *event =
        arena_new(mem, struct search_event, (size_t)f->n * ENCODE_MAX_WIDE);
    struct search_problem p = {
        .event = event,
        .log2_pfail = ir_get(f, "log2_pfail", -128),
        .level = (int)ir_get(f, "security", 132),
    };

    for (uint32_t i = 0; i < f->n; i++) {
        p.additions += budget_additions(f, &f->ins[i]);
        if (ir_is_bootstrap(&f->ins[i]))
            event[p.n++] = table_event(f, i);
        if (f->ins[i].op == IR_lwe_bit_lut)
            wide_events(&p, event, f, i);
        if (f->ins[i].op == IR_lwe_answer)
            event[p.n++] = answer_event(f, i);
        if (f->ins[i].op == IR_glwe_answer)
            event[p.n++] = leveled_event(f, i);
    }
    return p;
}

static double
tail(const struct ir_params *s, const struct search_event *e)
{
    return model_log2_pfail(search_variance(s, e), e->tau);
}

/* log2(2^a - 2^b), -inf if that is not positive */
static double
log2_minus(double a, double b)
{
    return b < a ? a + log2(1 - exp2(b - a)) : (double)-INFINITY;
}

/* Answers that need more than an equal share have what they need, as tables
 * do; the others share the rest.  Such a step lowers the share, so that one
 * more answer may need more. */
double
budget_share(const struct ir_params *s, const struct search_problem *p)
{
    double share = (double)INFINITY, before;

    do {
        double spent = (double)-INFINITY, answers = 0;

        before = share;
        for (size_t i = 0; i < p->n; i++) {
            const struct search_event *e = &p->event[i];
            const double own = tail(s, e);

            if (e->table || own > before)
                spent = model_log2_add(spent, log2(e->count) + own);
            else
                answers += e->count;
        }
        if (answers > 0)
            share = log2_minus(p->log2_pfail, spent) - log2(answers);
    } while (share < before);
    return share;
}

struct reply
budget_reply(const struct ir_params *s, const struct search_event *answer,
             double share)
{
    const struct model_ring ring = { s->k, s->log2_n, s->ternary };
    double v = search_variance(s, answer), tau = answer->tau;
    const double cut = v + model_v_cut(ring, 32);
    struct reply r = { .word_bits = 64, .log2_flood = -1 };

    if (model_log2_pfail(cut, tau) <= share) {
        r.word_bits = 32;
        v = cut;
    }
    if (model_log2_pfail(v, tau) <= share)
        r.log2_flood = model_flood(tau, v, share);
    if (r.log2_flood >= 0)
        tau -= ldexp(1, r.log2_flood - 64);
    r.log2_pfail = model_log2_pfail(v, tau);
    r.sigmas = tau / sqrt(v);
    return r;
}

struct reply
budget_event(const struct ir_params *s, const struct search_event *e,
             double share)
{
    const struct reply r = { .log2_pfail = tail(s, e),
                             .sigmas = e->tau / sqrt(search_variance(s, e)) };

    return e->table ? r : budget_reply(s, e, share);
}

double
budget_pfail(const struct ir_params *s, const struct search_problem *p)
{
    const double share = budget_share(s, p);
    double sum = (double)-INFINITY;

    for (size_t i = 0; i < p->n; i++) {
        const struct search_event *e = &p->event[i];
        const double one = budget_event(s, e, share).log2_pfail;

        sum = model_log2_add(sum, log2(e->count) + one);
    }
    return sum;
}
