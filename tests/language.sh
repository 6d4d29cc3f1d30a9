#!/bin/sh
# Programs of the language, in the clear and encrypted, against what numpy gave,
# or the interpreter of tests/model and a calculator.
#
# usage: language.sh CMLC FOLDER SANITIZERS
#
# NAME.cml has its rows in NAME.csv and its answers in NAME.out.  Two rows run
# encrypted; what became a table of the client's bits also runs by bootstraps.  All functions and operators of the language are in one of them, and
# all operations that the server can do are done there.
cmlc=$1
folder=$2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0
link=
[ -z "$3" ] || link=--link-arg=-fsanitize=$3

fail() {
    echo "language: $*" >&2
    bad=1
}

# try MODEL NAME: it, with the rows and the answers of NAME
try() {
    rows=$folder/$2.csv
    "$cmlc" "$1" -o "$tmp/$2" $link >"$tmp/out" 2>&1 ||
        { fail "$1 does not compile"; cat "$tmp/out" >&2; return; }
    "$tmp/$2" clear -q -i "$rows" | sed 1d >"$tmp/clear"
    diff "$tmp/clear" "$folder/$2.out" >"$tmp/out" ||
        { fail "$1: in the clear"; cat "$tmp/out" >&2; }
    "$tmp/$2" simulate -q -i "$rows" | sed 1d | cmp -s - "$tmp/clear" ||
        fail "$1: simulated"
    "$tmp/$2" run -q -i "$rows" --rows 2 2>"$tmp/err" | sed 1d >"$tmp/run"
    [ "$(wc -l <"$tmp/run")" = 2 ] && head -n 2 "$tmp/clear" |
        cmp -s - "$tmp/run" || { fail "$1: encrypted"; cat "$tmp/err" >&2; }
}

joint=0
for model in "$folder"/*.cml; do
    name=$(basename "$model" .cml)
    try "$model" "$name"
    "$tmp/$name" info | grep -q 'bits of the inputs' || continue
    joint=$((joint + 1))
    "$cmlc" "$model" --stop-after=dce | sed '1a set joint = 0' >"$tmp/$name.ir"
    try "$tmp/$name.ir" "$name"
done
[ $joint -ge 3 ] || fail "$joint programs are tables of bits"

# row MACRO FILE: the names of a table
row() { sed -nE "s/^$1\\((\\w+)[,)].*/\\1/p" "$2"; }
root=$folder/../..
cat "$folder"/*.cml >"$tmp/all"
for name in $(row B "$root/frontend/builtin.def") $(row F "$root/ir/ops.def") \
    $(sed -nE 's/^L\("(\w+).*/\1/p' "$root/frontend/library.def"); do
    grep -q "\b$name(" "$tmp/all" || fail "$name() runs in no program"
done
signs=$(sed -nE 's/.*\{ "([^"]+)", IR_.*/\1/p' "$root/frontend/operators.c" |
    grep -v '[a-z]')
[ "$(echo "$signs" | wc -l)" -ge 8 ] || fail 'no table of operators'
set -f
for sign in $signs '<<' '>>' and or not if; do
    grep -qF -- "$sign " "$tmp/all" || fail "$sign stands in no program"
done
set +f

# softmax is the client's; a constant is none
for model in "$folder"/*.cml; do
    "$cmlc" "$model" --stop-after=place
done >"$tmp/placed"
for op in $(row F "$root/ir/ops.def") $(row B "$root/ir/ops.def") neg \
    $(sed -nE 's/.*\{ "[^"]+", IR_(\w+),.*/\1/p' "$root/frontend/operators.c") \
    $(sed -nE 's/^B\(.* IR_(\w+), .*/\1/p' "$root/frontend/builtin.def" |
        grep -vE '^(softmax|constant)$'); do
    grep -q "= $op .* : enc " "$tmp/placed" || fail "no server computes $op"
done
exit $bad
