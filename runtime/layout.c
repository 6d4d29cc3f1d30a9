/* What a manifest says of sizes; the only place that adds them up. */
#include "runtime/engine.h"

static struct cmlrt_leveled
leveled_of(const struct cml_leveled *m)
{
    struct cmlrt_leveled l = { 0 };

    if (!m)
        return l;
    l.first = (uint32_t)m->first;
    l.steps = (uint32_t)m->steps;
    l.ss_levels = (uint32_t)m->ss_levels;
    l.ss_log2_base = (uint32_t)m->ss_log2_base;
    l.depth = (uint32_t)m->depth;
    for (int64_t q = 0; q < m->steps; q++) {
        l.levels[q] = (uint8_t)((const int64_t *)m->levels)[q];
        l.log2_base[q] = (uint8_t)((const int64_t *)m->log2_base)[q];
    }
    return l;
}

static struct cmlrt_set
set_of(const struct cml_set *m)
{
    return (struct cmlrt_set){
        .k = (uint32_t)m->k,
        .log2_n = (uint32_t)m->log2_n,
        .n = (uint32_t)m->n,
        .br_levels = (uint32_t)m->br_levels,
        .br_log2_base = (uint32_t)m->br_log2_base,
        .ks_levels = (uint32_t)m->ks_levels,
        .ks_log2_base = (uint32_t)m->ks_log2_base,
        .t_lwe = (int)m->t_lwe,
        .t_glwe = (int)m->t_glwe,
        .ternary = m->ternary != 0,
        .wide = { (uint32_t)m->tr_levels, (uint32_t)m->tr_log2_base,
                  (uint32_t)m->ss_levels, (uint32_t)m->ss_log2_base,
                  (uint32_t)m->cb_levels, (uint32_t)m->cb_log2_base,
                  (uint32_t)m->wide_bits, (uint32_t)m->tr_low_bits,
                  (uint32_t)m->ss_low_bits },
        .leveled = leveled_of(m->leveled),
    };
}

struct cmlrt_sets
cmlrt_manifest_sets(const struct cml_manifest *m)
{
    const struct cml_set *set = m->sets;
    const struct cml_switch *sw = m->switches;
    struct cmlrt_sets s = { .n = (size_t)m->nsets,
                            .switches = (size_t)m->nswitches };

    for (size_t i = 0; i < s.n; i++)
        s.at[i] = set_of(&set[i]);
    for (size_t i = 0; i < s.switches; i++)
        s.sw[i] = (struct cmlrt_switch){
            (uint32_t)sw[i].from,   (uint32_t)sw[i].to,        sw[i].big != 0,
            (uint32_t)sw[i].levels, (uint32_t)sw[i].log2_base, (int)sw[i].t
        };
    return s;
}

static size_t
at_least(size_t x, int64_t y)
{
    return x > (size_t)y ? x : (size_t)y;
}

struct cmlrt_layout
cmlrt_manifest_layout(const struct cml_manifest *m)
{
    const struct cml_input *input = m->inputs;
    const struct cml_output *output = m->outputs;
    const struct cml_piece *piece = m->pieces;
    const struct cml_answer *answer = m->answers;
    const struct cml_set *set = m->sets;
    struct cmlrt_layout l = { 0 };

    for (int64_t i = 0; i < m->ninputs; i++)
        l.inputs += (size_t)input[i].count;
    for (int64_t i = 0; i < m->noutputs; i++)
        l.outputs += (size_t)output[i].count;
    for (int64_t i = 0; i < m->npieces; i++) {
        const struct cml_piece *p = &piece[i];
        const int64_t n = (int64_t)1 << set[p->set].log2_n;

        l.messages = at_least(l.messages, p->first + p->count);
        l.words = at_least(l.words, p->word + p->count);
        if (!p->open)
            l.glwes = at_least(l.glwes, p->glwe + (p->count + n - 1) / n);
    }
    for (int64_t i = 0; i < m->nanswers; i++) {
        const struct cml_answer *a = &answer[i];
        const int64_t big = set[a->set].k << set[a->set].log2_n;

        l.phases += (size_t)a->count;
        l.replies = at_least(l.replies, a->first + a->count);
        l.reply_bytes +=
            (size_t)((a->packed ? big + a->count : a->count * (big + 1))
                     * (a->word_bits / 8));
    }
    return l;
}
