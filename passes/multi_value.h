/* The multi-value bootstrap: tables as products with one rotation,
 * lang-spec/crypto.md (40). */
#ifndef CML_PASSES_MULTI_VALUE_H
#define CML_PASSES_MULTI_VALUE_H

#include "ir/ir.h"

/* A bound of the variance of a table of 2^bits entries, in those of a
 * bootstrap, (98). */
double multi_gain(const union ir_cell *entry, uint32_t bits);

/* How many coefficients of the rotation it adds. */
size_t multi_terms(const union ir_cell *entry, uint32_t bits);

#endif
