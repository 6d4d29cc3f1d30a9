/* For the tests of the ciphertext level: models, and a run of passes in which
 * every result is verified, printed, parsed back and evaluated. */
#ifndef CML_TESTS_LOWERING_H
#define CML_TESTS_LOWERING_H

#include "ir/ir.h"

/* models; `range` fills in the intervals that are left out */
extern const char lowering_linear[], lowering_broadcast[];
extern const char lowering_clear_left[], lowering_shapes[];
extern const char lowering_widths[];

/* texts to be freed: three tables in a row; a table of ten bits; a text with
 * one more setting */
char *lowering_tables(void);
char *lowering_wide(int approx, int factor);
char *lowering_set(const char *setting, const char *text);

enum stage { RANGE, TO_TFHE, NOISE, PARAMS, SCHEDULE, STAGES };

struct run {
    struct arena mem;
    const struct ir_func *at[STAGES]; /* the result of each */
    int status;
    char *said; /* messages */
};

struct run lowering_run(const char *text, enum stage first, enum stage last);
void lowering_finish(struct run *r);
/* exit code 6, a message that has the words, and help */
void lowering_refused(const char *text, enum stage first, enum stage last,
                      const char *words);

/* the op after `skip` others of its kind */
const struct ir_ins *lowering_find(const struct ir_func *f, enum ir_op op,
                                   size_t skip);
size_t lowering_count(const struct ir_func *f, enum ir_op op);

#endif
