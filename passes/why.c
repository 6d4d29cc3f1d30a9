/* Follows the linear work above a value to what its interval is proved from. */
#include "passes/why.h"

#include "passes/encode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* The widest input or table, and the largest weights, among the linear ops
 * above a value. */
struct proof {
    const struct ir_func *f;
    const struct ir_ins *origin, *weights;
    const struct ir_blob *blob; /* of the weights */
};

static unsigned
width(const struct ir_ins *ins)
{
    return ir_bits(ins->type.ilo, ins->type.ihi);
}

static int64_t
largest(const struct ir_blob *b)
{
    int64_t most = 0;

    for (size_t i = 0; b && i < ir_count(&b->type); i++) {
        const int64_t v = b->cell[i].i;
        const int64_t x = v > 0 ? v : v > -INT64_MAX ? -v : INT64_MAX;

        most = x > most ? x : most;
    }
    return most;
}

static void
look_at(struct proof *p, uint32_t i, bool *above)
{
    const struct ir_ins *ins = &p->f->ins[i];
    const struct ir_blob *b;

    if (pass_constant(p->f, (ir_ref){ i }, &b)) {
        if (!p->weights || largest(b) > largest(p->blob)) {
            p->weights = ins;
            p->blob = b;
        }
        return;
    }
    if (pass_sent(ins) || ins->op == IR_lut) {
        if (!p->origin || width(ins) > width(p->origin))
            p->origin = ins;
        return;
    }
    for (size_t j = 0; j < ins->nin; j++)
        above[ins->in[j].id] = true;
}

const char *
why_input(const struct ir_func *f, const struct ir_ins *ins)
{
    while (ins->op != IR_input && ins->nin > 0)
        ins = ir_at(f, ins->in[0]);
    return ins->op == IR_input ? ins->as.input.name : NULL;
}

static void say(const struct why_chain *c, struct span at, const char *fmt, ...)
    CML_PRINTF(3, 4);

static void
say(const struct why_chain *c, struct span at, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->say(c->arg, at, text);
}

void
why_asked(const struct why_chain *c, const struct ir_func *f, const char *name,
          const char *family)
{
    const char *const of[] = { name, family };

    for (size_t i = 0; i < 2; i++) {
        const struct ir_setting *s;
        char key[256];

        snprintf(key, sizeof key, "bits.%s", of[i] ? of[i] : "");
        s = ir_setting(f, key);
        if (s) {
            say(c, s->at, "%g bits were asked for here", s->value);
            return;
        }
    }
}

static void
say_origin(const struct why_chain *c, const struct ir_func *f,
           const struct ir_ins *origin)
{
    const bool input = pass_sent(origin);
    const char *name = input ? why_input(f, origin) : NULL;

    say(c, origin->at,
        "proved from %zu %s of %u bits, in [%" PRId64 ", %" PRId64 "]",
        ir_count(&origin->type), input ? "inputs" : "values", width(origin),
        origin->type.ilo, origin->type.ihi);
    why_asked(c, f, name, input ? "inputs" : "activations");
}

/* The declared param that integer weights were made of: w of w.int.  NULL for
 * a name of the compiler's. */
static const char *
declared_name(struct arena *mem, const char *name)
{
    const size_t n = ir_blob_declared(name);

    return n ? arena_string(mem, name, n) : NULL;
}

void
why_chain(const struct why_chain *c, const struct ir_func *f, ir_ref v,
          struct interval h)
{
    bool *above = arena_new(c->mem, bool, f->n);
    struct proof p = { f, NULL, NULL, NULL };
    const char *weights;

    above[v.id] = true;
    for (uint32_t i = v.id + 1; i-- > 0;)
        if (above[i])
            look_at(&p, i, above);
    say(c, ir_at(f, v)->at, "it lies in [%" PRId64 ", %" PRId64 "]", h.lo,
        h.hi);
    if (p.origin)
        say_origin(c, f, p.origin);
    if (p.weights) {
        weights = declared_name(c->mem, p.blob->name);
        if (weights)
            say(c, p.weights->at, "and from weights up to %" PRId64 ", of '%s'",
                largest(p.blob), weights);
        else
            say(c, p.weights->at, "and from constants up to %" PRId64,
                largest(p.blob));
        if (weights)
            why_asked(c, f, weights, "weights");
    }
}

static void
note(void *diag, struct span at, const char *text)
{
    diag_note(diag, at, "%s", text);
}

void
why_range(struct pass_ctx *cx, const struct ir_func *f, ir_ref v,
          struct interval h)
{
    const struct why_chain c = { cx->scratch, note, cx->diag };

    why_chain(&c, f, v, h);
}

void
why_table_too_wide(struct pass_ctx *cx, struct span at, const struct ir_func *f,
                   ir_ref v, struct interval h, unsigned bits, bool approx)
{
    diag_error(cx->diag, at, E_too_wide,
               "this table needs %u bits, the widest has %u", bits,
               encode_widest(approx));
    why_range(cx, f, v, h);
    diag_help(cx->diag, "fewer bits for the inputs or the weights, or "
                        "round_bits of integers before the table");
    cx->status = 6;
}
