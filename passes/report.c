/* Collects rows after `clean` and writes the document; see report.h.
 *
 * Keys are put in the order of their names.
 */
#include "passes/encode.h"
#include "passes/model.h"
#include "passes/report_inner.h"
#include "passes/why.h"

#include <math.h>
#include <string.h>

/* ---- collecting */

struct report *
report_new(struct arena *mem)
{
    struct report *r = arena_new(mem, struct report, 1);

    r->mem = mem;
    r->param = r->constant = arena_new(mem, const char *, 1);
    return r;
}

static const char **
names_of(struct report *r, const struct ir_func *f, enum ir_blob_kind kind)
{
    const char **list;
    size_t n = 0;

    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        n += b->kind == kind && !ir_blob_unnamed(b->name);
    list = arena_new(r->mem, const char *, n + 1);
    n = 0;
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        if (b->kind == kind && !ir_blob_unnamed(b->name))
            list[n++] = arena_string(r->mem, b->name, strlen(b->name));
    return list;
}

struct listener {
    struct report *r;
    struct report_row *row;
    size_t said;
};

static void
listen(void *arg, struct span at, const char *text)
{
    struct listener *l = arg;
    struct report_reason *x = arena_new(l->r->mem, struct report_reason, 1);

    x->at = at;
    x->text = arena_string(l->r->mem, text, strlen(text));
    if (l->row->last)
        l->row->last->next = x;
    else
        l->row->why = x;
    l->row->last = x;
    l->said++;
}

/* Who asked for the bits of a value, or that nobody did. */
static void
asked(struct listener *l, const struct why_chain *c, const struct ir_func *f,
      const struct ir_ins *ins, const char *name, const char *family)
{
    const size_t before = l->said;
    char text[128];

    why_asked(c, f, name, family);
    if (l->said > before)
        return;
    snprintf(text, sizeof text, "no width was asked for '%.60s'", family);
    c->say(c->arg, ins->at, text);
}

static void
reasons(struct listener *l, const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = &ir_at(f, ins->in[0])->type;
    const struct why_chain c = { l->r->mem, listen, l };
    const char *name = why_input(f, ins);
    char text[128];

    if (pass_sent(ins)) {
        snprintf(text, sizeof text, "the client %s '%.60s'",
                 ins->op == IR_disclose ? "sends in the clear" : "encrypts",
                 name ? name : "a value of its own");
        listen(l, ins->at, text);
        if (ir_at(f, ins->in[0])->op == IR_quant)
            asked(l, &c, f, ins, name, "inputs");
    } else if (ins->op == IR_lut) {
        snprintf(text, sizeof text, "the table reads %u bits; of its argument:",
                 l->row->table_bits);
        listen(l, ins->at, text);
        why_chain(&c, f, ins->in[0], (struct interval){ in->ilo, in->ihi });
        if (ins->as.lut.approx) {
            snprintf(text, sizeof text, "the bootstrap rounds it to %u bits",
                     ins->as.lut.approx);
            listen(l, ins->at, text);
        }
        snprintf(text, sizeof text, "the table gives %u bits",
                 ir_bits(ins->type.ilo, ins->type.ihi));
        listen(l, ins->at, text);
        why_asked(&c, f, NULL, "activations");
    } else {
        why_chain(&c, f, ins->op == IR_decrypt ? ins->in[0] : (ir_ref){ i },
                  (struct interval){ ins->type.ilo, ins->type.ihi });
    }
}

static void
collect(struct report *r, const struct ir_func *f)
{
    r->n = f->n;
    r->row = arena_new(r->mem, struct report_row, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        struct report_row *row = &r->row[i];
        struct listener l = { r, row, 0 };

        row->op = (enum ir_op)ins->op;
        row->at = ins->at;
        row->type = ins->type;
        row->shown = (ins->type.enc || ins->op == IR_decrypt)
                     && !(ir_ops[ins->op].traits & IR_VOID) && ins->nin > 0;
        if (ins->op == IR_lut)
            row->table_bits = encode_table(&ir_at(f, ins->in[0])->type,
                                           ins->as.lut.approx != 0)
                                  .bits;
        if (row->shown)
            reasons(&l, f, i);
    }
}

void
report_watch(const char *pass, const struct ir_func *before,
             const struct ir_func *after, void *report)
{
    struct report *r = report;

    if (strcmp(pass, "fold") == 0) {
        r->param = names_of(r, before, IR_PARAM);
        r->constant = names_of(r, before, IR_CONST);
    }
    if (strcmp(pass, "clean") == 0)
        collect(r, after);
    if (strcmp(pass, "params") == 0 && r->row) /* only some passes may run */
        r->account = account_of(r->mem, before, after, r->n);
}

