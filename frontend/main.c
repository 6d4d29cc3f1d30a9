/* cmlc: from the command line to an exit code.
 *
 *     build     a model to a program, an object or a text
 *     check     a model's names, types, ranges and tables
 *     fmt, new  sources
 *     report    what a model or a program costs, risks and tells
 *     explain   a message
 *     completions, manual
 *
 *     0 ok          1 the model has errors      2 usage      3 input or output
 *     6 no secure parameters      70 our bug      75 a resource limit
 *
 * The only file that knows all the folders.  Results go to a temporary file
 * that is renamed when it is complete.
 */
#define _POSIX_C_SOURCE 200809L
#include "backend/backend.h"
#include "frontend/frontend.h"
#include "frontend/options.h"
#include "frontend/tools.h"
#include "passes/passes.h"
#include "passes/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, BAD_INPUT = 1, USAGE = 2, IO = 3 };

enum { MAX_SOURCE = 16 << 20 };

/* For input and output, the system's reason follows. */
static int
fail(int code, const char *what, const char *which)
{
    fprintf(stderr, "cmlc: %s %s", what, which);
    if (code == IO && errno)
        fprintf(stderr, ": %s", strerror(errno));
    putc('\n', stderr);
    return code;
}

/* All of f, in memory that doubles, and a NUL behind it. */
static bool
read_all(struct arena *mem, FILE *f, struct source *src)
{
    size_t room = 1 << 16, len = 0;
    char *text = arena_new(mem, char, room + 1);

    while ((len += fread(text + len, 1, room - len, f)) == room
           && room <= MAX_SOURCE) {
        char *more = arena_new(mem, char, 2 * room + 1);

        memcpy(more, text, len);
        text = more;
        room *= 2;
    }
    src->text = text;
    src->len = len;
    if (len > MAX_SOURCE)
        errno = EFBIG;
    return !ferror(f) && len <= MAX_SOURCE;
}

static bool
slurp(struct arena *mem, const char *path, struct source *src)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    bool ok;

    if (!f)
        return false;
    errno = 0;
    *src = (struct source){ .name = path };
    ok = read_all(mem, f, src);
    fclose(f);
    return ok;
}

static char *
join(struct arena *mem, const char *a, const char *b)
{
    const size_t size = strlen(a) + strlen(b) + 1;
    char *s = arena_new(mem, char, size);

    snprintf(s, size, "%s%s", a, b);
    return s;
}

/* DIR/../lib/libcmlrt.a, where DIR holds this program. */
static const char *
find_runtime(struct arena *mem, const struct options *o)
{
    enum { MAX = 4096 };
    const char *env = getenv("CML_RUNTIME");
    char *self = arena_new(mem, char, MAX);
    ssize_t len = readlink("/proc/self/exe", self, MAX - 1);

    if (o->runtime || env)
        return o->runtime ? o->runtime : env;
    while (len > 0 && self[len - 1] != '/')
        len--;
    self[len > 0 ? len : 0] = 0;
    return join(mem, self, "../lib/libcmlrt.a");
}

/* The object, and for exe the program made of it. */
static int
write_binary(struct arena *mem, const struct options *o, struct be_module *m,
             const char *path)
{
    const bool link = strcmp(o->emit, "exe") == 0;
    const char *object = join(mem, path, ".tmp.o");
    const char *program = join(mem, path, ".tmp");
    const struct be_link how = { .cc = o->cc,
                                 .runtime = find_runtime(mem, o),
                                 .link_arg = o->link_arg,
                                 .verbose = o->verbose };
    int status = 0;

    if (!be_object(m, object))
        return fail(IO, "cannot write", object);
    if (link)
        status = be_link(object, program, &how);
    if (status == 0 && rename(link ? program : object, path) != 0)
        status = -1;
    if (link || status != 0) {
        const int why = errno;

        remove(object);
        if (status != 0)
            remove(program);
        errno = why;
    }
    if (status < 0)
        return fail(IO, "cannot make", path);
    errno = 0; /* cc has said why */
    return status ? fail(IO, "the linking driver failed for", path) : OK;
}

