/* Reads the text form: re2c for tokens, recursive descent for the rest.
 *
 * The op table says what may follow a name, so a new op needs nothing here.
 * Stops at the first error: this text is written by the program.
 */
#include "ir/ir.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_IN = UINT16_MAX };
enum token { END, WORD, SYM, REF, INT, REAL, TEXT, PUNCT, JUNK };

struct reader {
    const char *base, *cur, *end;
    struct diag *diag;
    struct arena *mem;
    enum token kind;
    bool first; /* on its line */
    struct span at;
    const char *text; /* of the token, without its sigil */
    size_t len;
    int64_t value; /* of REF and INT */
    double real;   /* of INT and REAL */
};

static void
complain(struct reader *r, const char *what)
{
    if (r->diag->errors == 0)
        diag_error(r->diag, r->at, E_ir_text, "expected %s", what);
}

static char *
spelling(const struct reader *r)
{
    return arena_string(r->mem, r->text, r->len);
}

static void
number(struct reader *r)
{
    char text[64];

    snprintf(text, sizeof text, "%.*s", (int)r->len, r->text);
    errno = 0;
    if (r->kind != REAL)
        r->value = strtoll(text, NULL, 10);
    if (errno || r->len >= sizeof text)
        complain(r, "a number of 64 bits");
    r->real = strtod(text, NULL);
    if (!isfinite(r->real))
        complain(r, "a finite number");
}

static void
next(struct reader *r)
{
    const unsigned char *cur = (const unsigned char *)r->cur;
    const unsigned char *lim = (const unsigned char *)r->end;
    const unsigned char *tok, *mar;
    size_t sigil = 0;

    r->first = r->cur == r->base;
    for (;;) {
        tok = cur;
        /*!re2c
            re2c:define:YYCTYPE  = "unsigned char";
            re2c:define:YYCURSOR = cur;
            re2c:define:YYLIMIT  = lim;
            re2c:define:YYMARKER = mar;
            re2c:yyfill:enable   = 0;
            re2c:eof             = 0;
            re2c:indent:string   = "    ";

            word = [a-zA-Z_] [a-zA-Z0-9_.]*;
            sym  = [a-zA-Z0-9_] [a-zA-Z0-9_.]*;
            nat  = "0" | [1-9] [0-9]*;
            exp  = [eE] [-+]? [0-9]+;
            real = [0-9]+ ("." [0-9]+ exp? | exp);

            $                 { r->kind = END; break; }
            "\n"              { r->first = true; continue; }
            [ \t]+            { continue; }
            "#" [^\n\x00]*    { continue; }
            word              { r->kind = WORD; break; }
            "@" sym           { r->kind = SYM; sigil = 1; break; }
            "%" nat           { r->kind = REF; sigil = 1; break; }
            "-"? nat          { r->kind = INT; break; }
            "-"? real         { r->kind = REAL; break; }
            "\"" [^"\n\x00]* "\"" { r->kind = TEXT; break; }
            ".."              { r->kind = PUNCT; break; }
            [{}[\]=,:]        { r->kind = PUNCT; break; }
            *                 { r->kind = JUNK; break; }
        */
    }
    r->cur = (const char *)cur;
    r->text = (const char *)tok + sigil;
    r->len = (size_t)(r->cur - r->text);
    r->at.begin = (uint32_t)((const char *)tok - r->base);
    r->at.end = (uint32_t)(r->cur - r->base);
    if (r->kind == REF || r->kind == INT || r->kind == REAL)
        number(r);
}

static bool
is(const struct reader *r, enum token kind, const char *text)
{
    return r->kind == kind && strlen(text) == r->len
           && memcmp(text, r->text, r->len) == 0;
}

static bool
accept(struct reader *r, enum token kind, const char *text)
{
    if (!is(r, kind, text))
        return false;
    next(r);
    return true;
}

static bool
expect(struct reader *r, enum token kind, const char *text)
{
    if (accept(r, kind, text))
        return true;
    complain(r, text);
    return false;
}

static bool
read_name(struct reader *r, enum token kind, const char **name)
{
    if (r->kind != kind) {
        complain(r, "a name");
        return false;
    }
    *name = spelling(r);
    next(r);
    return true;
}

