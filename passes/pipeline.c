/* The pipeline as a table, and the loop that holds it to its word.
 *
 * A pass may rely on the facts it needs; it loses every fact that it does not
 * keep.  The loop checks that needs are met, verifies the result, and asks
 * the facts themselves whether they hold.
 */
#define _POSIX_C_SOURCE 200809L
#include "passes/passes.h"

#include "passes/inner.h"
#include "passes/ways.h"

#include <string.h>
#include <time.h>

enum fact {
    FOLDED = 1 << 0,
    LIVE = 1 << 1,
    PLACED = 1 << 2,
    SCALED = 1 << 3,
    INTS = 1 << 4,
    FUSED = 1 << 5,
    RANGES = 1 << 6,
    TFHE = 1 << 7,
    NOISE = 1 << 8,
    PARAMS = 1 << 9,
};

struct pass {
    const char *name;
    struct ir_func *(*run)(struct pass_ctx *cx, const struct ir_func *f);
    unsigned needs, keeps, gives;
    const char *help;
};

/* clang-format off */
static const struct pass pipeline[] = {
#define PASS(name, run, needs, keeps, gives, help) \
    { name, pass_##run, needs, keeps, gives, help },
#include "passes/pipeline.def"
};
/* clang-format on */

enum { NPASSES = sizeof pipeline / sizeof *pipeline };

const char *
pass_integers(struct ir_func *g, enum ir_blob_kind kind, size_t rows,
              size_t cols, const union ir_cell *cell)
{
    const uint32_t dim[2] = { (uint32_t)rows, (uint32_t)cols };
    const struct ir_type t = ir_type_of(IR_INT, cols ? 2 : 1, dim);

    return ir_blob_add(g, NULL, kind, &t, cell)->name;
}

ir_ref
pass_matrix(struct ir_func *g, struct span at, enum ir_blob_kind kind,
            size_t rows, size_t cols, const union ir_cell *cell)
{
    const union ir_attrs as = {
        .constant = { .data = pass_integers(g, kind, rows, cols, cell) }
    };

    return ir_build(g, IR_constant, at, NULL, 0, &as);
}

ir_ref
pass_gathered(struct ir_func *g, struct span at, ir_ref x, size_t n,
              const union ir_cell *index)
{
    const union ir_attrs as = { .gather = { .index = pass_integers(
                                                g, IR_CONST, n, 0, index) } };

    return ir_build(g, IR_gather, at, &x, 1, &as);
}

bool
pass_constant(const struct ir_func *f, ir_ref v, const struct ir_blob **blob)
{
    if (ir_at(f, v)->op != IR_constant)
        return false;
    *blob = ir_data(f, ir_at(f, v)->as.constant.data);
    return true;
}

bool
pass_encrypted(const struct ir_type *t)
{
    return t->enc || t->base >= IR_GLWE;
}

bool
pass_sent(const struct ir_ins *ins)
{
    return ins->op == IR_encrypt || ins->op == IR_disclose;
}

static bool
folded(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const unsigned traits = ir_ops[ins->op].traits;

    for (size_t j = 0; j < ins->nin; j++)
        if (ir_at(f, ins->in[j])->op != IR_constant)
            return true;
    return ins->nin == 0 || !(traits & IR_PURE) || (traits & IR_BORDER);
}

static bool
live(const struct ir_func *f, uint32_t i)
{
    if (ir_ops[f->ins[i].op].traits & IR_PINNED)
        return true;
    for (uint32_t u = i + 1; u < f->n; u++)
        for (size_t j = 0; j < f->ins[u].nin; j++)
            if (f->ins[u].in[j].id == i)
                return true;
    return false;
}

/* An output is clear, and so is what a border starts from or ends in. */
static bool
placed(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    bool enc = false;

    for (size_t j = 0; j < ins->nin; j++)
        enc = enc || pass_encrypted(&ir_at(f, ins->in[j])->type);
    return ins->op != IR_output || !enc;
}

static bool
scaled(const struct ir_func *f, uint32_t i)
{
    const struct ir_type *t = &f->ins[i].type;

    return t->base != IR_REAL || !t->enc || t->ranged;
}

/* a factor that the server knows */
static bool
is_seen(const struct ir_func *f, ir_ref v)
{
    return !ir_at(f, v)->type.enc || ir_at(f, v)->type.open;
}

/* What the ciphertext level has for integers; one factor is clear. */
static bool
is_integer_op(const struct ir_func *f, const struct ir_ins *ins)
{
    if (ins->type.open) /* at the server as at the client */
        return true;
    switch ((int)ins->op) {
    case IR_mul: return is_seen(f, ins->in[0]) || is_seen(f, ins->in[1]);
    case IR_matmul:
        return !ir_at(f, ins->in[0])->type.enc
               || !ir_at(f, ins->in[1])->type.enc;
    case IR_encrypt:
    case IR_disclose:
    case IR_add:
    case IR_sub:
    case IR_neg:
    case IR_gather:
    case IR_reshape:
    case IR_concat:
    case IR_sum:
    case IR_forest:
    case IR_lut:
    case IR_low_bit:
    case IR_proved:
    case IR_output: return true;
    }
    return false;
}

/* Between a dequant and a quant there are element-wise functions of reals. */
static bool
ints(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const bool map = ir_ops[ins->op].traits & IR_MAP;

    if (ins->op == IR_decrypt)
        return ins->type.base == IR_INT;
    if (!ins->type.enc || ir_ops[ins->op].cipher)
        return true;
    return ins->type.base == IR_REAL ? map && ins->nin <= 2
           : map && ir_at(f, ins->in[0])->type.base == IR_REAL
               ? true
               : is_integer_op(f, ins);
}

static bool
fused(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    return !ins->type.enc || ir_ops[ins->op].cipher
           || (ins->type.base == IR_INT && is_integer_op(f, ins));
}

static bool
ranges(const struct ir_func *f, uint32_t i)
{
    const struct ir_type *t = &f->ins[i].type;

    return t->base != IR_INT || !t->enc || t->ranged;
}

static bool
tfhe(const struct ir_func *f, uint32_t i)
{
    const struct ir_type *t = &f->ins[i].type;

    return !t->enc || t->open || t->base >= IR_GLWE;
}

static bool
noise(const struct ir_func *f, uint32_t i)
{
    const struct ir_type *t = &f->ins[i].type;

    return (t->base != IR_LWE && t->base != IR_GGSW) || t->ranged;
}

static bool
params(const struct ir_func *f, uint32_t i)
{
    (void)i;
    return f->params.chosen;
}

static const struct {
    enum fact fact;
    const char *name;
    bool (*holds)(const struct ir_func *f, uint32_t i);
} facts[] = {
    { FOLDED, "folded", folded }, { LIVE, "live", live },
    { PLACED, "placed", placed }, { SCALED, "scaled", scaled },
    { INTS, "integer", ints },    { FUSED, "fused", fused },
    { RANGES, "ranged", ranges }, { TFHE, "lowered", tfhe },
    { NOISE, "noisy", noise },    { PARAMS, "parametrised", params },
};

static bool
holds(const struct ir_func *f, size_t fact)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (!facts[fact].holds(f, i))
            return false;
    return true;
}

