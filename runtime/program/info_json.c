/* info --json: one document, the schema first and the other keys sorted. */
#include "runtime/program/program.h"

#include <math.h>

static void
text(FILE *out, const char *key, const char *value)
{
    fprintf(out, ",\n  \"%s\": ", key);
    json_text(out, value);
}

static void
number(FILE *out, const char *key, double value)
{
    fprintf(out, ",\n  \"%s\": ", key);
    if (isfinite(value))
        print_number(out, value);
    else
        fputs("null", out);
}

static void
truth(FILE *out, const char *key, bool value)
{
    fprintf(out, ",\n  \"%s\": %s", key, value ? "true" : "false");
}

static void
texts(FILE *out, const char *key, const char *const *list, int64_t n)
{
    fprintf(out, "\"%s\": [", key);
    for (int64_t i = 0; list && i < n; i++) {
        fputs(i ? ", " : "", out);
        json_text(out, list[i]);
    }
    fputs("], ", out);
}

static void
shape(FILE *out, const int64_t *dims, int64_t rank)
{
    fputs("\"shape\": [", out);
    for (int64_t i = 0; i < rank; i++)
        fprintf(out, "%s%lld", i ? ", " : "", (long long)dims[i]);
    fputc(']', out);
}

static void
inputs(FILE *out, const struct program *p)
{
    const struct cml_input *in = p->m->inputs;

    fputs(",\n  \"inputs\": [", out);
    for (int64_t i = 0; i < p->m->ninputs; i++) {
        fputs(i ? ",\n    {" : "\n    {", out);
        texts(out, "columns", in[i].names, in[i].count);
        if (in[i].boxed) {
            fputs("\"hi\": ", out);
            print_number(out, in[i].hi);
        }
        fprintf(out, "%s\"integer\": %s", in[i].boxed ? ", " : "",
                in[i].integer ? "true" : "false");
        if (in[i].boxed) {
            fputs(", \"lo\": ", out);
            print_number(out, in[i].lo);
        }
        fputs(", \"name\": ", out);
        json_text(out, in[i].name);
        fputs(", ", out);
        shape(out, in[i].dims, in[i].rank);
        fputc('}', out);
    }
    fputs("]", out);
}

static void
outputs(FILE *out, const struct program *p)
{
    const struct cml_output *o = p->m->outputs;

    fputs(",\n  \"outputs\": [", out);
    for (int64_t i = 0; i < p->m->noutputs; i++) {
        fputs(i ? ",\n    {" : "\n    {", out);
        fprintf(out, "\"integer\": %s, ", o[i].integer ? "true" : "false");
        texts(out, "labels", o[i].labels, o[i].nlabels);
        fputs("\"name\": ", out);
        json_text(out, o[i].name);
        fputs(", ", out);
        shape(out, o[i].dims, o[i].rank);
        fputc('}', out);
    }
    fputs("]", out);
}

static void
parameters(FILE *out, const struct cmlrt_set *s)
{
    fprintf(out,
            "{\"br_levels\": %u, \"br_log2_base\": "
            "%u, \"cb_levels\": %u, \"cb_log2_base\": %u, \"k\": %u, "
            "\"ks_levels\": %u,\n    \"ks_log2_base\": %u, "
            "\"log2_n\": %u, \"n\": %u, \"ss_levels\": %u, "
            "\"ss_log2_base\": %u,\n    \"t_glwe\": %d, \"t_lwe\": %d, "
            "\"ternary\": %s, \"tr_levels\": %u, \"tr_log2_base\": %u}",
            (unsigned)s->br_levels, (unsigned)s->br_log2_base,
            (unsigned)s->wide.cb_levels, (unsigned)s->wide.cb_log2_base,
            (unsigned)s->k, (unsigned)s->ks_levels, (unsigned)s->ks_log2_base,
            (unsigned)s->log2_n, (unsigned)s->n, (unsigned)s->wide.ss_levels,
            (unsigned)s->wide.ss_log2_base, s->t_glwe, s->t_lwe,
            s->ternary ? "true" : "false", (unsigned)s->wide.tr_levels,
            (unsigned)s->wide.tr_log2_base);
}

/* The first set, which most programs have alone; then what others add. */
static void
first_set(FILE *out, const struct program *p)
{
    text(out, "parameter_id", cmlrt_id_hex(p->params).text);
    fputs(",\n  \"parameters\": ", out);
    parameters(out, &p->sets.at[0]);
}

