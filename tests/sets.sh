#!/bin/sh
# A program of several parameter sets at real parameters: both halves through
# files, answers as in the clear, keys of another choice of sets refused.
#
# usage: sets.sh CMLC SANITIZERS
cmlc=$1
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
bad=0
link=
[ -z "$2" ] || link=--link-arg=-fsanitize=$2

fail() {
    echo "sets: $*" >&2
    bad=1
}

cat >mixed.cml <<'END'
model mixed {
    input x : int[2, 10] in 0..3;
    let wide   = 13 <= sum(x, axis = 1);
    let narrow = x == 2;
    output ones = sum(wide) + sum(narrow);
    output each = narrow;
}
END
"$cmlc" mixed.cml --stop-after=dce | sed '1a set one_hot = 0' >several.ir ||
    fail "no IR"
sed '1a set sets = 1' several.ir >one.ir
"$cmlc" several.ir --split -o m $link 2>said || { cat said >&2; fail "compile"; }
"$cmlc" several.ir -o all $link 2>said || { cat said >&2; fail "compile"; }
"$cmlc" one.ir -o one $link 2>said || { cat said >&2; fail "compile"; }
[ "$(./all info | grep -c '^parameters ')" = 2 ] || fail "not two sets"
[ "$(./one info | grep -c '^parameters ')" = 1 ] || fail "not one set"
./all info --json | grep -q '"switches"' || fail "no switches in info --json"

awk 'BEGIN { for (r = 0; r < 3; r++) { for (i = 0; i < 20; i++)
             printf "%s%d", i ? "," : "", (i * i + r * i) % 7 % 4; print "" } }' >row.csv
./all clear -q -i row.csv >clear.csv || fail "clear"
./all simulate -q -i row.csv >simulated.csv || fail "simulate"
cmp clear.csv simulated.csv || fail "simulate is not clear"
./m-client keygen -q && ./m-client encrypt -q -i row.csv && ./m-server eval -q &&
    ./m-client decrypt -q >decrypted.csv || fail "a verb"
cmp clear.csv decrypted.csv || fail "decrypt is not clear"

# the keys are bound to both sets
./one eval -q 2>said
[ $? = 4 ] || fail "a key of two sets in a program of one"
grep -q 'another parameter set' said || fail "said: $(cat said)"
mkdir other && ./one keygen -q -o other || fail "keygen"
./m-server eval -q --eval-key other/eval.key 2>said
[ $? = 4 ] || fail "a key of one set in a program of two"

# tables by bits have a set of their own, and its keys
cat >bits.cml <<'END'
model bits {
    input x : u8[3];
    input z : u2[24];
    param v : int[3] = [1, 1, -1];
    param r : int[24, 12] = [[(i + j) % 5 // 4 for j in 0..12] for i in 0..24];
    let t = x @ v;
    output a = t * t // 64;
    output b = clip(z @ r, 0, 7) % 5;
}
END
"$cmlc" bits.cml --split -o b $link 2>said || { cat said >&2; fail "compile"; }
"$cmlc" bits.cml -o bits $link 2>said || { cat said >&2; fail "compile"; }
[ "$(./bits info | grep -c '^parameters ')" -ge 2 ] || fail "one set with bits"
awk 'BEGIN { for (r = 0; r < 2; r++) { printf "%d,%d,2", 253 - 90 * r, 251
             for (i = 0; i < 24; i++) printf ",%d", (i * i + r) % 4; print "" } }' >row.csv
rm -f client.key eval.key input.ct output.ct
./bits clear -q -i row.csv >clear.csv || fail "clear"
./b-client keygen -q && ./b-client encrypt -q -i row.csv && ./b-server eval -q &&
    ./b-client decrypt -q >decrypted.csv || fail "a verb"
cmp clear.csv decrypted.csv || fail "decrypt is not clear"
exit $bad
