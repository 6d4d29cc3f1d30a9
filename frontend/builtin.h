/* Shared by the files that lower calls of builtin.def. */
#ifndef CML_FRONTEND_BUILTIN_H
#define CML_FRONTEND_BUILTIN_H

#include "frontend/inner.h"

enum { MAX_ARGS = 8 };

struct args {
    const struct ast *call;
    const char *names;              /* builtin.def */
    const struct ast *at[MAX_ARGS]; /* in the order of names, NULL: left out */
    enum ir_op op;
    ir_ref x; /* the first, evaluated */
};

/* builtin.c: the argument of a name, or NULL */
const struct ast *fe_argument(const struct args *g, const char *name);
/* "NAME what", and FE_NONE */
ir_ref fe_refuse(struct fe *fe, const struct args *g, const char *what);
/* the argument `axis`, counted from the front */
bool fe_axis(struct fe *fe, const struct args *g, uint32_t *axis);

/* shape.c */
/* 1 to most integers of [lo, hi] as a list, or one of them for all `most`; left
 * out: `otherwise` */
bool fe_integers(struct fe *fe, const struct args *g, const char *name,
                 size_t most, int64_t lo, int64_t hi, int64_t otherwise,
                 int64_t *out);
ir_ref fe_b_reshape(struct fe *fe, const struct args *g);
ir_ref fe_b_flatten(struct fe *fe, const struct args *g);
ir_ref fe_b_transpose(struct fe *fe, const struct args *g);
ir_ref fe_b_squeeze(struct fe *fe, const struct args *g);
ir_ref fe_b_expand(struct fe *fe, const struct args *g);
ir_ref fe_b_concat(struct fe *fe, const struct args *g);
ir_ref fe_b_stack(struct fe *fe, const struct args *g);
ir_ref fe_b_slice(struct fe *fe, const struct args *g);
ir_ref fe_b_pad(struct fe *fe, const struct args *g);
ir_ref fe_b_gather(struct fe *fe, const struct args *g);
ir_ref fe_b_tile(struct fe *fe, const struct args *g);
ir_ref fe_b_broadcast(struct fe *fe, const struct args *g);
ir_ref fe_b_per_channel(struct fe *fe, const struct args *g);
ir_ref fe_b_len(struct fe *fe, const struct args *g);

/* sort.c */
ir_ref fe_b_sort(struct fe *fe, const struct args *g);

/* window.c */
ir_ref fe_b_conv(struct fe *fe, const struct args *g);
ir_ref fe_b_pool(struct fe *fe, const struct args *g);

#endif