static void
more_sets(FILE *out, const struct program *p)
{
    if (p->sets.n == 1)
        return;
    fputs(",\n  \"more_parameters\": [", out);
    for (size_t i = 1; i < p->sets.n; i++) {
        fputs(i > 1 ? ",\n    " : "\n    ", out);
        parameters(out, &p->sets.at[i]);
    }
    fputs("]", out);
}

static void
switches(FILE *out, const struct program *p)
{
    const struct cmlrt_switch *s = p->sets.sw;

    if (p->sets.n == 1)
        return;
    fputs(",\n  \"switches\": [", out);
    for (size_t i = 0; i < p->sets.switches; i++)
        fprintf(out,
                "%s\n    {\"big\": %s, \"from\": %u, \"levels\": %u, "
                "\"log2_base\": %u, \"t\": %d, \"to\": %u}",
                i ? "," : "", s[i].big ? "true" : "false", (unsigned)s[i].from,
                (unsigned)s[i].levels, (unsigned)s[i].log2_base, s[i].t,
                (unsigned)s[i].to);
    fputs("]", out);
}

/* What a foreign client needs to write input.ct, lang-spec/formats.md. */
static void
pieces(FILE *out, const struct program *p)
{
    const struct cml_piece *d = p->m->pieces;

    fputs(",\n  \"pieces\": [", out);
    for (int64_t i = 0; i < p->m->npieces; i++)
        fprintf(out,
                "%s\n    {\"count\": %lld, \"first\": %lld, \"glwe\": %lld, "
                "\"hi\": %lld, \"keep_bits\": %lld, \"lo\": %lld, "
                "\"log2_delta\": %lld, \"open\": %s, \"set\": %lld, "
                "\"times_key\": %s}",
                i ? "," : "", (long long)d[i].count, (long long)d[i].first,
                (long long)d[i].glwe, (long long)d[i].hi,
                (long long)d[i].keep_bits, (long long)d[i].lo,
                (long long)d[i].log2_delta, d[i].open ? "true" : "false",
                (long long)d[i].set, d[i].times_key ? "true" : "false");
    fputs("]", out);
}

/* The same to read output.ct. */
static void
answers(FILE *out, const struct program *p)
{
    const struct cml_answer *a = p->m->answers;

    fputs(",\n  \"answers\": [", out);
    for (int64_t i = 0; i < p->m->nanswers; i++)
        fprintf(out,
                "%s\n    {\"count\": %lld, \"hi\": %lld, \"lo\": %lld, "
                "\"log2_delta\": %lld, \"packed\": %s, \"set\": %lld, "
                "\"word_bits\": %lld}",
                i ? "," : "", (long long)a[i].count, (long long)a[i].hi,
                (long long)a[i].lo, (long long)a[i].log2_delta,
                a[i].packed ? "true" : "false", (long long)a[i].set,
                (long long)a[i].word_bits);
    fputs("]", out);
}

static void
sizes(FILE *out, const struct program *p)
{
    fprintf(out,
            ",\n  \"sizes\": {\"client_key\": %zu, \"eval_key\": %zu, "
            "\"input_row\": %zu, \"output_row\": %zu}",
            program_file_bytes(p, CMLRT_CLIENT_KEY, 0),
            program_file_bytes(p, CMLRT_EVAL_KEY, 0), cmlrt_row_bytes(p->m),
            p->layout.reply_bytes);
}

void
info_json(FILE *out, const struct program *p)
{
    static const char *const role[] = { "all", "client", "server" };
    const struct cml_manifest *m = p->m;

    fputs("{\"schema\": \"cmlc.info/1\"", out);
    answers(out, p);
    truth(out, "approximate", m->approx);
    number(out, "bootstraps", (double)m->pbs);
    text(out, "card", m->card);
    number(out, "cost", m->cost);
    number(out, "curve", (double)m->level);
    inputs(out, p);
    truth(out, "insecure", m->insecure);
    number(out, "log2_p_fail", m->log2_pfail);
    text(out, "model", cmlrt_id_hex(m->model_id).text);
    more_sets(out, p);
    text(out, "name", m->name);
    outputs(out, p);
    first_set(out, p);
    pieces(out, p);
    text(out, "role", role[m->role % 3]);
    sizes(out, p);
    switches(out, p);
    text(out, "version", m->version);
    fputs("}\n", out);
}