/* The report of a compiled model, a text that is to be freed. */
static char *
report_text(const struct report *r, const struct ir_func *f,
            const struct source *src, enum report_of of)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        out_of_memory();
    report_write(out, r, f, src, of);
    if (fclose(out) != 0)
        out_of_memory();
    return text;
}

static int
emit(struct arena *mem, const struct options *o, const struct ir_func *f,
     const struct source *src, const struct report *r, enum be_role role)
{
    static const enum report_of of[] = { REPORT_ALL, REPORT_CLIENT,
                                         REPORT_SERVER };
    static const char *const suffix[] = { "", "-client", "-server" };
    const char *path = join(mem, o->output ? o->output : f->name, suffix[role]);
    char *report = report_text(r, f, src, of[role]);
    struct be_module *m = be_new(f, src, role, report);
    int code = OK;

    free(report);
    be_optimise(m);
    if (strcmp(o->emit, "llvm") == 0)
        be_print(m, stdout);
    else
        code = write_binary(mem, o, m, path);
    be_free(m);
    return code;
}

/* What the model costs and how to go on. */
static void
summary(const struct options *o, const struct ir_func *f)
{
    const char *name = o->output ? o->output : f->name;
    size_t pbs = 0;

    for (uint32_t i = 0; i < f->n; i++)
        pbs += ir_bootstraps(f, &f->ins[i]);
    fprintf(stderr,
            "%s: %zu bootstraps a row, p_fail <= 2^%.1f, %d-bit curve%s\n",
            f->name, pbs, f->params.log2_pfail, (int)f->params.level,
            f->params.insecure ? ", INSECURE toy parameters" : "");
    if (o->split)
        fprintf(stderr, "next: %s-client info\n", name);
    else
        fprintf(stderr, "next: %s%s run -i FILE.csv\n",
                strchr(name, '/') ? "" : "./", name);
}

static bool
is_ir(const struct source *src)
{
    return src->len > 5 && memcmp(src->text, "ir 1 ", 5) == 0;
}

static struct ir_func *
front(struct arena *mem, const struct options *o, struct diag *dg)
{
    struct fe_options fo = { .folder = ".",
                             .allow_path = o->allow_path,
                             .library = o->verb == VERB_check };
    char *folder, *slash;

    if (is_ir(dg->src))
        return ir_parse(mem, dg);
    if (strcmp(o->emit, "ast") == 0) {
        fe_print_ast(stdout, dg);
        return NULL;
    }
    folder = arena_string(mem, dg->src->name, strlen(dg->src->name));
    slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0; /* "/x.cml" is in "/" */
        fo.folder = folder;
    }
    return fe_compile(mem, dg, &fo);
}

/* A model that is being compiled. */
struct job {
    struct arena *mem;
    const struct options *o;
    struct source src;
    struct report *report;
};

/* Messages about the source, that is. */
static bool
wants_json(const struct options *o)
{
    return o->diagnostics && strcmp(o->diagnostics, "json") == 0;
}

/* The front end and, if `all` or the options ask for it, the passes; NULL after
 * messages or the syntax tree, and *code. */
static struct ir_func *
lower(struct job *j, bool all, int *code)
{
    const struct options *o = j->o;
    struct diag dg = { .src = &j->src, .out = stderr, .json = wants_json(o) };
    struct pass_options po = { .diag = &dg,
                               .only = o->passes,
                               .stop_after = o->stop_after,
                               .dump_after = o->dump_after,
                               .ways = true,
                               .time = o->time_passes,
                               .dump = stderr,
                               .watch = o->passes ? NULL : report_watch,
                               .arg = j->report,
                               .status = code };
    struct ir_func *f = front(j->mem, o, &dg);

    j->src = *dg.src; /* with what it imports */
    *code = f || !dg.errors ? OK : BAD_INPUT;
    if (f && f->n == 0) /* definitions only */
        return f;
    if (f && o->verb == VERB_check)
        ir_set(f, "check", 1, (struct span){ 0, 0 });
    return f && all ? pass_run(j->mem, f, &po) : f;
}

