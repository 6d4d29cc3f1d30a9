/* Cuts the model in three: what the client computes before encryption, what
 * the server computes, and what the client computes after decryption.
 *
 *     before   depends on one input, through public constants only
 *     after    holds no param, and nothing after it needs the server
 *     server   the rest, linear work on its own values, and what an output
 *              `at server` needs
 *
 * A value that crosses a border passes an `encrypt`, or `disclose` if it is of
 * a `clear` input, or a `decrypt`.
 */
#include "passes/inner.h"

enum where { CONSTANT, BEFORE, SERVER, AFTER };

struct cut {
    const struct ir_func *f;
    struct ir_func *g;
    struct arena *scratch;
    enum where *where;
    bool *open;      /* of clear inputs and constants only */
    uint32_t *input; /* of a BEFORE value: the input it depends on */
    ir_ref *map;     /* of a value, where it is made */
    ir_ref *enc;     /* encrypted and decrypted; 0 is not made yet, since */
    ir_ref *dec;     /* op 0 is neither */
};

static bool
is_param(const struct ir_func *f, ir_ref v)
{
    const struct ir_blob *b;

    return pass_constant(f, v, &b) && b->kind == IR_PARAM;
}

static bool
holds_param(const struct ir_func *f, const struct ir_ins *ins)
{
    for (size_t j = 0; j < ins->nin; j++)
        if (is_param(f, ins->in[j]))
            return true;
    return ir_has_param(f, ins);
}

/* whether the server will know v */
static bool
is_known(const struct cut *c, ir_ref v)
{
    return c->where[v.id] == CONSTANT || c->open[v.id];
}

static void
find_open(struct cut *c)
{
    for (uint32_t i = 0; i < c->f->n; i++) {
        const struct ir_ins *ins = &c->f->ins[i];

        c->open[i] = ins->op == IR_input ? ir_is_clear(c->f, ins->as.input.name)
                                         : ins->nin > 0;
        for (size_t j = 0; j < ins->nin; j++)
            c->open[i] = c->open[i] && is_known(c, ins->in[j]);
    }
}

static enum where
forward(struct cut *c, uint32_t i)
{
    const struct ir_ins *ins = &c->f->ins[i];
    bool found = false;

    if (ins->op == IR_input) {
        c->input[i] = i;
        return BEFORE;
    }
    if (ins->op == IR_output)
        return AFTER;
    if (ins->op == IR_constant)
        return CONSTANT;
    if (holds_param(c->f, ins))
        return SERVER;
    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;

        if (c->where[v] != CONSTANT && c->where[v] != BEFORE)
            return SERVER;
        if (c->where[v] == CONSTANT)
            continue;
        if (found && c->input[i] != c->input[v])
            return SERVER;
        c->input[i] = c->input[v];
        found = true;
    }
    return BEFORE;
}

/* What `at` says of an output: 1 server, 0 client, -1 nothing. */
static int
asked(const struct ir_func *f, const struct ir_ins *output)
{
    char key[256];

    snprintf(key, sizeof key, "server.%s", output->as.output.name);
    return (int)ir_get(f, key, -1);
}

/* Server values whose users are all at the client, from the end. */
static void
backward(struct cut *c, bool *needed)
{
    for (uint32_t i = c->f->n; i-- > 0;) {
        const struct ir_ins *ins = &c->f->ins[i];

        if (c->where[i] == SERVER && !needed[i] && !holds_param(c->f, ins))
            c->where[i] = AFTER;
        if (c->where[i] == SERVER
            || (ins->op == IR_output && asked(c->f, ins) > 0))
            for (size_t j = 0; j < ins->nin; j++)
                needed[ins->in[j].id] = true;
    }
}

static bool
is_linear(const struct cut *c, const struct ir_ins *ins)
{
    if (ins->op != IR_mul && ins->op != IR_matmul)
        return ir_ops[ins->op].traits & IR_LINEAR;
    return is_known(c, ins->in[0]) || is_known(c, ins->in[1]);
}

