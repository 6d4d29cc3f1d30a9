/* "did you mean": the name that is nearest to one that nobody knows. */
#include "frontend/inner.h"

#include <string.h>

enum { MAX_NAME = 40, NEAR = 2 };

/* Edits (insert, drop, change, swap of neighbours count 1, 1, 1, 2) from a to
 * b; large if one of them is long. */
static size_t
distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    size_t row[MAX_NAME + 1];

    if (n > MAX_NAME || m > MAX_NAME)
        return MAX_NAME;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t change = diagonal + (a[i - 1] != b[j - 1]);
            const size_t above = row[j] + 1, left = row[j - 1] + 1;

            diagonal = row[j];
            row[j] = change < above ? change : above;
            row[j] = row[j] < left ? row[j] : left;
        }
    }
    return row[m];
}

void
fe_nearest(const char **best, size_t *least, const char *word,
           const char *candidate)
{
    const size_t d = distance(word, candidate);

    if (d <= NEAR && d < strlen(word) && d < *least) {
        *least = d;
        *best = candidate;
    }
}

void
fe_suggest(struct fe *fe, const char *word)
{
    const char *best = NULL;
    size_t least = MAX_NAME;

    for (const struct fe_name *n = fe->names; n; n = n->next)
        fe_nearest(&best, &least, word, n->text);
    if (best)
        diag_help(fe->diag, "'%s' was meant?", best);
}
