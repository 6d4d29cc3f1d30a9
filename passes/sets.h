/* Several parameter sets in one circuit, lang-spec/crypto.md 11.
 *
 * Tables of one class, bits and norm of their weights, have one set.  What
 * linear operations join is a cluster, under the big key of one set; results of
 * tables of other sets are converted before they enter it.  A keyswitch goes
 * from the cluster's set straight to the table's; a wide table, which reads a
 * ciphertext under the big key, has its input converted.  Wide tables are of
 * one class, the dearest.
 */
#ifndef CML_PASSES_SETS_H
#define CML_PASSES_SETS_H

#include "passes/search.h"

enum { SETS_CLASSES = 16 };

/* as search_event, its origins by class; constant while sets are tried */
struct sets_event {
    uint32_t op, cluster;
    int class; /* of a table; -1: an answer */
    double c_in, c_br[SETS_CLASSES];
    double c_ext, c_wide; /* of wide tables: their bits count in c_ext only */
    double tau, v_max, count;
    uint32_t min_log2_n, theta;
    bool wide;      /* bit number `bit` of a wide table, (50): */
    uint32_t bit;   /* its input and the `bit` results before it */
    double scale;   /* count 4^(bits - 1 - bit) times; otherwise 1 */
    uint32_t width; /* as in search_event */
};

/* clusters are numbered by an op of theirs */
struct sets_problem {
    const struct ir_func *f;
    double log2_pfail;
    int level;
    struct sets_event *event;
    size_t n;
    uint32_t *cluster;              /* by op */
    int *class;                     /* by op: of a table */
    bool any_wide;                  /* some are wide: of the last class */
    uint32_t classes;               /* ascending in cost */
    double *additions;              /* by cluster */
    double (*result)[SETS_CLASSES]; /* by cluster: ciphertexts of tables */
};

/* A choice.  Gadgets of conversions are by set of the table and set of the
 * cluster; a border keyswitch has that of its target. */
struct sets {
    uint32_t n;
    uint32_t of_class[SETS_CLASSES];
    uint32_t *of_cluster;
    struct ir_params at[IR_MAX_SETS];
    struct model_gadget convert[IR_MAX_SETS][IR_MAX_SETS];
    double converted[IR_MAX_SETS][IR_MAX_SETS]; /* ciphertexts a row */
    double switched[IR_MAX_SETS][IR_MAX_SETS];
    double cost; /* ms a row */
};

/* lwe.pbs, lwe.pbs_many, lwe.bit_lut */
bool sets_is_table(const struct ir_ins *ins);

/* sets.c; false: one class only, or none */
bool sets_problem(struct sets_problem *p, struct arena *mem,
                  const struct ir_func *f, const struct search_problem *one);

/* sets_search.c: at most `most` sets that cost less than `best` ms, the
 * cheapest that is found; false if there are none.  *one does for all, or is
 * NULL. */
bool sets_search(struct sets *out, const struct sets_problem *p,
                 const struct ir_params *one, uint32_t most, double best,
                 struct arena *mem);
/* All events as set i sees them, the others being what they are. */
struct search_problem sets_view(const struct sets *s,
                                const struct sets_problem *p, uint32_t i,
                                struct search_event *event);
/* of a conversion, and of a keyswitch between two sets */
struct ir_switch sets_switch(const struct sets *s, const struct sets_problem *p,
                             uint32_t from, uint32_t to, bool big);

/* sets_build.c: f under these sets, its answers sized */
struct ir_func *sets_build(struct arena *out, struct arena *mem,
                           const struct sets *s, const struct sets_problem *p);

#endif