/* Linear work on server values is free there, and shows the client less. */
static void
keep_linear(struct cut *c)
{
    for (uint32_t i = 0; i < c->f->n; i++) {
        const struct ir_ins *ins = &c->f->ins[i];
        bool after = false;

        for (size_t j = 0; j < ins->nin; j++)
            after = after || c->where[ins->in[j].id] == AFTER;
        if (c->where[i] == AFTER && !after && is_linear(c, ins))
            c->where[i] = SERVER;
    }
}

/* Windows of a convolution repeat elements of the input: the client sends each
 * once, and the server gathers, which is free. */
static void
repeat_at_server(struct cut *c, bool *multiplied)
{
    for (uint32_t i = 0; i < c->f->n; i++)
        for (size_t j = 0; j < c->f->ins[i].nin; j++)
            multiplied[c->f->ins[i].in[j].id] = true;
    for (uint32_t i = 0; i < c->f->n; i++)
        for (size_t j = 0; j < c->f->ins[i].nin; j++)
            if (c->where[i] != SERVER || c->f->ins[i].op != IR_matmul)
                multiplied[c->f->ins[i].in[j].id] = false;
    for (uint32_t i = 0; i < c->f->n; i++) {
        const struct ir_ins *ins = &c->f->ins[i];

        if (c->where[i] == BEFORE && ins->op == IR_gather && multiplied[i]
            && ir_count(&ins->type) > ir_count(&c->f->ins[ins->in[0].id].type))
            c->where[i] = SERVER;
    }
}

/* Elements of a clear input in another order or shape: they are sent once, as
 * they are, if the client has no use for them itself. */
static void
rearrange_at_server(struct cut *c, bool *used)
{
    for (uint32_t i = c->f->n; i-- > 0;) {
        const struct ir_ins *ins = &c->f->ins[i];

        if (c->where[i] != BEFORE)
            continue;
        if (c->open[i] && !used[i]
            && (ins->op == IR_reshape || ins->op == IR_gather)
            && ir_count(&ins->type)
                   == ir_count(&c->f->ins[ins->in[0].id].type)) {
            c->where[i] = SERVER;
            continue;
        }
        for (size_t j = 0; j < ins->nin; j++)
            used[ins->in[j].id] = true;
    }
}

/* An output `at client` is more than linear work of the server. */
static void
check_clients(struct pass_ctx *cx, const struct cut *c)
{
    for (uint32_t i = 0; i < c->f->n; i++) {
        const struct ir_ins *ins = &c->f->ins[i];
        const uint32_t v = ins->nin ? ins->in[0].id : 0;

        if (ins->op != IR_output || asked(c->f, ins) != 0
            || c->where[v] != SERVER || is_linear(c, &c->f->ins[v]))
            continue;
        diag_error(cx->diag, ins->at, E_at_server,
                   "'%s' is not computed at the client: %s takes a private "
                   "number, or its result is needed by the server",
                   ins->as.output.name, ir_ops[c->f->ins[v].op].name);
        cx->status = 1;
    }
}

/* A param that is an output as it is: whoever runs the model reads it, so it is
 * public. */
static ir_ref
published(struct cut *c, uint32_t v)
{
    const struct ir_ins *ins = &c->f->ins[v];
    const struct ir_blob *b = ir_data(c->f, ins->as.constant.data);

    return ir_constant(c->g, ins->at, NULL, IR_CONST, &b->type, b->cell);
}

