/* The failure budget of a program, lang-spec/crypto.md 6.4: one event for each
 * table and answer; what the tables leave of the bound belongs to the answers.
 */
#ifndef CML_PASSES_BUDGET_H
#define CML_PASSES_BUDGET_H

#include "passes/search.h"

/* The problem of f after `noise`; tag is the op: lwe.pbs or lwe.answer.  Bounds
 * come from the settings log2_pfail and security. */
struct search_problem budget_of(struct arena *mem, const struct ir_func *f);

/* (57): additions of ciphertexts of an op; a product by a number counts as one.
 */
double budget_additions(const struct ir_func *f, const struct ir_ins *ins);

/* The parameters of f, whose problem is p: those of the search, or a test's. */
bool params_choose(struct ir_params *s, const struct ir_func *f,
                   const struct search_problem *p, size_t *tightest);

/* How an answer leaves the server. */
struct reply {
    uint32_t word_bits; /* 32, or 64 if there is no room */
    int log2_flood;     /* -1: no room */
    double log2_pfail;  /* of one element */
    double sigmas;      /* its tau, in standard deviations */
};

/* log2 of the failure probability that each element of an answer may have,
 * unless its noise alone has more */
double budget_share(const struct ir_params *s, const struct search_problem *p);

struct reply budget_reply(const struct ir_params *s,
                          const struct search_event *answer, double share);

/* The same of any event: of a table, log2_pfail and sigmas count. */
struct reply budget_event(const struct ir_params *s,
                          const struct search_event *e, double share);

/* The bound of a row (37), its answers as budget_reply gives them. */
double budget_pfail(const struct ir_params *s, const struct search_problem *p);

#endif
