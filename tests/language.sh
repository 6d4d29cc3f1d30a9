#!/bin/sh
# Programs of the language, in the clear and encrypted, against what numpy gave.
#
# usage: language.sh CMLC FOLDER SANITIZERS
#
# NAME.cml has its rows in NAME.csv and its answers in NAME.out.  Two rows run
# encrypted.
cmlc=$1
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0
link=
[ -z "$3" ] || link=--link-arg=-fsanitize=$3

fail() {
    echo "language: $*" >&2
    bad=1
}

for model in "$2"/*.cml; do
    name=$(basename "$model" .cml)
    rows=${model%.cml}.csv
    "$cmlc" "$model" -o "$tmp/$name" $link >"$tmp/out" 2>&1 ||
        { fail "$name does not compile"; cat "$tmp/out" >&2; continue; }
    "$tmp/$name" clear -q -i "$rows" | sed 1d >"$tmp/clear"
    diff "$tmp/clear" "${model%.cml}.out" >"$tmp/out" ||
        { fail "$name: in the clear"; cat "$tmp/out" >&2; }
    "$tmp/$name" simulate -q -i "$rows" | sed 1d | cmp -s - "$tmp/clear" ||
        fail "$name: simulated"
    "$tmp/$name" run -q -i "$rows" --rows 2 2>"$tmp/err" | sed 1d >"$tmp/run"
    [ "$(wc -l <"$tmp/run")" = 2 ] && head -n 2 "$tmp/clear" |
        cmp -s - "$tmp/run" || { fail "$name: encrypted"; cat "$tmp/err" >&2; }
done
exit $bad