/* Operand v as a user in `to` sees it. */
static ir_ref
reach(struct cut *c, uint32_t v, enum where to)
{
    const struct span at = c->f->ins[v].at;
    ir_ref e = c->map[v];

    if (to == AFTER && is_param(c->f, (ir_ref){ v }))
        return published(c, v);
    if (c->where[v] == CONSTANT || c->where[v] == to)
        return e;
    if (c->where[v] == BEFORE) {
        if (c->enc[v].id == 0)
            c->enc[v] =
                ir_build1(c->g, c->open[v] ? IR_disclose : IR_encrypt, at, e);
        e = c->enc[v];
    }
    if (to == SERVER)
        return e;
    if (c->dec[v].id == 0)
        c->dec[v] = ir_build1(c->g, IR_decrypt, at, e);
    return c->dec[v];
}

/* v in the shape of the result of ins */
static ir_ref
repeated(struct cut *c, const struct ir_ins *ins, ir_ref v)
{
    const struct ir_type from = ir_at(c->g, v)->type;
    const struct ir_type to = ir_type_of(IR_INT, ins->type.rank, ins->type.dim);
    union ir_cell *index = arena_new(c->scratch, union ir_cell, ir_count(&to));
    union ir_attrs as;

    for (size_t e = 0; e < ir_count(&to); e++)
        index[e].i = (int64_t)ir_broadcast_index(&to, &from, e);
    as.gather.index = ir_blob_add(c->g, NULL, IR_CONST, &to, index)->name;
    return ir_build(c->g, IR_gather, ins->at, &v, 1, &as);
}

static bool
is_placed(const struct ir_func *f, struct span *at)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (pass_encrypted(&f->ins[i].type)
            || (ir_ops[f->ins[i].op].traits & IR_BORDER))
            return *at = f->ins[i].at, true;
    return false;
}

/* A function of one encrypted value and a constant of more elements: it has the
 * value of the result's shape, so that it becomes a table. */
static void
widen(struct cut *c, uint32_t i, ir_ref *map)
{
    const struct ir_ins *ins = &c->f->ins[i];
    const unsigned traits = ir_ops[ins->op].traits;

    if (c->where[i] != SERVER || ins->nin != 2 || !(traits & IR_MAP)
        || is_linear(c, ins))
        return;
    for (size_t j = 0; j < 2; j++) {
        const uint32_t v = ins->in[j].id, other = ins->in[1 - j].id;

        if (c->where[other] == CONSTANT
            && !ir_same_shape(&ir_at(c->g, map[v])->type, &ins->type))
            map[v] = repeated(c, ins, map[v]);
    }
}

struct ir_func *
pass_place(struct pass_ctx *cx, const struct ir_func *f)
{
    struct cut c = { .f = f,
                     .g = ir_func_like(cx->out, f),
                     .scratch = cx->scratch };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct span at;

    if (is_placed(f, &at)) {
        diag_error(cx->diag, at, E_ir_text,
                   "this model says already what is encrypted");
        cx->status = 1;
        return NULL;
    }
    c.where = arena_new(cx->scratch, enum where, f->n);
    c.open = arena_new(cx->scratch, bool, f->n);
    c.input = arena_new(cx->scratch, uint32_t, f->n);
    c.map = arena_new(cx->scratch, ir_ref, f->n);
    c.enc = arena_new(cx->scratch, ir_ref, f->n);
    c.dec = arena_new(cx->scratch, ir_ref, f->n);
    for (uint32_t i = 0; i < f->n; i++)
        c.where[i] = forward(&c, i);
    find_open(&c);
    backward(&c, arena_new(cx->scratch, bool, f->n));
    keep_linear(&c);
    repeat_at_server(&c, arena_new(cx->scratch, bool, f->n));
    rearrange_at_server(&c, arena_new(cx->scratch, bool, f->n));
    check_clients(cx, &c);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        for (size_t j = 0; j < ins->nin; j++)
            map[ins->in[j].id] = reach(&c, ins->in[j].id, c.where[i]);
        widen(&c, i, map);
        c.map[i] = ins->op == IR_named && c.where[i] != SERVER
                       ? map[ins->in[0].id] /* widths are of the server */
                       : ir_copy_infer(c.g, ins, map);
    }
    return cx->status ? NULL : c.g;
}