static bool
read_int(struct reader *r, int64_t lo, int64_t hi, int64_t *value)
{
    if (r->kind != INT || r->value < lo || r->value > hi) {
        complain(r, r->kind == INT ? "a smaller number" : "an integer");
        return false;
    }
    *value = r->value;
    next(r);
    return true;
}

static bool
read_real(struct reader *r, double *value)
{
    if (r->kind != INT && r->kind != REAL) {
        complain(r, "a number");
        return false;
    }
    *value = r->real;
    next(r);
    return true;
}

/* [2,3] */
static bool
read_shape(struct reader *r, struct ir_type *t)
{
    int64_t dim;
    size_t cells = 1;

    if (!accept(r, PUNCT, "["))
        return true;
    do {
        if (t->rank == IR_MAX_RANK) {
            complain(r, "fewer dimensions");
            return false;
        }
        if (!read_int(r, 1, IR_MAX_CELLS, &dim))
            return false;
        cells *= (size_t)dim;
        if (cells > IR_MAX_CELLS) {
            complain(r, "fewer elements");
            return false;
        }
        t->dim[t->rank++] = (uint32_t)dim;
    } while (accept(r, PUNCT, ","));
    return expect(r, PUNCT, "]");
}

/* in LO..HI, or noise A B, or noise A B wide C */
static bool
read_range(struct reader *r, struct ir_type *t)
{
    if (t->base >= IR_GLWE) {
        t->ranged = accept(r, WORD, "noise");
        if (!t->ranged)
            return true;
        return read_real(r, &t->lo) && read_real(r, &t->hi)
               && (t->base != IR_LWE || !accept(r, WORD, "wide")
                   || read_real(r, &t->wide));
    }
    if (!accept(r, WORD, "in"))
        return true;
    t->ranged = true;
    if (t->base == IR_INT)
        return read_int(r, INT64_MIN, INT64_MAX, &t->ilo)
               && expect(r, PUNCT, "..")
               && read_int(r, INT64_MIN, INT64_MAX, &t->ihi);
    return read_real(r, &t->lo) && expect(r, PUNCT, "..")
           && read_real(r, &t->hi);
}

static bool
read_type(struct reader *r, struct ir_type *t)
{
    int64_t delta = 0, set = 0;

    *t = (struct ir_type){ 0 };
    t->open = accept(r, WORD, "open");
    t->enc = t->open || accept(r, WORD, "enc");
    while (t->base < IR_BASES && !is(r, WORD, ir_base_name[t->base]))
        t->base++;
    if (t->base == IR_BASES) {
        complain(r, "a type");
        return false;
    }
    next(r);
    if (!read_shape(r, t))
        return false;
    if (t->base == IR_LWE && accept(r, WORD, "small"))
        t->key = IR_SMALL;
    if (t->base >= IR_GLWE) {
        t->enc = true;
        if (accept(r, WORD, "set") && !read_int(r, 0, IR_MAX_SETS - 1, &set))
            return false;
        t->set = (uint8_t)set;
        if (t->base != IR_GGSW
            && (!expect(r, WORD, "delta") || !read_int(r, 0, 63, &delta)))
            return false;
        t->log2_delta = (uint8_t)delta;
    }
    return read_range(r, t);
}

static bool
read_attr(struct reader *r, const struct ir_attr_info *a, union ir_attrs *as)
{
    void *p = (char *)as + a->offset;
    int64_t v;

    if (!expect(r, WORD, a->name) || !expect(r, PUNCT, "="))
        return false;
    switch (a->kind) {
    case IR_KIND_u32:
        if (!read_int(r, 0, UINT32_MAX, &v))
            return false;
        *(uint32_t *)p = (uint32_t)v;
        return true;
    case IR_KIND_i64: return read_int(r, INT64_MIN, INT64_MAX, p);
    case IR_KIND_f64: return read_real(r, p);
    case IR_KIND_sym: return read_name(r, SYM, p);
    }
    return false;
}

static bool
read_attrs(struct reader *r, enum ir_op op, union ir_attrs *as)
{
    const struct ir_attr_info *a = ir_ops[op].attrs;

    if (!a->name)
        return true;
    for (const char *sep = "{"; a->name; a++, sep = ",")
        if (!expect(r, PUNCT, sep) || !read_attr(r, a, as))
            return false;
    return expect(r, PUNCT, "}");
}

