#!/bin/sh
# What several parameter sets are worth: a row of mixed.cml under the sets that
# the search chooses and under one, one figure a line: name value unit.
#
# usage: sets.sh CMLC MODEL
#
# MODEL is tests/bench/mixed.cml.  Both programs must give the same answers;
# exit 1 if they do not.
cmlc=$1
model=$2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

"$cmlc" "$model" --stop-after=dce >"$tmp/several.ir" || exit 1
sed '1a set sets = 1' "$tmp/several.ir" >"$tmp/one.ir"
awk 'BEGIN { for (i = 0; i < 210; i++) printf "%s%d", i ? "," : "", i * i % 7 % 4
             print "" }' >"$tmp/row.csv"
for sets in several one; do
    "$cmlc" "$tmp/$sets.ir" -o "$tmp/$sets" 2>"$tmp/said" ||
        { cat "$tmp/said" >&2; exit 1; }
    "$tmp/$sets" run -i "$tmp/row.csv" -j 1 >"$tmp/$sets.csv" 2>"$tmp/said" ||
        { cat "$tmp/said" >&2; exit 1; }
    awk -v name="mixed_${sets}_row_j1" \
        '$1 == "eval" { printf "%s %s ms\n", name, $2 }' "$tmp/said"
done | tee "$tmp/times"
cmp "$tmp/several.csv" "$tmp/one.csv" || exit 1
awk '{ ms[NR] = $2 } END { printf "mixed_factor %.2f 1\n", ms[2] / ms[1] }' "$tmp/times"