static int
compile(struct job *j)
{
    const struct options *o = j->o;
    const bool ir = strcmp(o->emit, "ir") == 0;
    int code;
    struct ir_func *f = lower(j, !ir || o->passes || o->stop_after, &code);

    if (!f)
        return code;
    if (ir || o->stop_after || o->passes) {
        ir_print(stdout, f);
        return OK;
    }
    if (!o->split)
        code = emit(j->mem, o, f, &j->src, j->report, BE_ALL);
    else if ((code = emit(j->mem, o, f, &j->src, j->report, BE_CLIENT)) == OK)
        code = emit(j->mem, o, f, &j->src, j->report, BE_SERVER);
    if (code == OK && strcmp(o->emit, "exe") == 0 && !wants_json(o))
        summary(o, f);
    return code;
}

/* ---- report */

static int
show(const struct job *j, const char *text, size_t len)
{
    const struct options *o = j->o;
    const char *why = fe_report_show(j->mem, text, len, o->json, o->html);

    if (!why)
        return OK;
    if (!*why)
        return fail(IO, "cannot write", o->html);
    fprintf(stderr, "cmlc: %s: %s\n", o->input, why);
    return BAD_INPUT;
}

/* A program, an object or one half: what was stamped when it was made. */
static int
report_program(const struct job *j, FILE *f)
{
    const char *why;
    size_t len = 0;
    const char *text = fe_elf_section(j->mem, f, BE_REPORT, &len, &why);

    if (text)
        return show(j, text, len);
    fprintf(stderr,
            "cmlc: %s is a program, but %s\n  help: compile its model again "
            "with this cmlc\n",
            j->o->input, why);
    return BAD_INPUT;
}

static int
report_model(struct job *j)
{
    int code;
    const struct ir_func *f;
    char *text;

    if (memchr(j->src.text, 0, j->src.len)) {
        fprintf(stderr, "cmlc: %s is neither a model nor a program of cmlc\n",
                j->o->input);
        return BAD_INPUT;
    }
    f = lower(j, true, &code);
    if (!f)
        return code;
    text = report_text(j->report, f, &j->src, REPORT_ALL);
    code = show(j, text, strlen(text));
    free(text);
    return code;
}

static int
report(struct job *j)
{
    FILE *f = strcmp(j->o->input, "-") == 0 ? NULL : fopen(j->o->input, "rb");
    const bool program = f && fe_elf_is(f);
    int code;

    if (j->o->stop_after || j->o->passes)
        code = fail(USAGE, "report runs all passes:",
                    j->o->passes ? "--passes" : "--stop-after");
    else if (program)
        code = report_program(j, f);
    else if (slurp(j->mem, j->o->input, &j->src))
        code = report_model(j);
    else
        code = fail(IO, "cannot read", j->o->input);
    if (f)
        fclose(f);
    if (code != OK && j->o->json) /* a document in any case */
        printf("{\n  \"schema\": \"cmlc.report/1\",\n  \"error\": {\"exit\": "
               "%d}\n}\n",
               code);
    return code;
}

/* ---- the tools */

/* As far as nothing is generated: the last pass before parameters. */
static int
check(struct job *j)
{
    const struct options *o = j->o;
    struct options only = *o;
    const struct ir_func *f;
    int code;

    only.stop_after = "to-tfhe";
    if (!slurp(j->mem, o->input, &j->src))
        return fail(IO, "cannot read", o->input);
    j->o = &only;
    f = lower(j, true, &code);
    j->o = o;
    if (f && o->verbose)
        fprintf(stderr, "%s: ok\n", o->input);
    return f ? OK : code;
}

static int
ended(enum tool_end end, const char *word)
{
    switch (end) {
    case TOOL_OK: return OK;
    case TOOL_BAD: return BAD_INPUT;
    case TOOL_NAME: return fail(USAGE, "no name of a model:", word);
    case TOOL_KIND: return fail(USAGE, "there is no template", word);
    case TOOL_IO: break;
    }
    return fail(IO, "cannot write", word);
}

