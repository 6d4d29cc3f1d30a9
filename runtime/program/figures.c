/* The figures of bench: NAME VALUE UNIT, a line each, or JSON. */
#include "runtime/program/program.h"

void
figure(struct figures *f, const char *name, double value, const char *unit)
{
    FILE *out = f->page.file;

    if (f->p->o.json)
        fprintf(out,
                "%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"value\": "
                "%.9g}",
                f->count ? "," : "", name, unit, value);
    else
        fprintf(out, "%s %.9g %s\n", name, value, unit);
    f->count++;
}

static enum cml_status
measure(struct figures *f, bench_part *const *part, struct cmlrt_pool *pool)
{
    enum cml_status s = CML_E_ok;

    if (f->p->o.json)
        fputs("{\"schema\": \"cmlc.bench/1\", \"figures\": [", f->page.file);
    for (; s == CML_E_ok && *part; part++)
        s = (*part)(f, pool);
    if (f->p->o.json)
        fputs("\n]}\n", f->page.file);
    return s;
}

enum cml_status
figures_run(struct program *p, bench_part *const *parts)
{
    struct figures f = { .p = p };
    struct cmlrt_pool *pool;
    enum cml_status s = program_pool(p, &pool), printed;

    if (s != CML_E_ok)
        return s;
    if (page_open(&f.page)) {
        s = measure(&f, parts, pool);
        printed = page_emit(p, &f.page, NULL, CMLRT_REPLACE);
        s = s == CML_E_ok ? printed : s;
    } else {
        s = program_no_memory(p);
    }
    cmlrt_pool_free(pool);
    return s;
}