/* ---- writing */

struct writer {
    struct json_out o;
    const struct report *r;
    const struct ir_func *f;
    const struct source *src;
    struct arena mem;
    const struct account *row;
    struct account total;
};

/* "line", and the "file" if it is not the model's own */
static void
write_place(struct writer *w, uint32_t at)
{
    const struct source *src = src_of(w->src, at);

    if (src != w->src)
        json_write_text(&w->o, "file", src_base_name(src));
    json_write_number(&w->o, "line", src_line(w->src, at, NULL));
}

static void
add_up(struct writer *w)
{
    w->row = w->r->account;
    w->total = account_none();
    for (uint32_t i = 0; i < w->r->n; i++)
        w->total = account_sum(w->total, w->row[i]);
}

static void
write_made_of(struct writer *w, uint32_t row)
{
    const struct ir_func *f = w->f;

    json_open(&w->o, "made_of", '[');
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].from == row + 1 && ir_ops[f->ins[i].op].cipher)
            json_write_text(&w->o, NULL, ir_ops[f->ins[i].op].name);
    json_close(&w->o, ']');
}

static void
write_why(struct writer *w, const struct report_row *row)
{
    json_open(&w->o, "why", '[');
    for (const struct report_reason *x = row->why; x; x = x->next) {
        json_open(&w->o, NULL, '{');
        write_place(w, x->at.begin);
        json_write_text(&w->o, "text", x->text);
        json_close(&w->o, '}');
    }
    json_close(&w->o, ']');
}

static void
write_row(struct writer *w, uint32_t i)
{
    const struct report_row *row = &w->r->row[i];
    const struct account *a = &w->row[i];
    struct json_out *o = &w->o;

    json_open(o, NULL, '{');
    json_write_number(o, "bits", ir_bits(row->type.ilo, row->type.ihi));
    json_write_number(o, "bootstraps", a->bootstraps);
    json_open(o, "interval", '[');
    json_write_number(o, NULL, (double)row->type.ilo);
    json_write_number(o, NULL, (double)row->type.ihi);
    json_close(o, ']');
    write_place(w, row->at.begin);
    json_write_number(o, "log2_p_fail", a->log2_pfail);
    write_made_of(w, i);
    json_write_number(o, "margin", a->margin);
    json_write_number(o, "ms", a->ms);
    json_write_text(o, "op", ir_ops[row->op].name);
    report_shape(o, &row->type);
    json_write_number(o, "share", exp2(a->log2_pfail - w->total.log2_pfail));
    if (row->table_bits)
        json_write_number(o, "table_bits", row->table_bits);
    write_why(w, row);
    json_close(o, '}');
}

static void
write_ops(struct writer *w)
{
    json_open(&w->o, "ops", '[');
    for (uint32_t i = 0; i < w->r->n; i++)
        if (w->r->row[i].shown)
            write_row(w, i);
    json_close(&w->o, ']');
}

/* Where the line of a place begins. */
static uint32_t
line_begin(const struct source *src, uint32_t at)
{
    src = src_of(src, at);
    if (at > src->begin + src->len)
        at = src->begin + (uint32_t)src->len;
    while (at > src->begin && src->text[at - src->begin - 1] != '\n')
        at--;
    return at;
}

