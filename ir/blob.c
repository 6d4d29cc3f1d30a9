/* Named constants and settings of a function. */
#include "ir/ir.h"

#include <string.h>

enum { MIN_BUCKETS = 64 };

static bool
is_text(const struct ir_blob *b)
{
    return b->kind == IR_NAMES;
}

static size_t
hash(const struct ir_func *f, const char *name)
{
    uint32_t h = 2166136261; /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619;
    return (h ^ h >> 16) & (f->buckets - 1);
}

/* Constants, tables and calibration rows of one name do not clash. */
static const struct ir_blob *
find(const struct ir_func *f, const char *name, bool text, bool calib)
{
    const struct ir_blob *b = f->buckets ? f->first[hash(f, name)] : NULL;

    for (; b; b = b->same)
        if (strcmp(b->name, name) == 0 && is_text(b) == text
            && (b->kind == IR_CALIB) == calib)
            return b;
    return NULL;
}

const struct ir_blob *
ir_blob_find(const struct ir_func *f, const char *name, bool text)
{
    return find(f, name, text, false);
}

const struct ir_blob *
ir_calibration(const struct ir_func *f, const char *input)
{
    return find(f, input, false, true);
}

const struct ir_blob *
ir_data(const struct ir_func *f, const char *name)
{
    const struct ir_blob *b = ir_blob_find(f, name, false);

    if (!b)
        bug("there is no blob @%s", name);
    return b;
}

bool
ir_has_param(const struct ir_func *f, const struct ir_ins *ins)
{
    if (ins->op == IR_select)
        return ir_data(f, ins->as.select.table)->kind == IR_PARAM;
    return ins->op == IR_forest
           && (ir_data(f, ins->as.forest.nodes)->kind == IR_PARAM
               || ir_data(f, ins->as.forest.leaves)->kind == IR_PARAM
               || ir_data(f, ins->as.forest.roots)->kind == IR_PARAM);
}

/* With a dot, which no name of a model has: a param that the user calls c0 is
 * another. */
static const char *
fresh_name(struct ir_func *f)
{
    char text[32];

    do
        snprintf(text, sizeof text, "c.%u", f->fresh++);
    while (ir_blob_find(f, text, false));
    return arena_string(f->mem, text, strlen(text));
}

bool
ir_blob_unnamed(const char *name)
{
    return name[0] == 'c' && name[1] == '.' && name[2] >= '0' && name[2] <= '9';
}

static void
link(struct ir_func *f, struct ir_blob *b)
{
    const size_t h = hash(f, b->name);

    b->same = NULL;
    if (f->last[h])
        f->last[h]->same = b;
    else
        f->first[h] = b;
    f->last[h] = b;
}

/* A chain has one blob, as a rule: as many buckets as blobs, a power of two. */
static void
grow(struct ir_func *f)
{
    const uint32_t n = f->buckets ? 2 * f->buckets : MIN_BUCKETS;

    f->first = arena_new(f->mem, struct ir_blob *, n);
    f->last = arena_new(f->mem, struct ir_blob *, n);
    f->buckets = n;
    for (struct ir_blob *b = f->blobs; b; b = b->next)
        link(f, b);
}

/* The name that a model declares: w of w.int and w.7. */
size_t
ir_blob_declared(const char *name)
{
    return ir_blob_unnamed(name) ? 0 : strcspn(name, ".");
}

const char *
ir_blob_part(struct ir_func *f, const char *of)
{
    char text[256];

    do
        snprintf(text, sizeof text, "%.*s.%u", (int)ir_blob_declared(of), of,
                 f->fresh++);
    while (ir_blob_find(f, text, false));
    return arena_string(f->mem, text, strlen(text));
}

static struct ir_blob *
append(struct ir_func *f, const char *name, enum ir_blob_kind kind,
       const struct ir_type *type)
{
    struct ir_blob *b = arena_new(f->mem, struct ir_blob, 1);

    if (f->nblobs++ == f->buckets)
        grow(f);
    b->name = name ? arena_string(f->mem, name, strlen(name)) : fresh_name(f);
    b->kind = kind;
    b->type = *type;
    b->type.enc = false;
    if (f->last_blob)
        f->last_blob->next = b;
    else
        f->blobs = b;
    link(f, b);
    return f->last_blob = b;
}

const struct ir_blob *
ir_blob_add(struct ir_func *f, const char *name, enum ir_blob_kind kind,
            const struct ir_type *type, const union ir_cell *cell)
{
    struct ir_blob *b = append(f, name, kind, type);
    const size_t n = ir_count(type);
    union ir_cell *own = arena_new(f->mem, union ir_cell, n);

    if (n)
        memcpy(own, cell, n * sizeof *own);
    b->cell = own;
    return b;
}

const struct ir_blob *
ir_blob_text(struct ir_func *f, const char *name, const char *const *text,
             uint32_t n)
{
    const struct ir_type type = ir_type_of(IR_INT, 1, &n);
    struct ir_blob *b = append(f, name, IR_NAMES, &type);
    const char **own = arena_new(f->mem, const char *, n);

    for (uint32_t i = 0; i < n; i++)
        own[i] = arena_string(f->mem, text[i], strlen(text[i]));
    b->text = own;
    return b;
}

ir_ref
ir_constant(struct ir_func *f, struct span at, const char *name,
            enum ir_blob_kind kind, const struct ir_type *type,
            const union ir_cell *cell)
{
    const struct ir_blob *b = ir_blob_add(f, name, kind, type, cell);
    union ir_attrs as = { .constant = { .data = b->name } };

    return ir_build(f, IR_constant, at, NULL, 0, &as);
}

void
ir_set(struct ir_func *f, const char *key, double value, struct span at)
{
    struct ir_setting *s = arena_new(f->mem, struct ir_setting, 1);

    s->key = arena_string(f->mem, key, strlen(key));
    s->value = value;
    s->at = at;
    if (f->last_setting)
        f->last_setting->next = s;
    else
        f->settings = s;
    f->last_setting = s;
}

const struct ir_setting *
ir_setting(const struct ir_func *f, const char *key)
{
    const struct ir_setting *s = f->settings;

    while (s && strcmp(s->key, key) != 0)
        s = s->next;
    return s;
}

double
ir_get(const struct ir_func *f, const char *key, double otherwise)
{
    const struct ir_setting *s = ir_setting(f, key);

    return s ? s->value : otherwise;
}

/* By the whole name: one that begins alike stays encrypted. */
bool
ir_is_clear(const struct ir_func *f, const char *input)
{
    static const char key[] = "clear.";

    for (const struct ir_setting *s = f->settings; s; s = s->next)
        if (strncmp(s->key, key, sizeof key - 1) == 0
            && strcmp(s->key + sizeof key - 1, input) == 0)
            return s->value > 0;
    return false;
}

struct ir_func *
ir_func_bare(struct arena *mem, const struct ir_func *f)
{
    struct ir_func *g = ir_func_new(mem, f->name);

    for (const struct ir_setting *s = f->settings; s; s = s->next)
        ir_set(g, s->key, s->value, s->at);
    g->params = f->params;
    g->sets = f->sets;
    return g;
}

void
ir_blob_copy(struct ir_func *g, const struct ir_blob *b)
{
    if (b->kind == IR_NAMES)
        ir_blob_text(g, b->name, b->text, b->type.dim[0]);
    else
        ir_blob_add(g, b->name, b->kind, &b->type, b->cell);
}

struct ir_func *
ir_func_like(struct arena *mem, const struct ir_func *f)
{
    struct ir_func *g = ir_func_bare(mem, f);

    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        ir_blob_copy(g, b);
    return g;
}
