/* Each trial runs the whole pipeline on the model with other settings, in an
 * arena of its own and with messages off; only what compiled is told, with the
 * time a row that its parameters promise.
 *
 * The number of trials is bounded, not their time: the same model gets the same
 * help on every machine.
 */
#include "passes/ways.h"

#include "passes/agree.h"
#include "passes/passes.h"

#include <string.h>

enum { STEPS = 15, ENOUGH = 2, KEYS = 64, TEXT = 400 };

/* One family of widths in a model: the names that have bits of their own, and
 * the family's key for the others. */
struct family {
    const char *key;  /* bits.weights */
    double least;     /* bits */
    double otherwise; /* if nothing is set */
    bool (*has)(const struct ir_func *f, const char *name);
};

static bool
is_input(const struct ir_func *f, const char *name)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_input
            && strcmp(f->ins[i].as.input.name, name) == 0)
            return true;
    return false;
}

static bool
is_param(const struct ir_func *f, const char *name)
{
    const struct ir_blob *b = ir_blob_find(f, name, false);

    return b && b->kind == IR_PARAM;
}

static bool
is_nothing(const struct ir_func *f, const char *name)
{
    (void)f;
    (void)name;
    return false;
}

static const struct family families[] = {
    { "bits.activations", 1, 4, is_nothing },
    { "bits.inputs", 1, 8, is_input },
    { "bits.weights", 2, 8, is_param },
};

enum { FAMILIES = sizeof families / sizeof *families };

enum { APPROX = FAMILIES, APPROX_BITS = 6 }; /* one more thing to change */

/* Settings to change, and how the source writes them. */
struct way {
    struct {
        const char *key;
        double value;
    } set[KEYS];
    size_t n;
    char text[TEXT];
};

struct trials {
    struct diag *dg;
    const struct ir_func *f;
    const struct agree *agree; /* NULL: there are no rows */
    struct way told[ENOUGH + FAMILIES + 2];
    size_t n;
};

/* NAME VALUE UNIT, behind a comma */
static void
add(struct way *w, const char *key, double value, const char *name,
    const char *unit)
{
    const size_t len = strlen(w->text);

    if (w->n == KEYS)
        return;
    w->set[w->n].key = key;
    w->set[w->n++].value = value;
    snprintf(w->text + len, TEXT - len, "%s%s%.0f%s", len ? ", " : "", name,
             value, unit);
}

static void
add_bits(struct way *w, const char *key, double value)
{
    char name[128];

    snprintf(name, sizeof name, "%.100s ", key + strlen("bits."));
    add(w, key, value, name, " bits");
}

/* Whether the family's own key says something of this model: each name may have
 * bits of its own. */
static bool
has_others(const struct ir_func *f, const struct family *of)
{
    char key[256];

    if (of->has == is_nothing)
        return true;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const char *name = ins->op == IR_input      ? ins->as.input.name
                           : ins->op == IR_constant ? ins->as.constant.data
                                                    : NULL;

        if (!name || !of->has(f, name) || ins->type.base != IR_REAL)
            continue;
        snprintf(key, sizeof key, "bits.%s", name);
        if (!ir_setting(f, key))
            return true;
    }
    return false;
}

/* `less` bits less for all of a family; false if nothing has so many. */
static bool
narrow(struct way *w, const struct ir_func *f, const struct family *of,
       double less)
{
    const double all = ir_get(f, of->key, of->otherwise) - less;
    bool some = false;

    for (const struct ir_setting *s = f->settings; s; s = s->next) {
        if (strncmp(s->key, "bits.", strlen("bits.")) != 0
            || !of->has(f, s->key + strlen("bits."))
            || s->value - less < of->least)
            continue;
        add_bits(w, s->key, s->value - less);
        some = true;
    }
    if (all < of->least || !has_others(f, of))
        return some;
    add_bits(w, of->key, all);
    return true;
}