/* Whether a comma-separated list has the name. */
static bool
listed(const char *list, const char *name)
{
    const size_t len = strlen(name);

    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (strncmp(p, name, len) == 0 && (p[len] == ',' || !p[len]))
            return true;
    return false;
}

static void
check(const struct pass *p, const struct ir_func *f, unsigned known)
{
    uint32_t bad;
    const char *rule = ir_verify(f, &bad);

    if (rule) {
        ir_print(stderr, f);
        bug("after %s: %%%u: %s", p->name, bad, rule);
    }
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if ((known & facts[i].fact) && !holds(f, i))
            bug("after %s: not %s", p->name, facts[i].name);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct ir_func *
step(const struct pass *p, struct pass_ctx *cx, const struct ir_func *f,
     const struct pass_options *opt)
{
    const double begin = now();
    struct ir_func *g = p->run(cx, f);

    arena_free(cx->scratch);
    if (opt->time)
        fprintf(opt->dump, "%-10s %8.3f ms\n", p->name, 1e3 * (now() - begin));
    if (!g)
        return NULL;
    if (opt->dump_after
        && (listed(opt->dump_after, p->name)
            || strcmp(opt->dump_after, "all") == 0)) {
        fprintf(opt->dump, "# after %s\n", p->name);
        ir_print(opt->dump, g);
    }
    if (opt->watch)
        opt->watch(p->name, f, g, opt->arg);
    return g;
}

static struct ir_func *
copy(struct arena *out, const struct ir_func *f)
{
    struct arena scratch = { 0 };
    ir_ref *map = arena_new(&scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(out, f);

    for (uint32_t i = 0; i < f->n; i++)
        map[i] = ir_copy(g, &f->ins[i], map);
    arena_free(&scratch);
    return g;
}

/* A pass of --passes on a model that lacks what it needs. */
static bool
can_run(const struct pass *p, const struct ir_func *f, unsigned known,
        const struct pass_options *opt)
{
    if (!(p->needs & ~known))
        return true;
    if (!opt->only)
        bug("%s runs without what it needs", p->name);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (p->needs & ~known & facts[i].fact)
            diag_error(opt->diag, f->n ? f->ins[0].at : (struct span){ 0, 0 },
                       E_ir_text, "%s wants a model that is %s", p->name,
                       facts[i].name);
    return false;
}

/* What a text that was parsed already holds. */
static unsigned
known_facts(const struct ir_func *f)
{
    unsigned known = 0;
    bool borders = false, cipher = false;

    for (uint32_t i = 0; i < f->n; i++) {
        borders = borders || (ir_ops[f->ins[i].op].traits & IR_BORDER);
        cipher = cipher || ir_ops[f->ins[i].op].cipher;
    }
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (holds(f, i))
            known |= facts[i].fact;
    known &= ~(unsigned)(cipher ? PLACED | SCALED | INTS | FUSED | RANGES
                                : TFHE | NOISE | PARAMS);
    return borders ? known : known & (FOLDED | LIVE);
}

/* Two arenas alternate: the one a pass reads is freed when it is done. */
struct ir_func *
pass_run(struct arena *out, const struct ir_func *f,
         const struct pass_options *opt)
{
    struct arena side[2] = { { 0 }, { 0 } }, scratch = { 0 };
    struct pass_ctx cx = { NULL, &scratch, opt->diag, 0, 0 };
    struct ir_func *g = NULL;
    unsigned known = opt->only ? known_facts(f) : 0, at = 0;

    cx.status = 1;
    if (pass_settings_ok(opt->diag, f))
        g = copy(&side[1], f), cx.status = 0;

    for (size_t i = 0; i < NPASSES && g; i++) {
        const struct pass *p = &pipeline[i];

        if (opt->only && !listed(opt->only, p->name))
            continue;
        cx.out = &side[at];
        if (can_run(p, g, known, opt))
            g = step(p, &cx, g, opt);
        else
            g = NULL, cx.status = 1;
        if (!g)
            break;
        known = (known & p->keeps) | p->gives;
        check(p, g, known);
        at = !at;
        arena_free(&side[at]);
        if (opt->stop_after && strcmp(opt->stop_after, p->name) == 0)
            break;
    }
    if (g)
        g = copy(out, g);
    else if (opt->status)
        *opt->status = cx.status;
    arena_free(&side[0]);
    arena_free(&side[1]);
    if (!g && cx.status == 6 && opt->ways && !opt->only)
        ways_out(opt->diag, f);
    return g;
}

bool
pass_names_ok(const char *list)
{
    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL) {
        bool found = false;

        for (size_t i = 0; i < NPASSES && !found; i++) {
            const size_t len = strlen(pipeline[i].name);

            found = strncmp(p, pipeline[i].name, len) == 0
                    && (p[len] == ',' || !p[len]);
        }
        if (!found)
            return false;
    }
    return true;
}

void
pass_help(FILE *out)
{
    for (size_t i = 0; i < NPASSES; i++)
        fprintf(out, "  %-10s %s\n", pipeline[i].name, pipeline[i].help);
}
