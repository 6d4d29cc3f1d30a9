/* cmlc: from the command line to an exit code.
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
#include "passes/passes.h"

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
    src->name = path;
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

static int
emit(struct arena *mem, const struct options *o, const struct ir_func *f,
     const struct source *src, enum be_role role)
{
    static const char *const suffix[] = { "", "-client", "-server" };
    const char *path = join(mem, o->output ? o->output : f->name, suffix[role]);
    struct be_module *m = be_new(f, src, role);
    int code = OK;

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
        if (f->ins[i].op == IR_lwe_pbs)
            pbs += ir_count(&f->ins[i].type);
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
    struct fe_options fo = { .folder = ".", .allow_path = o->allow_path };
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

static int
compile(struct arena *mem, const struct options *o)
{
    struct source src;
    struct diag dg = { .src = &src, .out = stderr };
    int code = OK;
    struct pass_options po = { .diag = &dg,
                               .only = o->passes,
                               .stop_after = o->stop_after,
                               .dump_after = o->dump_after,
                               .time = o->time_passes,
                               .dump = stderr,
                               .status = &code };
    struct ir_func *f;

    if (!slurp(mem, o->input, &src))
        return fail(IO, "cannot read", o->input);
    f = front(mem, o, &dg);
    if (!f)
        return dg.errors ? BAD_INPUT : OK;
    if (strcmp(o->emit, "ir") != 0 || o->passes || o->stop_after)
        f = pass_run(mem, f, &po);
    if (!f)
        return code;
    if (strcmp(o->emit, "ir") == 0 || o->stop_after || o->passes) {
        ir_print(stdout, f);
        return OK;
    }
    if (!o->split)
        code = emit(mem, o, f, &src, BE_ALL);
    else if ((code = emit(mem, o, f, &src, BE_CLIENT)) == OK)
        code = emit(mem, o, f, &src, BE_SERVER);
    if (code == OK && strcmp(o->emit, "exe") == 0)
        summary(o, f);
    return code;
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
    return compile(mem, o);
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
    if (o.version)
        code = printf("cmlc %s\n", CMLC_VERSION) < 0;
    else if (o.help)
        options_help(stdout), code = OK;
    else if (o.help_passes)
        pass_help(stdout), code = OK;
    else if (strcmp(o.input, "explain") == 0)
        code = o.topic && diag_explain(stdout, o.topic)
                   ? OK
                   : fail(USAGE, "there is no diagnostic",
                          o.topic ? o.topic : "of no code");
    else
        code = run(&mem, &o);
    arena_free(&mem);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        code = fail(IO, "cannot write", "standard output");
    return code;
}
