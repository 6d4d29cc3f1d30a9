#!/bin/sh
# The examples end to end at real parameters: as accurate as the float model,
# simulated and decrypted answers equal to the clear ones.
#
# usage: encrypted.sh CMLC EXAMPLES ROWS SANITIZERS
#
# ROWS of the examples with tables run encrypted, all of the others.
cmlc=$1
examples=$2
rows=$3
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0
few=$(((rows + 9) / 10)) # of what takes a second a row
link=
[ -z "$4" ] || link=--link-arg=-fsanitize=$4

fail() {
    echo "encrypted: $*" >&2
    bad=1
}

# quality KIND PREDICTED TRUTH: the first column of both, in percent right (a
# probability counts above a half) or R2
quality() {
    paste -d, "$2" "$3" | awk -F, -v kind="$1" '
        NR == 1 { t = NF; for (i = 2; i <= NF; i++) if ($i == $1) t = i; next }
        { n++; s += $t; ss += $t * $t; e += ($t - $1) * ($t - $1) }
        kind == "half"  { if (($1 > 0.5) == ($t > 0.5)) right++ }
        kind == "label" { if ($1 == $t) right++ }
        END { if (kind == "r2") printf "%.4f\n", 1 - e / (ss - s * s / n)
              else printf "%.4f\n", 100 * right / n }'
}

# example NAME KIND TOLERANCE ROWS [LABELS [FOLDER]]: LABELS are those of 0, 1, ..
example() {
    dir=$examples/${6:-$1}
    in=$dir/test.csv
    [ -f "$in" ] || in=$dir/test.npy
    "$cmlc" "$dir/$1.cml" -o "$tmp/$1" $link >"$tmp/out" 2>&1 ||
        { fail "$1 does not compile"; cat "$tmp/out" >&2; return; }
    "$tmp/$1" clear -q -i "$in" >"$tmp/clear.csv" ||
        fail "$1: clear"
    sed "$(i=0; for l in $5; do echo "s/^$l\$/$i/"; i=$((i + 1)); done)" \
        "$tmp/clear.csv" >"$tmp/numbers.csv"
    ours=$(quality "$2" "$tmp/numbers.csv" "$dir/truth.csv")
    float=$(quality "$2" "$dir/float.csv" "$dir/truth.csv")
    echo "$1 $2: float $float, quantised $ours"
    awk -v a="$ours" -v b="$float" -v t="$3" 'BEGIN { exit !(a >= b - t) }' ||
        fail "$1: $ours is too far below the float model's $float"
    "$tmp/$1" simulate -q -i "$in" >"$tmp/simulated.csv" ||
        fail "$1: simulate"
    cmp -s "$tmp/clear.csv" "$tmp/simulated.csv" ||
        fail "$1: simulated answers differ from the clear ones"
    "$tmp/$1" run -i "$in" --rows "$4" >"$tmp/run.csv" \
        2>"$tmp/err" || { fail "$1: run"; cat "$tmp/err" >&2; }
    n=$(($(wc -l <"$tmp/run.csv") - 1))
    head -n $((n + 1)) "$tmp/clear.csv" | cmp -s - "$tmp/run.csv" ||
        fail "$1: decrypted answers differ from the clear ones"
    sed -n "s/^\(eval .*\)/$1 \1, $n rows decrypted as in the clear/p" \
        "$tmp/err"
    ! ldd "$tmp/$1" | grep -vE 'linux-vdso|libc\.so|libm\.so|ld-linux' |
        grep -q . || [ -n "$link" ] || fail "$1 needs more than libc and libm"
}

# A keygen that is stopped before its end leaves nothing.
stopped_keygen() {
    "$tmp/digits" keygen -q -j 1 -o "$tmp/keys" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ -z "$(ls -A "$tmp/keys" 2>/dev/null)" ]
    do
        sleep 0.01
    done
    kill -TERM $pid 2>/dev/null
    wait $pid
    code=$?
    case $code:$(ls -A "$tmp/keys" | tr '\n' ' ') in
        143: | '143:client.key eval.key ' | '0:client.key eval.key ') ;;
        *) fail "a stopped keygen: exit $code and $(ls -A "$tmp/keys")" ;;
    esac
}

# wide FOLDER NAME TABLES: two rows of test.csv are decrypted, simulated and
# computed in the clear with the same result.
wide() {
    local x=$tmp/$1
    "$cmlc" "$x/$2.cml" -o "$x/$2" >"$tmp/out" 2>&1 ||
        { fail "$1: no program"; cat "$tmp/out" >&2; return; }
    "$x/$2" info | grep -q "wide tables *$3\$" || fail "$1 has no $3 wide tables"
    "$x/$2" clear -q -i "$x/test.csv" --rows 2 >"$tmp/clear.csv" ||
        fail "$1: clear"
    "$x/$2" simulate -q -i "$x/test.csv" --rows 2 | cmp -s - "$tmp/clear.csv" ||
        fail "$1: simulate"
    "$x/$2" run -q -i "$x/test.csv" --rows 2 2>"$tmp/err" |
        cmp -s - "$tmp/clear.csv" ||
        { fail "$1 decrypted otherwise"; cat "$tmp/err" >&2; }
}

# Digits with hidden sums of 8 bits: exact by their bits.
wide_digits() {
    mkdir "$tmp/more" && cp "$examples"/digits/* "$tmp/more" || exit 2
    sed 's/x 2 bits/x 3 bits/; s/w1 2 bits/w1 3 bits/; s/w2 4 bits/w2 2 bits/' \
        "$examples/digits/digits.cml" >"$tmp/more/digits.cml"
    wide more digits 32
}

# A table of 13 bits on a sum of two of 14 bits: keys in two limbs.
wide_sums() {
    mkdir "$tmp/sums" && cat >"$tmp/sums/sums.cml" <<'EOF' || exit 2
model sums {
    input x : real[4] in 0..1;
    param w : real[4, 2] = [[0.9, -0.3], [-0.7, 0.8], [0.5, 0.6], [0.2, -0.9]];
    param v : real[2, 1] = [[0.9], [-0.9]];
    param v2 : real[1] = [0.7];
    let h = tanh(x @ w);
    output y = tanh(h @ v) @ v2;
    quantize { x 8 bits; w 5 bits; weights 2 bits; activations 12 bits; }
}
EOF
    printf '0.1,0.9,0.4,0.7\n1,0,0.25,0.33\n' >"$tmp/sums/test.csv"
    wide sums sums 3
    "$tmp/sums/sums" info | grep -q 'two limbs$' || fail "sums: one limb"
}

example breast_cancer half 1.5 1000000
example diabetes r2 0.01 1000000
example digits label 1.5 "$rows"
example digits_cnn label 2 "$few"
[ -n "$link" ] || { examples=$2/../../tests/networks; example nn20 label 7 1; }
examples=$2
example iris_knn label 1 "$few"
example visits_glm r2 0.01 1000000
example wine_bayes label 1 1000000
"$tmp/wine_bayes" info | grep -q '0 bootstraps a row' ||
    fail "wine_bayes has bootstraps"
example cancer_tree label 1 1000000 "benign malignant"
example digits_forest label 1 40
example visits half 1.5 100
mv "$tmp/numbers.csv" "$tmp/visits.csv"
example visits_public half 1.5 100 "" visits
"$tmp/visits_public" info | grep -q 'packed in .* GGSW' ||
    fail "visits_public does not multiply"
cmp -s "$tmp/numbers.csv" "$tmp/visits.csv" ||
    fail "public thresholds change what visits says"
stopped_keygen
[ -n "$link" ] || { wide_digits && wide_sums; }
exit $bad