/* [%A [, %B]...], ended by the line */
static bool
read_operands(struct reader *r, const struct ir_func *f, ir_ref *in, size_t *n)
{
    for (*n = 0; *n > 0 || (r->kind == REF && !r->first);) {
        if (r->kind != REF || r->value >= f->n) {
            complain(r, "a value defined above");
            return false;
        }
        if (*n == MAX_IN) {
            complain(r, "fewer operands");
            return false;
        }
        in[(*n)++].id = (uint32_t)r->value;
        next(r);
        if (!accept(r, PUNCT, ","))
            break;
    }
    return true;
}

static bool
check_syms(struct reader *r, const struct ir_func *f, enum ir_op op,
           const union ir_attrs *as)
{
    for (const struct ir_attr_info *a = ir_ops[op].attrs; a->name; a++) {
        const char *name;

        if (a->kind != IR_KIND_sym || op == IR_input || op == IR_output
            || op == IR_named)
            continue;
        name = *(const char *const *)(const void *)((const char *)as
                                                    + a->offset);
        if (!ir_blob_find(f, name, false)) {
            complain(r, "the name of a constant above");
            return false;
        }
    }
    return true;
}

/* [%N =] op operands [{ attributes }] [: type] */
static bool
read_ins(struct reader *r, struct ir_func *f, ir_ref *in)
{
    const uint32_t begin = r->at.begin;
    const bool named = r->kind == REF;
    union ir_attrs as = { 0 };
    struct ir_type type = { 0 }, own;
    unsigned op = 0;
    const char *why;
    struct span at;
    ir_ref v;
    size_t nin;

    if (named && r->value != f->n) {
        complain(r, "values to be numbered in order");
        return false;
    }
    if (named && (next(r), !expect(r, PUNCT, "=")))
        return false;
    while (op < IR_NOPS && !is(r, WORD, ir_ops[op].name))
        op++;
    if (op == IR_NOPS || named == !!(ir_ops[op].traits & IR_VOID)) {
        complain(r, "the name of an op");
        return false;
    }
    at = (struct span){ begin, r->at.end };
    next(r);
    if (!read_operands(r, f, in, &nin) || !read_attrs(r, (enum ir_op)op, &as)
        || !check_syms(r, f, (enum ir_op)op, &as))
        return false;
    if (named && (!expect(r, PUNCT, ":") || !read_type(r, &type)))
        return false;
    why = ir_infer(f->mem, f, (enum ir_op)op, in, nin, &as,
                   named ? &type : NULL, &own);
    if (why) {
        if (r->diag->errors == 0)
            diag_error(r->diag, at, E_ir_text, "%s", why);
        return false;
    }
    v = ir_build_typed(f, (enum ir_op)op, at, in, nin, &as,
                       named ? &type : NULL);
    if (named) /* what a pass has proved is not inferred */
        f->ins[v.id].type = type;
    return true;
}

/* "a\22b": what print_string writes; NULL after a message */
static char *
unquote(struct reader *r)
{
    char *text = arena_new(r->mem, char, r->len), hex[3] = "";
    size_t n = 0;

    for (size_t i = 1; i + 1 < r->len; i++) {
        if (r->text[i] != '\\') {
            text[n++] = r->text[i];
            continue;
        }
        if (i + 3 < r->len)
            memcpy(hex, r->text + i + 1, 2);
        text[n] = (char)strtol(hex, NULL, 16);
        if (i + 3 >= r->len || !isxdigit((unsigned char)hex[0])
            || !isxdigit((unsigned char)hex[1]) || !text[n++]) {
            complain(r, "two hexadecimal digits, not 00");
            return NULL;
        }
        i += 2;
    }
    return text;
}

static bool
read_names(struct reader *r, struct ir_func *f, const char *name)
{
    const char **text = NULL;
    size_t n = 0, cap = 0;

    if (!expect(r, PUNCT, "=") || !expect(r, PUNCT, "["))
        return false;
    do {
        if (r->kind != TEXT) {
            complain(r, "a string");
            return false;
        }
        if (n == cap) {
            const char **old = text;

            cap = cap ? 2 * cap : 16;
            text = arena_new(r->mem, const char *, cap);
            if (old)
                memcpy(text, old, n * sizeof *text);
        }
        text[n] = unquote(r);
        if (!text[n++])
            return false;
        next(r);
    } while (accept(r, PUNCT, ","));
    ir_blob_text(f, name, text, (uint32_t)n);
    return expect(r, PUNCT, "]");
}