static int
format(struct arena *mem, const struct options *o)
{
    int code = OK;

    for (size_t i = 0; i < o->operands; i++) {
        struct source src;
        struct diag dg = { .src = &src, .out = stderr, .json = wants_json(o) };
        int one;

        if (!slurp(mem, o->operand[i], &src))
            one = fail(IO, "cannot read", o->operand[i]);
        else
            one = ended(tool_format(mem, &src, &dg, o), src.name);
        code = one > code ? one : code;
    }
    return code;
}

static int
start(struct arena *mem, const struct options *o)
{
    const char *word = NULL;
    const enum tool_end end = tool_new(mem, o, &word);

    return ended(end, word);
}

static int
completions(const struct options *o)
{
    return options_completions(stdout, o->input)
               ? OK
               : fail(USAGE, "no shell of bash, zsh, fish:", o->input);
}

static int
explain(const struct options *o)
{
    const char *meant = NULL;

    if (!o->input) {
        diag_list(stdout);
        return OK;
    }
    if (diag_explain(stdout, o->input, &meant))
        return OK;
    fail(USAGE, "there is no diagnostic", o->input);
    if (meant)
        fprintf(stderr, "  help: 'cmlc explain %s' was meant?\n", meant);
    return USAGE;
}

static bool
emit_ok(const char *kind)
{
    static const char *const kinds[] = { "ast", "ir", "llvm", "obj", "exe" };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static bool
pass_ok(const char *name)
{
    return !name || pass_names_ok(name);
}

static int
run(struct arena *mem, struct options *o)
{
    struct job j = { .mem = mem, .o = o, .report = report_new(mem) };

    if (!o->emit)
        o->emit = "exe";
    if (!emit_ok(o->emit))
        return fail(USAGE, "cannot emit", o->emit);
    if (!pass_ok(o->passes))
        return fail(USAGE, "no such pass in", o->passes);
    if (!pass_ok(o->stop_after))
        return fail(USAGE, "no such pass:", o->stop_after);
    if (o->dump_after && strcmp(o->dump_after, "all") != 0
        && !pass_ok(o->dump_after))
        return fail(USAGE, "no such pass:", o->dump_after);
    if (o->verb == VERB_report)
        return report(&j);
    if (o->json || o->html)
        return fail(USAGE,
                    "an option of cmlc report:", o->json ? "--json" : "--html");
    if (o->verb == VERB_check)
        return check(&j);
    return slurp(mem, o->input, &j.src) ? compile(&j)
                                        : fail(IO, "cannot read", o->input);
}

static int
perform(struct arena *mem, struct options *o)
{
    if (o->version)
        return printf("cmlc %s\n", CMLC_VERSION) < 0;
    if (o->help || o->help_passes) {
        if (o->help)
            options_help(stdout);
        else
            pass_help(stdout), options_help_developer(stdout);
        return OK;
    }
    if (o->diagnostics && !wants_json(o) && strcmp(o->diagnostics, "text") != 0)
        return fail(USAGE, "no form of text, json:", o->diagnostics);
    switch (o->verb) {
    case VERB_explain: return explain(o);
    case VERB_fmt: return format(mem, o);
    case VERB_new: return start(mem, o);
    case VERB_completions: return completions(o);
    case VERB_manual: options_manual(stdout, CMLC_VERSION); return OK;
    case VERB_build:
    case VERB_check:
    case VERB_report:
    case NVERBS: break;
    }
    return run(mem, o);
}

int
main(int argc, char **argv)
{
    struct arena mem = { 0 };
    struct options o;
    const char *bad, *why;
    int code;

    (void)argc;
    why = options_parse(&o, argv, &bad);
    if (why) {
        code = fail(USAGE, why, bad);
        if (o.meant)
            fprintf(stderr, "  help: '--%s' was meant?\n", o.meant);
        arena_free(&mem);
        return code;
    }
    code = perform(&mem, &o);
    arena_free(&mem);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        code = fail(IO, "cannot write", "standard output");
    return code;
}
