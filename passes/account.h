/* What each op of a circuit costs and risks, for reports: the parts of what
 * `params` states for the whole.
 *
 * Ops are those of the circuit of integers, to which ciphertexts belong by
 * ins->from.
 */
#ifndef CML_PASSES_ACCOUNT_H
#define CML_PASSES_ACCOUNT_H

#include "ir/ir.h"

struct account {
    double bootstraps; /* a row */
    double ms;         /* of one core; a keyswitch is counted at its table */
    double log2_pfail; /* of all its events; -inf if it has none */
    double margin; /* of the worst event: sqrt(V_safe / V), V_safe of (35) with
                      the bound of a row; +inf if it has none */
};

struct account account_none(void);
/* two parts of a circuit as one */
struct account account_sum(struct account a, struct account b);

/* By op of the circuit of integers, which has n; the pass `params` made `after`
 * of `before`. */
struct account *account_of(struct arena *mem, const struct ir_func *before,
                           const struct ir_func *after, uint32_t n);

/* Bytes of files, lang-spec/formats.md. */
double account_client_key(void);
/* the whole file, and its parts one by one; false: there is no part i */
double account_eval_key(const struct ir_func *f);
struct account_part {
    const char *key;
    uint32_t set; /* whose it is, or where a switch begins; from 0 */
    double bytes;
};
bool account_eval_part(const struct ir_func *f, uint32_t i,
                       struct account_part *out);
double account_input_row(const struct ir_func *f);
double account_output_row(const struct ir_func *f);

#endif
