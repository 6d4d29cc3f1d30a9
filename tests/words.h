/* Random words and the digits of a word, for tests of the kernels. */
#ifndef CML_TESTS_WORDS_H
#define CML_TESTS_WORDS_H

#include "runtime/inner.h"

enum { MAX_TABLES = 4 };

/* fails the test when there is no memory */
void *alloc(size_t bytes);

const struct kernels *ref(void);

/* the index-th sequence, the same in every run */
void random_words(uint64_t *out, size_t n, uint64_t index);

/* digits of x by the rule of kernels.def, one by one */
void digits_of(int64_t *digit, uint64_t x, unsigned levels, unsigned b);

#endif