/* One of a blob; rows of calibration may lack values. */
static bool
read_cell(struct reader *r, enum ir_blob_kind kind, enum ir_base base,
          union ir_cell *cell)
{
    if (base == IR_INT)
        return read_int(r, INT64_MIN, INT64_MAX, &cell->i);
    if (kind == IR_CALIB && accept(r, WORD, "nan")) {
        cell->r = (double)NAN;
        return true;
    }
    return read_real(r, &cell->r);
}

static bool
read_cells(struct reader *r, struct ir_func *f, const char *name,
           enum ir_blob_kind kind)
{
    struct ir_type t;
    union ir_cell *cell;
    size_t n;

    if (!expect(r, PUNCT, ":") || !read_type(r, &t))
        return false;
    if (t.enc) {
        complain(r, "numbers that are not encrypted");
        return false;
    }
    if (!expect(r, PUNCT, "=") || !expect(r, PUNCT, "["))
        return false;
    n = ir_count(&t);
    /* each cell takes two characters at least */
    if (n > (size_t)(r->end - r->cur)) {
        complain(r, "as many elements as the type has");
        return false;
    }
    cell = arena_new(r->mem, union ir_cell, n);
    for (size_t i = 0; i < n; i++) {
        if (i && !expect(r, PUNCT, ","))
            return false;
        if (!read_cell(r, kind, (enum ir_base)t.base, &cell[i]))
            return false;
    }
    ir_blob_add(f, name, kind, &t, cell);
    return expect(r, PUNCT, "]");
}

/* Whether a blob of this kind would hide, or be hidden. */
static bool
is_taken(const struct ir_func *f, unsigned kind, const char *name)
{
    if (kind == IR_CALIB)
        return ir_calibration(f, name) != NULL;
    return ir_blob_find(f, name, kind == IR_NAMES) != NULL;
}

static bool
read_blob(struct reader *r, struct ir_func *f)
{
    static const char *const kinds[] = { "param", "const", "calib", "names" };
    const char *name;
    unsigned kind = 0;

    while (kind < 4 && !is(r, WORD, kinds[kind]))
        kind++;
    if (kind == 4) {
        complain(r, "param, const, calib, names or '{'");
        return false;
    }
    next(r);
    if (!read_name(r, SYM, &name))
        return false;
    if (is_taken(f, kind, name)) {
        complain(r, "a name that is not taken");
        return false;
    }
    return kind == IR_NAMES ? read_names(r, f, name)
                            : read_cells(r, f, name, (enum ir_blob_kind)kind);
}

static bool
read_field(struct reader *r, const char *name, double *real, int64_t *integer)
{
    return expect(r, WORD, name) && expect(r, PUNCT, "=")
           && (real ? read_real(r, real)
                    : read_int(r, INT32_MIN, UINT32_MAX, integer))
           && expect(r, PUNCT, ",");
}

