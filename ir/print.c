/* The text form, driven by the op table.
 *
 *     ir 1 net
 *     set bits.w = 8
 *     param @w : real[2] = [0.5, -1]
 *     {
 *       %0 = input { name = @x } : real[2] in 0..1
 *       %1 = constant { data = @w } : real[2]
 *       %2 = matmul %0, %1 : real
 *       output %2 { name = @y }
 *     }
 *
 * Same function, same bytes: no addresses, no hash order, no dates.  Reals
 * have the fewest digits that read back to the same bits.
 */
#include "ir/ir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool
reads_back(const char *text, double x)
{
    const double y = strtod(text, NULL);
    uint64_t a, b;

    memcpy(&a, &x, sizeof a);
    memcpy(&b, &y, sizeof b);
    return a == b;
}

void
ir_real_text(char text[IR_REAL_TEXT], double x)
{
    int digits = 15;

    do
        snprintf(text, IR_REAL_TEXT, "%.*g", digits, x);
    while (digits++ < 17 && !reads_back(text, x));
}

static void
print_real(FILE *out, double x)
{
    char text[IR_REAL_TEXT];

    ir_real_text(text, x);
    fputs(text, out);
}

static void
print_shape(FILE *out, const struct ir_type *t)
{
    for (size_t i = 0; i < t->rank; i++)
        fprintf(out, "%s%" PRIu32, i ? "," : "[", t->dim[i]);
    if (t->rank)
        putc(']', out);
}

static void
print_range(FILE *out, const struct ir_type *t)
{
    if (t->base == IR_INT) {
        fprintf(out, " in %" PRId64 "..%" PRId64, t->ilo, t->ihi);
    } else {
        fputs(t->base == IR_REAL ? " in " : " noise ", out);
        print_real(out, t->lo);
        fputs(t->base == IR_REAL ? ".." : " ", out);
        print_real(out, t->hi);
    }
    if (t->base == IR_LWE && t->wide > 0) {
        fputs(" wide ", out);
        print_real(out, t->wide);
    }
}

void
ir_print_type(FILE *out, const struct ir_type *t)
{
    const bool cipher = t->base >= IR_GLWE;

    if (t->enc && !cipher)
        fputs(t->open ? "open " : "enc ", out);
    fputs(ir_base_name[t->base], out);
    print_shape(out, t);
    if (t->base == IR_LWE && t->key == IR_SMALL)
        fputs(" small", out);
    if (cipher && t->set)
        fprintf(out, " set %u", t->set);
    if (cipher && t->base != IR_GGSW)
        fprintf(out, " delta %u", t->log2_delta);
    if (t->ranged)
        print_range(out, t);
}

static void
print_attr(FILE *out, const struct ir_attr_info *a, const void *p)
{
    switch (a->kind) {
    case IR_KIND_u32: fprintf(out, "%" PRIu32, *(const uint32_t *)p); break;
    case IR_KIND_i64: fprintf(out, "%" PRId64, *(const int64_t *)p); break;
    case IR_KIND_f64: print_real(out, *(const double *)p); break;
    case IR_KIND_sym: fprintf(out, "@%s", *(const char *const *)p); break;
    }
}

static void
print_attrs(FILE *out, const struct ir_ins *ins)
{
    const char *sep = " {";

    for (const struct ir_attr_info *a = ir_ops[ins->op].attrs; a->name; a++) {
        fprintf(out, "%s %s = ", sep, a->name);
        print_attr(out, a, (const char *)&ins->as + a->offset);
        sep = ",";
    }
    if (*sep == ',')
        fputs(" }", out);
}

static void
print_string(FILE *out, const char *s)
{
    putc('"', out);
    for (; *s; s++)
        if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20)
            fprintf(out, "\\%02x", (unsigned char)*s);
        else
            putc(*s, out);
    putc('"', out);
}

static void
print_blob(FILE *out, const struct ir_blob *b)
{
    static const char *const kind[] = { "param", "const", "calib", "names" };
    const size_t n = ir_count(&b->type);

    fprintf(out, "%s @%s", kind[b->kind], b->name);
    if (b->kind != IR_NAMES) {
        fputs(" : ", out);
        ir_print_type(out, &b->type);
    }
    fputs(" = [", out);
    for (size_t i = 0; i < n; i++) {
        if (i)
            fputs(i % 16 ? ", " : ",\n  ", out);
        if (b->kind == IR_NAMES)
            print_string(out, b->text[i]);
        else if (b->type.base == IR_INT)
            fprintf(out, "%" PRId64, b->cell[i].i);
        else
            print_real(out, b->cell[i].r);
    }
    fputs("]\n", out);
}

static void
print_params(FILE *out, const struct ir_params *p)
{
    fprintf(out, "params {");
#define N(type, field) \
    fprintf(out, " %s = %" PRId64 ",", #field, (int64_t)p->field);
#define R(field) \
    fprintf(out, " %s = ", #field), print_real(out, p->field), putc(',', out);
#define WN(type, field)
#define WR(field)
#include "ir/params.def"
    fputs(" }\n", out);
    if (p->tr_levels == 0)
        return;
    fprintf(out, "wide {");
#define N(type, field)
#define R(field)
#define WN(type, field) \
    fprintf(out, " %s = %" PRId64 ",", #field, (int64_t)p->field);
#define WR(field) \
    fprintf(out, " %s = ", #field), print_real(out, p->field), putc(',', out);
#include "ir/params.def"
    fputs(" }\n", out);
}

static void
print_switch(FILE *out, const struct ir_switch *p)
{
    fprintf(out, "switch {");
#define N(type, field) \
    fprintf(out, " %s = %" PRId64 ",", #field, (int64_t)p->field);
#define R(field) \
    fprintf(out, " %s = ", #field), print_real(out, p->field), putc(',', out);
#include "ir/switch.def"
    fputs(" }\n", out);
}

static void
print_ins(FILE *out, const struct ir_ins *ins, uint32_t i)
{
    const bool has_result = !(ir_ops[ins->op].traits & IR_VOID);

    fputs("  ", out);
    if (has_result)
        fprintf(out, "%%%" PRIu32 " = ", i);
    fputs(ir_ops[ins->op].name, out);
    for (size_t j = 0; j < ins->nin; j++)
        fprintf(out, "%s %%%" PRIu32, j ? "," : "", ins->in[j].id);
    print_attrs(out, ins);
    if (has_result) {
        fputs(" : ", out);
        ir_print_type(out, &ins->type);
    }
    putc('\n', out);
}

void
ir_print(FILE *out, const struct ir_func *f)
{
    fprintf(out, "ir 1 %s\n", f->name);
    for (const struct ir_setting *s = f->settings; s; s = s->next) {
        fprintf(out, "set %s = ", s->key);
        print_real(out, s->value);
        putc('\n', out);
    }
    if (f->params.chosen)
        print_params(out, &f->params);
    for (uint32_t i = 0; i < f->sets.more; i++)
        print_params(out, &f->sets.set[i]);
    for (uint32_t i = 0; i < f->sets.switches; i++)
        print_switch(out, &f->sets.sw[i]);
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        print_blob(out, b);
    fputs("{\n", out);
    for (uint32_t i = 0; i < f->n; i++)
        print_ins(out, &f->ins[i], i);
    fputs("}\n", out);
}
