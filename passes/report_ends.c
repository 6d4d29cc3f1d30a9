/* The ends of a model in its report: what comes in, what goes out, and what the
 * two sides learn of each other. */
#include "passes/report_inner.h"

#include "ir/forest.h"
#include "passes/inner.h"

#include <inttypes.h>
#include <string.h>

void
report_shape(struct json_out *o, const struct ir_type *t)
{
    json_open(o, "shape", '[');
    for (size_t i = 0; i < t->rank; i++)
        json_write_number(o, NULL, t->dim[i]);
    json_close(o, ']');
}

static void
write_names(struct json_out *o, const struct ir_func *f, const char *key,
            const char *of)
{
    const struct ir_blob *b = ir_blob_find(f, of, true);

    json_open(o, key, '[');
    for (uint32_t i = 0; b && i < b->type.dim[0]; i++)
        json_write_text(o, NULL, b->text[i]);
    json_close(o, ']');
}

void
report_inputs(struct json_out *o, const struct ir_func *f)
{
    json_open(o, "inputs", '[');
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const struct ir_type *t = &ins->type;
        const bool integer = t->base == IR_INT;

        if (ins->op != IR_input)
            continue;
        json_open(o, NULL, '{');
        if (ir_is_clear(f, ins->as.input.name))
            json_write_bool(o, "clear", true);
        write_names(o, f, "columns", ins->as.input.name);
        if (t->ranged)
            json_write_number(o, "hi", integer ? (double)t->ihi : t->hi);
        json_write_bool(o, "integer", integer);
        if (t->ranged)
            json_write_number(o, "lo", integer ? (double)t->ilo : t->lo);
        json_write_text(o, "name", ins->as.input.name);
        report_shape(o, t);
        json_close(o, '}');
    }
    json_close(o, ']');
}

void
report_outputs(struct json_out *o, const struct ir_func *f)
{
    json_open(o, "outputs", '[');
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op != IR_output)
            continue;
        json_open(o, NULL, '{');
        json_write_bool(o, "integer", ins->type.base == IR_INT);
        write_names(o, f, "labels", ins->as.output.name);
        json_write_text(o, "name", ins->as.output.name);
        report_shape(o, &ins->type);
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* Integers that cross the border, and the grid they stand for: scale is 1 where
 * the model's own integers do. */
static void
crossing(struct json_out *o, const struct ir_func *f, const struct ir_type *t,
         const char *scale, bool open)
{
    const struct ir_blob *b = scale ? ir_data(f, scale) : NULL;

    json_open(o, NULL, '{');
    json_write_number(o, "count", (double)ir_count(t));
    json_write_number(o, "hi", (double)t->ihi);
    json_write_number(o, "lo", (double)t->ilo);
    if (open)
        json_write_bool(o, "open", true);
    json_open(o, "scale", '[');
    for (size_t i = 0; b && i < ir_count(&b->type); i++)
        json_write_number(o, NULL, b->cell[i].r);
    if (!b)
        json_write_number(o, NULL, 1);
    json_close(o, ']');
    json_close(o, '}');
}

/* The scale that an answer is multiplied by at last: of digits, that of the
 * score that they make. */
static const char *
scale_of(const struct ir_func *f, uint32_t answer)
{
    struct arena mem = { 0 };
    bool *made = arena_new(&mem, bool, f->n);
    const char *scale = NULL;

    made[answer] = true;
    for (uint32_t i = answer + 1; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        for (size_t j = 0; j < ins->nin; j++)
            made[i] = made[i] || made[ins->in[j].id];
        if (made[i] && ins->op == IR_dequant) {
            scale = ins->as.dequant.scale;
            break;
        }
    }
    arena_free(&mem);
    return scale;
}

static void
answers(struct json_out *o, const struct ir_func *f)
{
    json_open(o, "answers", '[');
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lwe_decrypt || f->ins[i].op == IR_glwe_decrypt)
            crossing(o, f, &f->ins[i].type, scale_of(f, i), false);
    json_close(o, ']');
}

static bool
is_sent(const struct ir_ins *ins)
{
    return ins->op == IR_glwe_encrypt || ins->op == IR_ggsw_encrypt
           || ins->op == IR_disclose;
}

/* Levels of bits that select are one vector, sent more than once. */
static void
sent(struct json_out *o, const struct ir_func *f)
{
    json_open(o, "sent", '[');
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *in;
        bool again = false;

        if (!is_sent(&f->ins[i]))
            continue;
        for (uint32_t j = 0; j < i; j++)
            again = again
                    || (is_sent(&f->ins[j])
                        && f->ins[j].in[0].id == f->ins[i].in[0].id);
        if (again)
            continue;
        in = ir_at(f, f->ins[i].in[0]);
        crossing(o, f, &in->type,
                 in->op == IR_quant ? in->as.quant.scale : NULL,
                 f->ins[i].op == IR_disclose);
    }
    json_close(o, ']');
}

static void
list_names(struct json_out *o, const char *what, const char *const *name)
{
    char text[512];

    for (; *name; name++) {
        snprintf(text, sizeof text, "%s '%.400s'", what, *name);
        json_write_text(o, NULL, text);
    }
}

/* Names of private values are left out of what goes to a client. */
void
report_learns(struct json_out *o, const struct report *r,
              const struct ir_func *f, bool client)
{
    json_open(o, "learns", '{');
    answers(o, f);
    json_open(o, "client", '[');
    json_write_text(o, NULL, "ranges and grids of the inputs");
    json_write_text(o, NULL, "the answers: integers, their range and scale");
    if (ir_forest_learned(f)) {
        json_write_text(o, NULL, ir_forest_learned(f));
        json_write_text(o, NULL,
                        "sums of digits of the leaves, which make the "
                        "scores");
    }
    json_write_text(o, NULL, "names, shapes and labels of inputs and outputs");
    json_write_text(o, NULL, "the parameter set and the failure bound");
    list_names(o, "the const", r->constant);
    json_close(o, ']');
    json_open(o, "client_not", '[');
    json_write_text(o, NULL, "the operations of the circuit and its tables");
    if (ir_forest_learned(f))
        json_write_text(o, NULL, "trees, and sums of single ones");
    json_write_text(o, NULL, "values between input and answer");
    if (client)
        json_write_text(o, NULL, "private weights");
    else
        list_names(o, "the param", r->param);
    json_close(o, ']');
    sent(o, f);
    json_open(o, "server", '[');
    json_write_text(o, NULL, "how many rows, and under which key");
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_input
            && ir_is_clear(f, f->ins[i].as.input.name)) {
            const char *const name[] = { f->ins[i].as.input.name, NULL };

            list_names(o, "the input, sent in the clear,", name);
        }
    json_close(o, ']');
    json_open(o, "server_not", '[');
    json_write_text(o, NULL,
                    ir_has_open(f)
                        ? "encrypted inputs, answers, and what depends on them"
                        : "inputs, answers, and all values between them");
    json_write_text(o, NULL, "the secret keys");
    json_close(o, ']');
    json_close(o, '}');
}
