#!/bin/sh
# passes/cost.def, measured: what the parameter search minimises.  On a machine
# with nothing else to do:
#
#     tests/bench/cost.sh BENCH >passes/cost.def
bench=$1
cat <<'END'
/* Time of the runtime's kernels in nanoseconds, measured with AVX-512 on one core
 * of a Zen 5 server; tests/bench/cost.sh writes this file.  Only ratios matter.
 *
 *   CMUX(k, log2 N, levels, ns)   a product in a batch of four, (54)
 *   WORD(name, ns)                of a keyswitch in a batch of two, a word of the
 *                                 key: small layers have no more, and it is a
 *                                 price on large keys; of a sum of ciphertexts
 */
END
"$bench" cost | awk '
    /^cmux/ { split($1, at, /_[kNl]/)
              printf "CMUX(%d, %d, %d, %.0f)\n", at[2], log(at[3]) / log(2) + 0.5,
                     at[4], $2 }
    /^word/ { sub(/word_/, "", $1); printf "WORD(%s, %.4f)\n", $1, $2 }'
printf '#undef CMUX\n#undef WORD\n'
