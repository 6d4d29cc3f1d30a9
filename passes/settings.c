/* What settings may be; lang-spec/ir.md has their meaning. */
#include "passes/inner.h"

#include <string.h>

/* clang-format off */
static const struct {
    const char *key; /* a prefix if it ends in a dot */
    double lo, hi;
} known[] = {
    /* key                lo     hi */
    { "bits.",            1,     16 },
    { "per_channel.",     0,      1 },
    { "affine.",          0,      1 },
    { "ranges.percentile", 50,  100 },
    { "ranges.mse",       0,      1 },
    { "rounding.approx",  0,     16 },
    { "log2_pfail",       -1000, -1 },
    { "security",         128,  132 },
    { "one_hot",          0,      1 },
    { "joint",            0,      1 },
    { "check",            0,      1 },
    { "server.",          0,      1 },
    { "clear.",           0,      1 },
    { "insecure.toy",     0,      1 },
    { "sets",             1,      3 },
    { "tables.native",    0,      8 },
    { "answers.digits",   0,      3 },
    { "thresholds.public", 0,     1 },
    { "missing",          0,      1 },
};
/* clang-format on */

static bool
matches(const char *key, const char *pattern)
{
    const size_t n = strlen(pattern);

    return pattern[n - 1] == '.' ? strncmp(key, pattern, n) == 0
                                 : strcmp(key, pattern) == 0;
}

bool
pass_settings_ok(struct diag *dg, const struct ir_func *f)
{
    bool ok = true;

    for (const struct ir_setting *s = f->settings; s; s = s->next)
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (matches(s->key, known[i].key)
                && !(s->value >= known[i].lo && s->value <= known[i].hi)) {
                diag_error(dg, s->at, E_setting,
                           "'%s' is %g, it lies between %g and %g", s->key,
                           s->value, known[i].lo, known[i].hi);
                ok = false;
            }
    return ok;
}
