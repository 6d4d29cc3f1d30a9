/* help and version. */
#include "runtime/program/program.h"

#include <string.h>

/* The verb that the word is, or NVERBS. */
static enum verb
verb_called(const char *word)
{
    enum verb v = 0;

    while (v < NVERBS && strcmp(word, verb_name(v)) != 0)
        v++;
    return v;
}

enum cml_status
verb_help(struct program *p)
{
    const char *word = p->o.listed ? p->o.list[0] : NULL;
    const enum verb v = word ? verb_called(word) : NVERBS;
    struct page g;

    if (word && (v == NVERBS || !p->has[v]))
        return cmlrt_fail(&p->fault, CML_E_usage, "no verb is called '%s'",
                          cmlrt_quote(word, strlen(word)).text);
    if (!page_open(&g))
        return program_no_memory(p);
    if (word)
        options_help_verb(g.file, p->self, v);
    else
        options_help(g.file, p->self, p->has);
    return page_emit(p, &g, NULL, CMLRT_REPLACE);
}

enum cml_status
verb_version(struct program *p)
{
    static const char *const half[] = { "", " (client)", " (server)" };
    struct page g;

    if (!page_open(&g))
        return program_no_memory(p);
    fprintf(g.file, "%s%s, model %s, by cmlc %s, files of format %d\n",
            (const char *)p->m->name, half[p->m->role % 3],
            cmlrt_id_hex(p->m->model_id).text, (const char *)p->m->version,
            CMLRT_MAJOR);
    return page_emit(p, &g, NULL, CMLRT_REPLACE);
}