/* f with the settings of a way; the first of a key counts. */
static struct ir_func *
changed(struct arena *mem, const struct ir_func *f, const struct way *w)
{
    struct ir_func *g = ir_func_new(mem, f->name);
    ir_ref *map = arena_new(mem, ir_ref, f->n);

    for (size_t i = 0; i < w->n; i++)
        ir_set(g, w->set[i].key, w->set[i].value, (struct span){ 0, 0 });
    for (const struct ir_setting *s = f->settings; s; s = s->next)
        if (!ir_setting(g, s->key))
            ir_set(g, s->key, s->value, s->at);
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        ir_blob_copy(g, b);
    for (uint32_t i = 0; i < f->n; i++)
        map[i] = ir_copy(g, &f->ins[i], map);
    return g;
}

/* The time of a row in ms, or a negative number; and how well it answers, if
 * that is known. */
static double
price(const struct trials *t, const struct way *w, char *answers)
{
    struct arena mem = { 0 };
    struct diag silent = { .src = t->dg->src, .out = NULL };
    const struct pass_options po = { .diag = &silent };
    const struct ir_func *g = pass_run(&mem, changed(&mem, t->f, w), &po);
    const double ms = g ? g->params.cost : -1;

    *answers = 0;
    if (g && t->agree && !(ir_get(g, "rounding.approx", 0) > 0))
        agree_phrase(answers, TEXT, t->agree, g);
    arena_free(&mem);
    return ms;
}

/* Two ways may end in the same widths. */
static bool
is_told(const struct trials *t, const struct way *w)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->told[i].text, w->text) == 0)
            return true;
    return false;
}

/* whether it compiles */
static bool
tell(struct trials *t, const struct way *w)
{
    char answers[TEXT];
    const double ms = price(t, w, answers);

    if (ms < 0)
        return false;
    if (is_told(t, w) || t->n == sizeof t->told / sizeof *t->told)
        return true;
    diag_help(t->dg,
              ms < 100 ? "%s: compiles, %.3g ms a row%s%s"
                       : "%s: compiles, %.0f ms a row%s%s",
              w->text, ms, *answers ? "; " : "", answers);
    t->told[t->n++] = *w;
    return true;
}

/* The widest of some families that compiles; set is a set of bits. */
static void
try_families(struct trials *t, unsigned set)
{
    for (int less = 1; less <= STEPS; less++) {
        struct way w = { .n = 0 };
        bool some = false;

        for (size_t i = 0; i < FAMILIES; i++)
            if (set >> i & 1)
                some = narrow(&w, t->f, &families[i], less) || some;
        if (!some)
            return;
        if (set >> APPROX & 1)
            add(&w, "rounding.approx", APPROX_BITS, "rounding approx ",
                " bits");
        if (tell(t, &w))
            return;
    }
}

static void
try_approx(struct trials *t)
{
    const int now = (int)ir_get(t->f, "rounding.approx", 0);

    for (int bits = now > 0 ? now - 1 : 8; bits >= 2; bits--) {
        struct way w = { .n = 0 };

        add(&w, "rounding.approx", bits, "rounding approx ", " bits");
        if (tell(t, &w))
            return;
    }
}

static void
try_pfail(struct trials *t)
{
    static const double bound[] = { -128, -64, -40 };

    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        struct way w = { .n = 0 };

        if (bound[i] <= ir_get(t->f, "log2_pfail", -128))
            continue;
        add(&w, "log2_pfail", bound[i], "p_fail 2^", "");
        if (tell(t, &w))
            return;
    }
}

/* Single families first, then sets of them. */
void
ways_out(struct diag *dg, const struct ir_func *f)
{
    /* activations 1, inputs 2, weights 4, rounding 8 */
    static const unsigned sets[] = { 6, 3, 5, 7, 10, 12, 14, 15 };
    struct arena mem = { 0 };
    struct trials t = { .dg = dg, .f = f, .agree = agree_new(&mem, f) };

    for (unsigned i = 0; i < FAMILIES; i++)
        try_families(&t, 1u << i);
    try_approx(&t);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (t.n < ENOUGH)
            try_families(&t, sets[i]);
    if (t.n < ENOUGH)
        try_pfail(&t);
    if (t.n && !t.agree)
        diag_help(dg, "accuracy at these widths is not known here: try them "
                      "with 'clear --truth'");
    if (t.n == 0)
        diag_help(dg, "no widths, rounding or p_fail that were tried compile: "
                      "smaller sums are needed");
    arena_free(&mem);
}
