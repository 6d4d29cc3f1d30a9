/* Where everything of a row lies: messages, words, values, scratch.
 *
 * Computed once per module; the manifest, the client's functions and the steps
 * all read it, so they cannot disagree.
 */
#include "backend/inner.h"

/* Clear values that depend on a decrypted one; and outputs, whatever they
 * are. */
static bool
after(const struct be_module *m, const struct ir_ins *ins)
{
    if (ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt
        || ins->op == IR_output)
        return true;
    for (size_t j = 0; j < ins->nin; j++)
        if (m->place[ins->in[j].id] == BE_AFTER)
            return true;
    return false;
}

static enum be_place
place_of(const struct be_module *m, const struct ir_ins *ins)
{
    if (ins->op == IR_constant)
        return BE_CONSTANT;
    if (ins->type.base >= IR_GLWE || ins->type.open)
        return BE_AT_SERVER;
    return after(m, ins) ? BE_AFTER : BE_BEFORE;
}

/* A GGSW of a polynomial has two rows a level. */
size_t
be_sent_words(const struct ir_ins *ins)
{
    const size_t n = ir_count(&ins->type);

    if (ins->op == IR_ggsw_encrypt)
        return 2 * ins->as.ggsw_encrypt.levels * n;
    return ins->op == IR_glwe_encrypt || ins->op == IR_disclose ? n : 0;
}

/* cells of scratch in front of value i, per side */
static void
take(struct be_module *m, uint32_t i, size_t *bytes)
{
    m->offset[i] = *bytes;
    *bytes += 8 * ir_count(&m->f->ins[i].type);
}

/* Products take the ciphertexts that they need one by one: a convolution is a
 * gather and a product, and its patches are never copied; nor are coefficients
 * of what the client sends taken out of their rings.  Users come later, so from
 * the back, whether one is a view is known. */
static void
find_views(struct be_module *m)
{
    const struct ir_func *f = m->f;

    m->wanted = arena_new(&m->mem, bool, f->n);
    for (uint32_t i = f->n; i-- > 0;)
        for (size_t j = 0; j < f->ins[i].nin; j++) {
            const uint32_t v = f->ins[i].in[j].id;
            const bool viewed =
                be_is_view(m, i) && f->ins[v].op == IR_glwe_extract;

            if (f->ins[i].op != IR_lwe_matmul_clear && !viewed)
                m->wanted[v] = true;
        }
}

/* What the client sends is read where it is, but for the bits that a forest
 * takes as they came. */
static void
find_bits(struct be_module *m)
{
    const struct ir_func *f = m->f;

    m->bits = arena_new(&m->mem, bool, f->n);
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_ggsw_forest || f->ins[i].op == IR_ggsw_products)
            m->bits[f->ins[i].in[0].id] = true;
}

bool
be_has_value(const struct be_module *m, uint32_t i)
{
    const struct ir_ins *ins = &m->f->ins[i];

    if (ins->type.open)
        return true;
    if (be_is_leveled(ins))
        return ins->op != IR_glwe_encrypt || m->bits[i];
    return ins->type.base == IR_LWE && ins->op != IR_output
           && !be_is_view(m, i);
}

bool
be_is_view(const struct be_module *m, uint32_t i)
{
    return m->f->ins[i].op == IR_lwe_gather && !m->wanted[i];
}

bool
be_is_windows(const struct be_module *m, uint32_t i)
{
    return m->f->ins[i].op == IR_glwe_extract && !m->wanted[i];
}

size_t
be_rings(const struct be_module *m, const struct ir_ins *ins)
{
    const unsigned log2_n = ir_params_of(m->f, ins->type.set)->log2_n;

    return ((ir_count(&ins->type) - 1) >> log2_n) + 1;
}

void
be_layout(struct be_module *m)
{
    const struct ir_func *f = m->f;
    size_t first_in = 0, message = 0, word = 0, answer = 0, out = 0;

    m->place = arena_new(&m->mem, enum be_place, f->n);
    m->offset = arena_new(&m->mem, size_t, f->n);
    m->word = arena_new(&m->mem, size_t, f->n);
    m->value = arena_new(&m->mem, uint32_t, f->n);
    find_views(m);
    find_bits(m);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const size_t n = ir_count(&ins->type);

        m->place[i] = place_of(m, ins);
        if (ins->op == IR_input)
            m->offset[i] = first_in, first_in += n;
        else if (be_sent_words(ins))
            m->offset[i] = message, message += n;
        else if (ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt)
            m->offset[i] = answer, answer += n;
        else if (ins->op == IR_output)
            m->offset[i] = out, out += n;
        else if (m->place[i] == BE_BEFORE)
            take(m, i, &m->prologue_bytes);
        else if (m->place[i] == BE_AFTER)
            take(m, i, &m->epilogue_bytes);
        m->word[i] = word;
        word += be_sent_words(ins);
        if (be_has_value(m, i))
            m->value[i] = m->nvalues++;
    }
}

size_t
be_first_glwe(const struct be_module *m, uint32_t piece)
{
    size_t first = 0;

    for (uint32_t i = 0; i < piece; i++) {
        const struct ir_type *t = &m->f->ins[i].type;
        const size_t n = (size_t)1 << ir_params_of(m->f, t->set)->log2_n;

        if (m->f->ins[i].op != IR_disclose)
            first += (be_sent_words(&m->f->ins[i]) + n - 1) / n;
    }
    return first;
}
