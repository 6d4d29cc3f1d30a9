/* inspect: the header of any key or ciphertext, of this program or another.
 * Nothing secret is printed; a damaged file is told and is exit 4 at the end.
 */
#include "runtime/program/program.h"

#include <string.h>

struct inspected {
    const char *path;
    struct cmlrt_header h;
    bool whole, ours;
};

/* What the file is to this program. */
static bool
is_ours(const struct program *p, const struct cmlrt_header *h)
{
    const bool key = h->type == CMLRT_CLIENT_KEY || h->type == CMLRT_EVAL_KEY;

    return memcmp(h->params, p->params, CMLRT_ID) == 0
           && (key || memcmp(h->model, p->m->model_id, CMLRT_ID) == 0);
}

static void
print_text(FILE *out, const struct inspected *f)
{
    const struct cmlrt_header *h = &f->h;

    fprintf(out, "%s: %s%s\n", f->path, cmlrt_type_name(h->type),
            f->whole ? "" : ", DAMAGED");
    fprintf(out, "  format      %u.%u, written by cmlc %s\n",
            (unsigned)h->major, (unsigned)h->minor,
            cmlrt_quote(h->version, strlen(h->version)).text);
    fprintf(out, "  model       %s\n", cmlrt_id_hex(h->model).text);
    fprintf(out, "  parameters  %s\n", cmlrt_id_hex(h->params).text);
    fprintf(out, "  key         %s\n", cmlrt_id_hex(h->key).text);
    fprintf(out, "  payload     %llu bytes, %u rows\n",
            (unsigned long long)h->bytes, (unsigned)h->rows);
    fprintf(out, "  flags       %s%s%s%s\n",
            h->flags & CMLRT_HAS_PASSPHRASE ? "passphrase " : "",
            h->flags & CMLRT_APPROXIMATE ? "approximate " : "",
            h->flags & CMLRT_INSECURE ? "INSECURE " : "",
            h->flags ? "" : "none");
    fprintf(out, "  here        %s\n",
            f->ours ? "belongs to this program" : "of another program");
}

static const char *
truth(bool x)
{
    return x ? "true" : "false";
}

static void
print_json(FILE *out, const struct inspected *f)
{
    const struct cmlrt_header *h = &f->h;

    fprintf(out, "  {\"approximate\": %s, \"bytes\": %llu, \"file\": ",
            truth(h->flags & CMLRT_APPROXIMATE), (unsigned long long)h->bytes);
    json_text(out, f->path);
    fprintf(out,
            ", \"insecure\": %s, \"key\": \"%s\",\n   \"major\": %u, "
            "\"minor\": %u, \"model\": \"%s\", \"ours\": %s,\n",
            truth(h->flags & CMLRT_INSECURE), cmlrt_id_hex(h->key).text,
            (unsigned)h->major, (unsigned)h->minor, cmlrt_id_hex(h->model).text,
            truth(f->ours));
    fprintf(out,
            "   \"parameters\": \"%s\", \"rows\": %u, \"type\": \"%s\", "
            "\"version\": ",
            cmlrt_id_hex(h->params).text, (unsigned)h->rows,
            cmlrt_type_name(h->type));
    json_text(out, cmlrt_quote(h->version, strlen(h->version)).text);
    fprintf(out, ", \"whole\": %s}", truth(f->whole));
}

static enum cml_status
inspect_all(struct program *p, FILE *out)
{
    const char *damaged = NULL;

    if (p->o.json)
        fputs("{\"schema\": \"cmlc.inspect/1\", \"files\": [\n", out);
    for (size_t i = 0; i < p->o.listed; i++) {
        struct inspected f = { .path = p->o.list[i] };
        const enum cml_status s =
            cmlrt_inspect(&f.h, &f.whole, f.path, &p->fault);

        if (s != CML_E_ok)
            return s;
        f.ours = is_ours(p, &f.h);
        damaged = f.whole ? damaged : f.path;
        fputs(p->o.json && i ? ",\n" : "", out);
        (p->o.json ? print_json : print_text)(out, &f);
    }
    if (p->o.json)
        fputs("\n]}\n", out);
    if (damaged)
        return cmlrt_fail(&p->fault, CML_E_mismatch, "%s is damaged", damaged);
    return CML_E_ok;
}

enum cml_status
verb_inspect(struct program *p)
{
    enum cml_status s, printed;
    struct page g;

    if (!p->o.listed)
        return cmlrt_fail(&p->fault, CML_E_usage, "which file?");
    if (!page_open(&g))
        return program_no_memory(p);
    s = inspect_all(p, g.file);
    printed = page_emit(p, &g, NULL, CMLRT_REPLACE);
    return s == CML_E_ok ? printed : s;
}
