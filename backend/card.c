/* The card: what the client and the server learn, in words. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "backend/inner.h"

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

static void
sent(FILE *out, const struct be_module *m)
{
    const struct ir_func *f = m->f;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const struct ir_type *t;

        if (ins->op != IR_glwe_encrypt)
            continue;
        t = &ir_at(f, ins->in[0])->type;
        fprintf(out,
                "client sends    %zu integer%s in [%" PRId64 ", %" PRId64
                "], encrypted\n",
                ir_count(t), ir_count(t) == 1 ? "" : "s", t->ilo, t->ihi);
    }
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
    fprintf(out, "client learns   ranges and grids of the inputs; no weights "
                 "and no tables\n"
                 "server learns   how many rows, and whose key; no values\n");
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
