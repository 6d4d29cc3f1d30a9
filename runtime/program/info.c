/* info: the program's own account of itself, as text. */
#include "runtime/program/program.h"

static void
print_shape(FILE *out, const int64_t *dims, int64_t rank)
{
    fputc('[', out);
    for (int64_t i = 0; i < rank; i++)
        fprintf(out, "%s%lld", i ? "," : "", (long long)dims[i]);
    fputc(']', out);
}

static void
print_names(FILE *out, const char *const *names, int64_t n)
{
    for (int64_t i = 0; names && i < n; i++)
        fprintf(out, "%s%s", i ? ", " : "\n                ", names[i]);
}

static void
print_ends(FILE *out, const struct program *p)
{
    const struct cml_input *in = p->m->inputs;
    const struct cml_output *o = p->m->outputs;

    for (int64_t i = 0; i < p->m->ninputs; i++) {
        fprintf(out, "input           %s: %s", (const char *)in[i].name,
                in[i].integer ? "int" : "real");
        print_shape(out, in[i].dims, in[i].rank);
        if (in[i].boxed)
            fprintf(out, " in %g..%g", in[i].lo, in[i].hi);
        print_names(out, in[i].names, in[i].count);
        fputc('\n', out);
    }
    for (int64_t i = 0; i < p->m->noutputs; i++) {
        fprintf(out, "output          %s: %s", (const char *)o[i].name,
                o[i].integer ? "int" : "real");
        print_shape(out, o[i].dims, o[i].rank);
        print_names(out, o[i].labels, o[i].nlabels);
        fputc('\n', out);
    }
}

static void
print_set(FILE *out, const struct cmlrt_set *s)
{
    fprintf(out, "parameters      k %u, N %u", (unsigned)s->k, 1u << s->log2_n);
    if (s->n)
        fprintf(out,
                ", n %u, bootstrap %u levels of 2^%u, keyswitch %u levels "
                "of 2^%u",
                (unsigned)s->n, (unsigned)s->br_levels,
                (unsigned)s->br_log2_base, (unsigned)s->ks_levels,
                (unsigned)s->ks_log2_base);
    else
        fputs(", no bootstrap", out);
    fputc('\n', out);
    if (s->wide.tr_levels)
        fprintf(out,
                "                trace %u levels of 2^%u, switch %u of 2^%u, "
                "bits %u of 2^%u%s\n",
                (unsigned)s->wide.tr_levels, (unsigned)s->wide.tr_log2_base,
                (unsigned)s->wide.ss_levels, (unsigned)s->wide.ss_log2_base,
                (unsigned)s->wide.cb_levels, (unsigned)s->wide.cb_log2_base,
                s->wide.tr_low_bits || s->wide.ss_low_bits ? ", two limbs"
                                                           : "");
}

static void
print_parameters(FILE *out, const struct program *p)
{
    for (size_t i = 0; i < p->sets.n; i++)
        print_set(out, &p->sets.at[i]);
    for (size_t i = 0; i < p->sets.switches; i++) {
        const struct cmlrt_switch *s = &p->sets.sw[i];

        fprintf(out,
                "between sets    from %u to %u, %s key, %u levels of 2^%u\n",
                (unsigned)s->from, (unsigned)s->to, s->big ? "big" : "small",
                (unsigned)s->levels, (unsigned)s->log2_base);
    }
}

static void
print_info(FILE *out, const struct program *p)
{
    static const char *const half[] = { "", ", client half", ", server half" };
    const struct cml_manifest *m = p->m;

    fprintf(out, "program         %s%s, by cmlc %s\n", (const char *)m->name,
            half[m->role % 3], (const char *)m->version);
    fprintf(out, "model           %s\n", cmlrt_id_hex(m->model_id).text);
    fprintf(out, "parameter set   %s\n", cmlrt_id_hex(p->params).text);
    print_ends(out, p);
    print_parameters(out, p);
    if (m->wide)
        fprintf(out, "wide tables     %lld\n", (long long)m->wide);
    print_security(out, p);
    print_sizes(out, p);
    fprintf(out,
            "cost            %lld bootstraps a row, about %.3g ms on one core "
            "with AVX-512\n",
            (long long)m->pbs, m->cost);
    print_card(out, p);
}

enum cml_status
verb_info(struct program *p)
{
    struct page g;

    if (!page_open(&g))
        return program_no_memory(p);
    (p->o.json ? info_json : print_info)(g.file, p);
    return page_emit(p, &g, NULL, CMLRT_REPLACE);
}