/* The text of the line that begins at a place, without white space around it */
static const char *
text_of(struct writer *w, uint32_t at)
{
    const struct source *src = src_of(w->src, at);
    const char *begin = src->text + (at - src->begin);
    const char *end = src->text + src->len, *last;

    last = memchr(begin, '\n', (size_t)(end - begin));
    last = last ? last : end;
    while (begin < last && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (begin < last && (last[-1] == ' ' || last[-1] == '\r'))
        last--;
    return arena_string(&w->mem, begin, (size_t)(last - begin));
}

/* Cost by line of the source, in order of the lines. */
static void
write_lines(struct writer *w)
{
    int64_t done = -1;

    json_open(&w->o, "lines", '[');
    for (;;) {
        struct account sum = account_none();
        int64_t next = INT64_MAX;

        for (uint32_t i = 0; i < w->r->n; i++) {
            const struct report_row *row = &w->r->row[i];
            const int64_t line = line_begin(w->src, row->at.begin);

            if (!row->shown || line <= done || line > next)
                continue;
            if (line < next)
                sum = account_none();
            next = line;
            sum = account_sum(sum, w->row[i]);
        }
        if (next == INT64_MAX)
            break;
        json_open(&w->o, NULL, '{');
        json_write_number(&w->o, "bootstraps", sum.bootstraps);
        write_place(w, (uint32_t)next);
        json_write_number(&w->o, "ms", sum.ms);
        json_write_text(&w->o, "text", text_of(w, (uint32_t)next));
        json_close(&w->o, '}');
        done = next;
    }
    json_close(&w->o, ']');
}

static void
write_key(struct json_out *o, double bytes, const char *file, const char *key,
          uint32_t set)
{
    if (!(bytes > 0))
        return;
    json_open(o, NULL, '{');
    json_write_number(o, "bytes", bytes);
    json_write_text(o, "file", file);
    json_write_text(o, "key", key);
    json_write_number(o, "set", set + 1.0);
    json_close(o, '}');
}

static void
write_keys(struct writer *w)
{
    struct account_part part;

    json_open(&w->o, "keys", '[');
    write_key(&w->o, account_client_key(), "client.key",
              "seed of all secret keys", 0);
    for (uint32_t i = 0; account_eval_part(w->f, i, &part); i++)
        write_key(&w->o, part.bytes, "eval.key", part.key, part.set);
    json_close(&w->o, ']');
}

static void
write_parameters(struct json_out *o, const char *key, const struct ir_params *s)
{
    json_open(o, key, '{');
    json_write_number(o, "br_levels", s->br_levels);
    json_write_number(o, "br_log2_base", s->br_log2_base);
    json_write_number(o, "k", s->k);
    json_write_number(o, "ks_levels", s->ks_levels);
    json_write_number(o, "ks_log2_base", s->ks_log2_base);
    json_write_number(o, "log2_n", s->log2_n);
    json_write_number(o, "n", s->n);
    json_write_number(o, "t_glwe", s->t_glwe);
    json_write_number(o, "t_lwe", s->t_lwe);
    json_write_bool(o, "ternary", s->ternary);
    json_close(o, '}');
}

/* the first set has a key of its own */
static void
write_more_parameters(struct json_out *o, const struct ir_func *f)
{
    if (!f->sets.more)
        return;
    json_open(o, "more_parameters", '[');
    for (uint32_t i = 1; i <= f->sets.more; i++)
        write_parameters(o, NULL, ir_params_of(f, i));
    json_close(o, ']');
}

static void
write_security(struct json_out *o, const struct ir_params *s)
{
    const struct model_basis b = model_basis(s->level);

    json_open(o, "security", '{');
    json_write_number(o, "bits", s->insecure ? 0 : b.bits);
    json_write_number(o, "curve", s->level);
    json_write_text(o, "date", b.date);
    json_write_text(o, "estimator", b.estimator);
    json_write_text(o, "source", b.source);
    json_close(o, '}');
}

static void
write_totals(struct writer *w)
{
    const struct ir_params *s = &w->f->params;

    json_open(&w->o, "sizes", '{');
    json_write_number(&w->o, "client_key", account_client_key());
    json_write_number(&w->o, "eval_key", account_eval_key(w->f));
    json_write_number(&w->o, "input_row", account_input_row(w->f));
    json_write_number(&w->o, "output_row", account_output_row(w->f));
    json_close(&w->o, '}');
    json_open(&w->o, "totals", '{');
    json_write_number(&w->o, "bootstraps", w->total.bootstraps);
    json_write_number(&w->o, "log2_p_fail", s->log2_pfail);
    json_write_number(&w->o, "log2_p_fail_asked",
                      ir_get(w->f, "log2_pfail", -128));
    json_write_number(&w->o, "ms", s->cost);
    json_close(&w->o, '}');
}

static bool
is_approximate(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lwe_pbs && f->ins[i].as.lwe_pbs.approx)
            return true;
    return false;
}

void
report_write(FILE *out, const struct report *r, const struct ir_func *f,
             const struct source *src, enum report_of of)
{
    static const char *const role[] = { "all", "client", "server" };
    const bool client = of == REPORT_CLIENT;
    struct writer w = { .o = { out, 0, false }, .r = r, .f = f, .src = src };

    add_up(&w);
    json_open(&w.o, NULL, '{');
    json_write_text(&w.o, "schema", "cmlc.report/1");
    json_write_bool(&w.o, "approximate", is_approximate(f));
    report_inputs(&w.o, f);
    json_write_bool(&w.o, "insecure", f->params.insecure);
    write_keys(&w);
    report_learns(&w.o, r, f, client);
    if (!client)
        write_lines(&w);
    write_more_parameters(&w.o, f);
    json_write_text(&w.o, "name", f->name);
    if (!client)
        write_ops(&w);
    report_outputs(&w.o, f);
    write_parameters(&w.o, "parameters", &f->params);
    json_write_text(&w.o, "role", role[of]);
    write_security(&w.o, &f->params);
    write_totals(&w);
    json_write_text(&w.o, "version", CMLC_VERSION);
    json_close(&w.o, '}');
    arena_free(&w.mem);
}