static bool
read_params(struct reader *r, struct ir_params *p)
{
    int64_t v;

    if (!expect(r, PUNCT, "{"))
        return false;
    /* clang-format off */
#define N(type, field) \
    if (!read_field(r, #field, NULL, &v)) \
        return false; \
    p->field = (type)v;
#define R(field) \
    if (!read_field(r, #field, &p->field, NULL)) \
        return false;
#define WN(type, field)
#define WR(field)
#include "ir/params.def"
    /* clang-format on */
    p->chosen = true;
    if (p->k < 1 || p->k > 16 || p->log2_n < 1 || p->log2_n > 20
        || p->n > 1u << 20 || p->br_levels > 64 || p->br_log2_base > 64
        || p->ks_levels > 64 || p->ks_log2_base > 64) {
        complain(r, "parameters of some program");
        return false;
    }
    return expect(r, PUNCT, "}");
}

/* The line of another set than the first follows the first's. */
static bool
read_set(struct reader *r, struct ir_func *f)
{
    if (!f->params.chosen)
        return read_params(r, &f->params);
    if (f->sets.more == IR_MAX_SETS - 1) {
        complain(r, "fewer parameter sets");
        return false;
    }
    return read_params(r, &f->sets.set[f->sets.more++]);
}

static struct ir_params *
last_set(struct ir_func *f)
{
    return f->sets.more ? &f->sets.set[f->sets.more - 1] : &f->params;
}

static bool
read_switch(struct reader *r, struct ir_func *f)
{
    struct ir_switch s;
    int64_t v;

    if (!expect(r, PUNCT, "{"))
        return false;
    /* clang-format off */
#define N(type, field) \
    if (!read_field(r, #field, NULL, &v)) \
        return false; \
    s.field = (type)v;
#define R(field) \
    if (!read_field(r, #field, &s.field, NULL)) \
        return false;
#include "ir/switch.def"
    /* clang-format on */
    if (s.from == s.to || s.from > f->sets.more || s.to > f->sets.more
        || s.levels < 1 || s.levels > 32 || s.log2_base < 1
        || s.log2_base > 32 || !(s.v >= 0)
        || f->sets.switches == IR_MAX_SWITCHES
        || ir_switch_of(f, s.from, s.to, s.big)) {
        complain(r, "one switch between two of the sets above");
        return false;
    }
    f->sets.sw[f->sets.switches++] = s;
    return expect(r, PUNCT, "}");
}

static bool
read_wide(struct reader *r, struct ir_params *p)
{
    int64_t v;

    if (!expect(r, PUNCT, "{"))
        return false;
    /* clang-format off */
#define N(type, field)
#define R(field)
#define WN(type, field) \
    if (!read_field(r, #field, NULL, &v)) \
        return false; \
    p->field = (type)v;
#define WR(field) \
    if (!read_field(r, #field, &p->field, NULL)) \
        return false;
#include "ir/params.def"
    /* clang-format on */
    if (p->tr_levels - 1 > 63 || p->tr_log2_base > 64 || p->ss_levels - 1 > 63
        || p->ss_log2_base > 64 || p->cb_levels - 1 > 14
        || p->cb_log2_base > 64 || p->wide_bits - 1 > 15
        || p->tr_low_bits > 62 || p->ss_low_bits > 62) {
        complain(r, "parameters of some program");
        return false;
    }
    return expect(r, PUNCT, "}");
}

static bool
read_setting(struct reader *r, struct ir_func *f)
{
    const struct span at = r->at;
    const char *key;
    double value;

    if (!read_name(r, WORD, &key) || !expect(r, PUNCT, "=")
        || !read_real(r, &value))
        return false;
    ir_set(f, key, value, at);
    return true;
}

static bool
read_head(struct reader *r, struct ir_func *f)
{
    while (!is(r, PUNCT, "{"))
        if (accept(r, WORD, "set") ? !read_setting(r, f)
            : accept(r, WORD, "params") ? !read_set(r, f)
            : accept(r, WORD, "wide")   ? !read_wide(r, last_set(f))
            : accept(r, WORD, "switch") ? !read_switch(r, f)
                                        : !read_blob(r, f))
            return false;
    next(r);
    return true;
}

/* The function, verified; NULL after a message. */
struct ir_func *
ir_parse(struct arena *mem, struct diag *dg)
{
    const char *text = dg->src->text, *name, *rule;
    struct reader r = { .base = text, .cur = text, .diag = dg, .mem = mem };
    ir_ref *in = arena_new(mem, ir_ref, MAX_IN);
    struct ir_func *f;
    uint32_t bad;

    r.end = text + dg->src->len;
    next(&r);
    if (!expect(&r, WORD, "ir") || !expect(&r, INT, "1")
        || !read_name(&r, WORD, &name))
        return NULL;
    f = ir_func_new(mem, name);
    if (!read_head(&r, f))
        return NULL;
    while (!is(&r, PUNCT, "}"))
        if (!read_ins(&r, f, in))
            return NULL;
    next(&r);
    if (r.kind != END)
        complain(&r, "end of file");
    else if (dg->errors == 0 && (rule = ir_verify(f, &bad)))
        diag_error(dg, f->n ? f->ins[bad].at : r.at, E_ir_text,
                   "rule broken: %s", rule);
    return dg->errors ? NULL : f;
}
