#!/bin/sh
# Times of whole models, one line a figure: name value unit.
#
# usage: models.sh CMLC EXAMPLES
#
# EXAMPLES is lang-spec/examples.  For each: compile time; then a row in batch
# (_row), its inverse, and a row alone (_alone) on 1 and on 2 threads.
cmlc=$1
examples=$2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

for model in breast_cancer diabetes wine_bayes digits; do
    source=$examples/$model
    begin=$(date +%s%N)
    "$cmlc" "$source/$model.cml" -o "$tmp/$model" 2>"$tmp/said" || {
        cat "$tmp/said" >&2
        exit 1
    }
    end=$(date +%s%N)
    echo "${model}_compile $(((end - begin) / 1000000)) ms"
    for jobs in 1 2; do
        for rows in alone row; do
            count=1
            [ $rows = alone ] || count=16
            "$tmp/$model" run -i "$source/test.csv" --rows $count -j $jobs 2>&1 |
                awk -v name="${model}_${rows}_j$jobs" '
                    $1 == "eval" { printf "%s %s ms\n", name, $2
                                   printf "%s_rate %.1f per_s\n", name, 1000 / $2 }'
        done
    done
done
