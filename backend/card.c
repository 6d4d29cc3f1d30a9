/* The card: what the client and the server learn, in words. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "backend/inner.h"
#include "ir/forest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static FILE *
memory(char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);

    if (!out)
        out_of_memory();
    return out;
}

char *
be_text(const struct ir_func *f, size_t *len)
{
    char *text = NULL;
    FILE *out = memory(&text, len);

    ir_print(out, f);
    fclose(out);
    return text;
}

/* Bits that select, all together; whether forests do it. */
static bool
sent_bits(FILE *out, const struct be_module *m)
{
    size_t rings = 0;
    bool forests = false;

    for (uint32_t i = 0; i < m->f->n; i++) {
        const struct ir_ins *ins = &m->f->ins[i];
        const bool selects =
            ins->op == IR_glwe_to_ggsw || ins->op == IR_glwe_expand
            || ins->op == IR_ggsw_forest || ins->op == IR_ggsw_products;

        forests =
            forests || ins->op == IR_ggsw_forest || ins->op == IR_ggsw_products;
        for (size_t j = 0; j < ins->nin && selects; j++) {
            const struct ir_ins *bits = ir_at(m->f, ins->in[j]);

            if (bits->op == IR_glwe_encrypt)
                rings += ir_count(&bits->type) >> IR_LOG2_LEVELED;
        }
    }
    if (rings)
        fprintf(out,
                "client sends    bits %s, packed in %zu ring "
                "ciphertext%s, encrypted\n",
                forests ? "x >= cut" : "of the inputs", rings,
                rings == 1 ? "" : "s");
    return forests && rings > 0;
}

/* Those of products, level by level of the trees. */
static void
sent_polynomials(FILE *out, const struct be_module *m)
{
    for (uint32_t i = 0; i < m->f->n; i++) {
        const struct ir_ins *ins = &m->f->ins[i];

        if (ins->op == IR_ggsw_encrypt)
            fprintf(out,
                    "client sends    bits x >= threshold, packed in %u GGSW%s "
                    "of %u rows of %u bits a word, encrypted\n",
                    ins->type.dim[0], ins->type.dim[0] == 1 ? "" : "s",
                    2 * ins->as.ggsw_encrypt.levels,
                    ins->as.ggsw_encrypt.keep_bits);
    }
}

/* What it knows of thresholds. */
static void
learned_cuts(FILE *out, const struct be_module *m)
{
    const double all = ir_get(m->f, "thresholds.all", 0);
    const double moved = ir_get(m->f, "thresholds.moved", 0);

    fprintf(out, "client learns   %s\n", ir_forest_learned(m->f));
    if (all > 0 && !(moved > 0))
        fprintf(out, "thresholds      all %.0f are cuts: splits lose nothing\n",
                all);
    else if (all > 0)
        fprintf(out,
                "thresholds      %.0f of %.0f were moved to a cut: more bits "
                "of the inputs keep them\n",
                moved, all);
}

static bool
selects(const struct be_module *m, uint32_t encrypt)
{
    for (uint32_t i = encrypt; i < m->f->n; i++)
        for (size_t j = 0; j < m->f->ins[i].nin; j++)
            if (m->f->ins[i].in[j].id == encrypt
                && be_is_leveled(&m->f->ins[i]))
                return true;
    return false;
}

static void
sent(FILE *out, const struct be_module *m)
{
    const struct ir_func *f = m->f;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const struct ir_type *t;

        if (ins->op != IR_disclose
            && (ins->op != IR_glwe_encrypt || selects(m, i)))
            continue;
        t = &ir_at(f, ins->in[0])->type;
        fprintf(out,
                "client sends    %zu integer%s in [%" PRId64 ", %" PRId64
                "], %s\n",
                ir_count(t), ir_count(t) == 1 ? "" : "s", t->ilo, t->ihi,
                ins->op == IR_disclose ? "in the clear" : "encrypted");
    }
    sent_polynomials(out, m);
    if (sent_bits(out, m))
        learned_cuts(out, m);
}

static void
learned(FILE *out, const struct be_module *m)
{
    const struct ir_func *f = m->f;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt)
            fprintf(out,
                    "client learns   %zu integer%s in [%" PRId64 ", %" PRId64
                    "] and their scale\n",
                    ir_count(&ins->type), ir_count(&ins->type) == 1 ? "" : "s",
                    ins->as.lwe_decrypt.lo, ins->as.lwe_decrypt.hi);
    }
}

char *
be_card(struct be_module *m)
{
    const struct ir_params *p = &m->f->params;
    char *text = NULL;
    size_t len;
    FILE *out = memory(&text, &len);
    bool approx = false;

    for (uint32_t i = 0; i < m->f->n; i++)
        approx = approx
                 || (m->f->ins[i].op == IR_lwe_pbs
                     && m->f->ins[i].as.lwe_pbs.approx);
    sent(out, m);
    learned(out, m);
    fprintf(out,
            "client learns   ranges and grids of the inputs; no weights "
            "and no tables\n"
            "server learns   how many rows, and whose key; %s\n",
            ir_has_open(m->f)
                ? "the values that are sent in the clear, no others"
                : "no values");
    if (approx)
        fprintf(out, "rounding        approximate: decrypted results must not "
                     "go back to the server or to others\n");
    else
        fprintf(out,
                "rounding        exact: wrong with probability at most "
                "2^%.0f a row\n",
                fmax(ceil(p->log2_pfail), -1000));
    fclose(out);
    return text;
}
