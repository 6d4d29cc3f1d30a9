/* What a program says of itself: who learns what, on what the security rests,
 * and how large its files are. */
#include "runtime/program/program.h"

#include <math.h>

void
print_card(FILE *out, const struct program *p)
{
    fputs(p->m->card, out);
}

static void
print_noise(FILE *out, const struct cmlrt_set *s)
{
    const size_t big = (size_t)s->k << s->log2_n;

    fprintf(out,
            "noise           TUniform(2^%d) of 2^64 under the big key, "
            "dimension %zu, %s\n",
            s->t_glwe, big, s->ternary ? "ternary" : "binary");
    if (s->n)
        fprintf(out,
                "                TUniform(2^%d) of 2^64 under the small key, "
                "dimension %u, binary\n",
                s->t_lwe, (unsigned)s->n);
}

/* Bounds far below what anybody asks for are not told to the bit. */
static void
print_failure(FILE *out, const struct program *p)
{
    const double bound = ceil(p->m->log2_pfail * 10) / 10;

    fprintf(out, "p_fail          at most 2^%.5g a row%s\n",
            bound > -1000 ? bound : -1000,
            p->m->approx ? "; tables approximate on purpose" : "");
}

void
print_security(FILE *out, const struct program *p)
{
    if (p->m->insecure) {
        fputs("security        NONE: toy parameters of a test\n", out);
    } else {
        fprintf(
            out,
            "security        128 bits: parameters on the %d-bit curve of "
            "zama-ai/concrete\n"
            "                (2024, lattice estimator, MATZOV cost model)\n",
            (int)p->m->level);
        fputs(p->sets.at[0].ternary
                  ? "                a primal-uSVP estimate gives 139.7 bits "
                    "for a ternary key at 2048\n"
                  : "                a primal-uSVP estimate gives 136 to 142 "
                    "bits at 600 to 2048\n",
              out);
    }
    for (size_t i = 0; i < p->sets.n; i++)
        print_noise(out, &p->sets.at[i]);
    print_failure(out, p);
}

void
print_sizes(FILE *out, const struct program *p)
{
    const size_t client = program_file_bytes(p, CMLRT_CLIENT_KEY, 0);
    const size_t eval = program_file_bytes(p, CMLRT_EVAL_KEY, 0);
    const size_t row = cmlrt_row_bytes(p->m);

    fprintf(out, "sizes           client.key %s, eval.key %s, ",
            size_text((double)client).text, size_text((double)eval).text);
    fprintf(out, "input %s a row, output %s a row\n",
            size_text((double)row).text,
            size_text((double)p->layout.reply_bytes).text);
}
