/* bits(x)[..] for the model of the language: of two's complement without end.
 */
#include "tests/model/language.h"

enum { HIGHEST = 63 };

static int64_t
bound(struct language *l, const struct ast *k, int64_t otherwise)
{
    return k->kind == AST_none ? otherwise : language_value(l, k).cell->i;
}

static int64_t
bit(int64_t v, int64_t i)
{
    return v >> (i < HIGHEST ? i : HIGHEST) & 1;
}

struct tensor
language_bits(struct language *l, const struct ast *a)
{
    const struct tensor x = language_value(l, a->kid->kid);
    const struct ast *k = a->kid->next;
    struct tensor r = tensor_new(l->mem, false, x.rank, x.dim);
    int64_t from, to, step = 1;
    bool rest = false;

    if (k->kind == AST_slice) {
        step = bound(l, ast_kid(k, 2), 1);
        from = bound(l, k->kid, 0);
        to = bound(l, ast_kid(k, 1), step > 0 ? 0 : -1);
        rest = step == 1 && ast_kid(k, 1)->kind == AST_none;
    } else {
        from = language_value(l, k).cell->i;
        to = from + 1;
    }
    for (size_t e = 0; e < tensor_count(&x); e++) {
        const int64_t v = x.cell[e].i;
        int place = 0;

        if (rest)
            r.cell[e].i = v >> from;
        for (int64_t i = from; !rest && (step > 0 ? i < to : i > to); i += step)
            r.cell[e].i += bit(v, i) << place++;
    }
    return r;
}
