#!/bin/sh
# The verbs of emitted programs at toy parameters: results, exit codes, damaged
# and foreign files, and what each half of a split program holds.
#
# usage: program.sh CMLC [LINK_ARG]
#
# CMLC compiles IR text: CMLC X.ir -o X [--split] [--link-arg=ARG].  CML_RUNTIME
# names the archive that runs toy parameters; CML_RUNTIME_SECURE one that does
# not, to see that it refuses them.
set -u
LC_ALL=C
export LC_ALL

cmlc=$1
link_arg=${2:-}
lib=$(dirname "$cmlc")/../lib
CML_RUNTIME=${CML_RUNTIME:-$lib/libcmlrt_insecure.a}
secure=${CML_RUNTIME_SECURE:-$lib/libcmlrt.a}
export CML_RUNTIME
case $cmlc in */*) cmlc=$(cd "$(dirname "$cmlc")" && pwd)/${cmlc##*/} ;; esac

dir=$(mktemp -d) || exit 3
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 3
failed=0
checks=0

wrong() {
    echo "program.sh: $*" >&2
    sed 's/^/    /' err >&2
    failed=$((failed + 1))
}

# expect CODE COMMAND...: the exit code; output in out and err
expect() {
    code=$1
    shift
    "$@" >out 2>err </dev/null
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$code" ] || wrong "exit $got, not $code: $*"
}

# said TEXT, printed TEXT: in the last standard error, output
said() {
    checks=$((checks + 1))
    grep -q -e "$1" err || wrong "no '$1' in the message"
}
printed() {
    checks=$((checks + 1))
    grep -q -e "$1" out || { wrong "no '$1' in the output"; sed 's/^/  > /' out; }
}
same() {
    checks=$((checks + 1))
    cmp "$1" "$2" >err 2>&1 || wrong "$1 and $2 differ"
}

compile() {
    name=$1
    shift
    expect 0 "$cmlc" "$name.ir" -o "$name" ${link_arg:+"--link-arg=$link_arg"} \
        "$@"
}

# ---- models

cat >linear.ir <<'END'
ir 1 linear
set insecure.toy = 1
param @w : real[4,1] = [0.5, -1.25, 2, 0.75]
param @b : real[1] = [0.3]
names @x = ["age", "income", "height", "weight"]
{
  %0 = input { name = @x } : real[4] in 0..10
  %1 = constant { data = @w } : real[4,1]
  %2 = matmul %0, %1 : real[1]
  %3 = constant { data = @b } : real[1]
  %4 = add %2, %3 : real[1]
  output %4 { name = @price }
}
END
cat >net.ir <<'END'
ir 1 net
set insecure.toy = 1
set joint = 0
set bits.inputs = 2
set bits.weights = 2
set bits.activations = 2
param @w : real[4,3] = [1, -1, 0, 1, 1, -1, 0, 1, 1, -1, 0, 1]
param @v : real[3,3] = [1, -1, 0, 0, 1, -1, 1, 0, 1]
names @species = ["setosa", "versi,color", "vir\22ginica"]
{
  %0 = input { name = @x } : real[4] in 0..3
  %1 = constant { data = @w } : real[4,3]
  %2 = matmul %0, %1 : real[3]
  %3 = relu %2 : real[3]
  %4 = constant { data = @v } : real[3,3]
  %5 = matmul %3, %4 : real[3]
  %6 = argmax %5 { axis = 0 } : int
  output %5 { name = @score }
  output %6 { name = @species }
}
END
cat >two.ir <<'END'
ir 1 two
set insecure.toy = 1
param @w : int[1,3] = [123457, 2, 3]
{
  %0 = input { name = @x } : int[2,1] in 0..9
  %1 = input { name = @y } : int[3] in -5..5
  %2 = constant { data = @w } : int[1,3]
  %3 = mul %1, %2 : int[1,3]
  %4 = add %0, %3 : int[2,3]
  output %4 { name = @a }
}
END
cat >other.ir <<'END'
ir 1 other
set insecure.toy = 1
param @w : real[4,1] = [0.5, -1.25, 2, 1]
{
  %0 = input { name = @x } : real[4] in 0..10
  %1 = constant { data = @w } : real[4,1]
  %2 = matmul %0, %1 : real[1]
  output %2 { name = @price }
}
END
cat >probability.ir <<'END'
ir 1 probability
set insecure.toy = 1
param @w : real[2,1] = [1, -1]
calib @x : real[4,2] = [0, 4, 4, 0, -4, 0, 0, -4]
{
  %0 = input { name = @x } : real[2]
  %1 = constant { data = @w } : real[2,1]
  %2 = matmul %0, %1 : real[1]
  %3 = sigmoid %2 : real[1]
  output %3 { name = @p }
}
END
cat >logarithm.ir <<'END'
ir 1 logarithm
set insecure.toy = 1
param @w : real[1,1] = [2]
{
  %0 = input { name = @x } : real[1] in -1..1
  %1 = log %0 : real[1]
  %2 = constant { data = @w } : real[1,1]
  %3 = matmul %1, %2 : real[1]
  output %3 { name = @y }
}
END
# one bootstrap a row: an idle thread reads its key ahead
cat >single.ir <<'END'
ir 1 single
set insecure.toy = 1
{
  %0 = input { name = @x } : int in -4..3
  %1 = abs %0 : int
  output %1 { name = @y }
}
END
# products of packed bits: rows of GGSWs, some bits a word, keys of an expansion
cat >packed.ir <<'END'
ir 1 packed
set insecure.toy = 1
set thresholds.public = 1
set packed = 1
param @n : int[10,5] = [0, 2, 1, 2, 0, 1, 1, -1, -2, 0, 1, 3, -3, -4, 0,
  1, 2, 4, -5, 0, 0, 1, 5, 6, 0, 1, 1, -6, -7, 0, 0, 3, -8, -9, 0,
  0, 3, 8, 9, 0, 1, 2, -10, -11, 0, 1, 3, -12, -13, 0]
param @l : int[13] = [1, 5, 0, 7, 123457, 3, 2, 9, 4, 11, 0, 8, 6]
param @r : int[3] = [0, 3, 7]
{
  %0 = input { name = @x } : int[2] in 0..3
  %1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int
  output %1 { name = @y }
}
END
printf '0,0\n1,2\n3,3\n2,1\n' >packed.csv
printf '%s\n' -3 >single.csv
cat >linear.csv <<'END'
income,age,height,weight
1,2,3,4
10,0,5,5
11,0.5,5,5
END
printf '0,1,2,3\n3,1,2,0\n0,3,3,3\n0,0,3,3\n1,1,1,1\n' >net.csv

for model in linear net two other probability logarithm single packed; do
    compile $model
done
compile packed --split
compile net --split
compile two --split

# ---- the cycle

cycle() {
    expect 0 "./$1" keygen --force
    expect 0 "./$1" encrypt -i "$2"
    said 'next: .* eval'
    expect 0 "./$1" eval -j 3
    said 'next: .* decrypt'
    mv client.key hidden.key
    expect 0 "./$1" eval -q # needs no secret
    mv hidden.key client.key
    expect 0 "./$1" decrypt
    mv out decrypted
    expect 0 "./$1" clear -i "$2"
    mv out clear
    same decrypted clear
    expect 0 "./$1" run -i "$2"
    said 'equal  '
    same out clear
    expect 0 "./$1" simulate -i "$2" --repeat 2
    said '^0 of [0-9]* replies differ'
    same out clear
}

cycle linear linear.csv
cycle single single.csv
cycle packed packed.csv
cycle net net.csv
[ "$(head -n 1 clear)" = 'score[0],score[1],score[2],species' ] ||
    wrong "another header: $(head -n 1 clear)"
grep -q '"versi,color"' clear || wrong "labels are not quoted"
expect 0 ./net decrypt --format=json -i output.ct -k client.key
printed '"species": "versi,color"'
expect 0 ./net decrypt --format=npy -o results.npy
if command -v python3 >/dev/null; then
    python3 - results.npy "$(wc -l <clear)" <<'EOF' >out 2>err || wrong 'an array of results'
import ast, struct, sys
b = open(sys.argv[1], "rb").read()
n = struct.unpack("<H", b[8:10])[0]
d = ast.literal_eval(b[10:10 + n].decode())
rows, columns = d["shape"]
assert b[:8] == b"\x93NUMPY\x01\0" and (10 + n) % 64 == 0, b[:10]
assert d["descr"] == "<f8" and not d["fortran_order"], d
assert rows == int(sys.argv[2]) - 1 and len(b) == 10 + n + 8 * rows * columns
line = open("clear").read().split("\n")[1].split(",")
cells = struct.unpack_from("<%dd" % columns, b, 10 + n)
for text, x in zip(line, cells):
    assert not text.strip("-.e0123456789") == "" or float(text) == x, (text, x)
EOF
fi
expect 0 ./net decrypt -o results.csv
[ "$(ls -l results.csv | cut -c 1-10)" = -rw------- ] ||
    wrong 'others can read results'
same results.csv clear
expect 4 ./net decrypt -i input.ct
said 'input ciphertext'
cycle probability '1,2;3,0'

# several inputs, together and apart
printf 'x[0],y[0],x[1],y[1],y[2]\n1,-5,9,0,5\n' >both.csv
printf 'x[1],x[0]\n9,1\n' >x.csv
printf -- '-5,0,5\n' >y.csv
expect 0 ./two run -i both.csv
mv out both.out
expect 0 ./two run -i x=x.csv -i y=y.csv
same out both.out
expect 2 ./two run -i x=x.csv
printf -- '-5,0,5\n1,1,1\n' >y2.csv
expect 1 ./two run -i x=x.csv -i y=y2.csv
said 'rows'

# threads and kernels do not change results
for kernels in ref avx2 avx512; do
    if CML_KERNELS=$kernels ./net run -j 1 -q -i net.csv >one 2>err; then
        expect 0 ./net clear -i net.csv
        same one out
    else
        grep -q 'on this machine' err || wrong "kernels $kernels"
    fi
done
expect 2 env CML_KERNELS=none ./net run -i net.csv

# ---- rows

expect 0 ./linear clear -i linear.csv
said '^1 of 3 rows clipped: income$'
expect 1 ./linear clear --strict -i linear.csv
said 'row 3: income'
expect 0 ./linear clear -i '5.1,3.5,1.4,0.2'
expect 1 ./linear clear -i '5.1,3.5,1.4'
printf 'age,income,height,weight\n1,nan,3,4\n' >bad.csv
expect 1 ./linear clear -i bad.csv
said 'bad.csv:2:3: column income has no value'
printf 'age,income,height,weight\n1,2,3,4\n1,,3,4\n' >bad.csv
expect 1 ./linear run -i bad.csv
said 'bad.csv:3:3: column income has no value'
printf 'age,income,height,mass\n1,2,3,4\n' >bad.csv
expect 1 ./linear run -i bad.csv
said "unknown column 'mass'"
expect 3 ./linear run -i absent.csv
expect 2 ./linear run
expect 1 ./two clear -i '0,0,0,0.5,0'
said 'not an integer'
expect 0 ./probability clear -i '100,0'
said '1 of 1 rows clipped'
expect 1 ./probability clear --strict -i '100,0'
expect 0 ./logarithm clear -i '0.5'
expect 1 ./logarithm encrypt -i '0.5;-0.5' -o none.ct
said 'row 2 becomes not-a-number before it is encrypted'
[ ! -e none.ct ] || wrong 'a ciphertext of not-a-number'
{
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' \
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }"
    printf '\0\0\0\0\0\0\360\077\0\0\0\0\0\0\370\177'
    printf '\0\0\0\0\0\0\360\077\0\0\0\0\0\0\360\077'
} >nan.npy
expect 1 ./linear clear -i nan.npy
said 'row 1, column income'
expect 0 ./linear clear -i linear.csv --rows 1
[ "$(wc -l <out)" -eq 2 ] || wrong '--rows'
./linear clear -i - <linear.csv >out 2>err || wrong 'standard input'

# ---- truth

printf 'id,price\n1,8.99\n2,1.60\n3,1.86\n' >truth.csv
expect 0 ./linear run -i linear.csv --truth truth.csv
said 'price: R2 1.0000'
printf 'species\nsetosa\nsetosa\n1\n0\n0\n' >truth.csv
expect 0 ./net clear -i net.csv --truth truth.csv
said 'species: 100.00 % of 5 rows'
printf 'p\n0\n1\n' >truth.csv
expect 0 ./probability clear -i '1,2;3,0' --truth truth.csv
said '100.00 % at 0.5'
printf 'q,r\n0,1\n1,1\n' >truth.csv
expect 1 ./probability clear -i '1,2;3,0' --truth truth.csv
printf 'p\n0\n' >truth.csv
expect 1 ./probability clear -i '1,2;3,0' --truth truth.csv

# ---- words on the command line

expect 2 ./net
expect 2 ./net encrpt
said "'encrypt' was meant"
expect 2 ./net keygen --frce
expect 2 ./net run -i net.csv --format xml
expect 2 ./net run -j none
expect 0 ./net help
expect 0 ./net help eval
expect 0 ./net eval --help
expect 0 ./net version
expect 0 ./net --version
expect 0 ./net info
printed '^output .*score'
printed 'client learns'
expect 0 ./net selftest
printed '^ok .*RFC 8439'
printed '^ok .*kernels ref$'
printed '^ok .*one row'
expect 0 ./net bench
printed '^bootstrap [0-9.]* ms$'
if command -v python3 >/dev/null; then
    for words in 'info --json' 'bench --json' 'clear --format json -i net.csv' \
        'inspect --json client.key eval.key input.ct output.ct'; do
        # shellcheck disable=SC2086
        expect 0 ./net $words
        python3 -m json.tool out >/dev/null 2>err || wrong "JSON of $words"
    done
fi
./net clear -i net.csv >/dev/full 2>err
[ $? -eq 3 ] || wrong 'a full disk is not noticed'

# ---- keys

cycle linear linear.csv
[ "$(ls -l client.key | cut -c 1-10)" = -rw------- ] || wrong 'mode of the key'
cp client.key kept.key
cp eval.key kept.eval
expect 3 ./linear keygen
said 'client.key exists'
said 'help: --force'
same client.key kept.key
same eval.key kept.eval
# a disk that is full, here a limit of 4 KiB a file: the old keys, no litter
ls -A | grep -v -e before -e after >before
checks=$((checks + 1))
(ulimit -f 8 && exec ./net keygen --force) >out 2>err
[ $? -eq 3 ] || wrong 'keygen on a full disk'
said 'eval.key: File too large'
ls -A | grep -v -e before -e after >after
same before after
same client.key kept.key
same eval.key kept.eval
rm client.key
expect 3 ./linear keygen
said 'eval.key exists'
said 'a keygen was stopped'
[ -e client.key ] && wrong 'half a pair'
cp -p kept.key client.key
expect 0 ./linear keygen -o folder
[ -s folder/client.key ] && [ -s folder/eval.key ] || wrong 'keygen -o'
# stopped at any time: both keys or none, and no litter
for i in 0 1 2 3 4 5 6 7 8 9; do
    ./linear keygen -q -o "stopped$i" &
    sleep "0.00$i"
    kill -TERM $! 2>/dev/null
    wait $! 2>/dev/null
    checks=$((checks + 1))
    case $(ls -A "stopped$i" 2>/dev/null | tr '
' ' ') in
        '' | 'client.key eval.key ') ;;
        *) wrong "a keygen stopped after $i ms left $(ls -A "stopped$i")" ;;
    esac
done
# client.key cannot get its name: no eval.key either, and the old one stays
mkdir -p taken/client.key
cp eval.key taken
expect 3 ./linear keygen --force -o taken
said 'taken/client.key: Is a directory'
same eval.key taken/eval.key
# what is no regular file is read and written as it is
cp output.ct kept.ct
./linear eval -e - <eval.key >out 2>err || wrong 'a key on standard input'
cat eval.key | ./linear eval -e - >out 2>err || wrong 'a key from a pipe'
head -c 5000 eval.key | ./linear eval -e - >out 2>err
[ $? -eq 4 ] || wrong 'a key from a pipe, cut'
mkdir pipes && mkfifo pipes/eval.key
cat pipes/eval.key >piped.key &
expect 0 ./linear keygen --force -o pipes
wait
expect 0 ./linear encrypt -k pipes/client.key -i linear.csv -o piped.ct
expect 0 ./linear eval -e piped.key -i piped.ct -o piped.out
expect 0 ./linear decrypt -k pipes/client.key -i piped.out
mv out piped.csv
expect 0 ./linear clear -i linear.csv
same out piped.csv
rm -r pipes piped.*
chmod 644 client.key
expect 3 ./linear encrypt -i linear.csv
said 'chmod 600'
expect 0 ./linear encrypt -i linear.csv --insecure-permissions
chmod 600 client.key
expect 3 ./linear encrypt -k absent.key -i linear.csv

# ---- files that do not belong together

expect 4 ./linear eval -e folder/eval.key
said 'another key'
said 'help: '
expect 4 ./linear decrypt -k folder/client.key
said 'another key'
expect 4 ./other eval
said 'another model'
expect 4 ./other decrypt
said 'another model'
expect 4 ./net eval
said 'another parameter set'
expect 4 ./net encrypt -i net.csv
said 'another parameter set'
expect 4 ./linear eval -e client.key
said "type 'client key', not 'evaluation key'"
expect 4 ./linear decrypt -k eval.key --insecure-permissions
expect 4 ./linear eval -i output.ct
expect 4 ./linear eval linear.csv
said 'not a file of cmlc'
expect 0 ./net inspect client.key input.ct
printed 'of another program'
expect 2 ./net inspect

# ---- in the clear: a whole file with an integer that the circuit is not proved
# for is refused

cat >seen.ir <<'END'
ir 1 seen
set insecure.toy = 1
set clear.t = 1
param @u : int[1,4] = [5, -3, 7, 2]
{
  %0 = input { name = @x } : int in 0..3
  %1 = input { name = @t } : int in 0..3
  %2 = select %1 { table = @u } : int
  %3 = add %0, %2 : int
  output %3 { name = @y }
}
END
mkdir seen
mv seen.ir seen
cd seen || exit 3
compile seen
printf 'x,t\n1,2\n3,3\n' >rows.csv
expect 0 ./seen info
printed 'in the clear'
expect 0 ./seen keygen -q
expect 0 ./seen encrypt -i rows.csv -q
expect 0 ./seen eval -q
expect 0 ./seen decrypt
printed '^8$'
printed '^5$'
rm output.ct
# a row is t and a word for x: 4 is no entry of the table
{
    head -c $(($(wc -c <input.ct) - 48)) input.ct
    printf '\4\0\0\0\0\0\0\0'
    tail -c 40 input.ct | head -c 8
} >beyond.ct
for byte in $(b2sum -l 256 beyond.ct | cut -c1-64 | sed 's/../& /g'); do
    # shellcheck disable=SC2059
    printf "\\$(printf %o "0x$byte")"
done >hash
cat hash >>beyond.ct
expect 4 ./seen eval -i beyond.ct
said 'outside 0..3'
[ -e output.ct ] && wrong 'an answer to what was refused'
cd .. || exit 3

# ---- damage: nothing is written, nothing is printed, exit 4

cp output.ct kept.ct
ls -A | grep -v -e before -e after >before

# refused VERB OPTION FILE WHAT
program=linear
refused() {
    expect 4 ./$program "$1" "$2" "$3"
    [ -s out ] && wrong "$1 prints after $4 of $3"
    same output.ct kept.ct
}

# flip FILE OFFSET: damaged is FILE with one bit turned
flip() {
    cp -p "$1" damaged
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((byte ^ 16)))" |
        dd of=damaged bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# damage VERB OPTION FILE STEP
damage() {
    size=$(($(wc -c <"$3")))
    for at in 0 1 64 127 128 159 $((size - 33)) $((size - 1)); do
        [ "$at" -lt "$size" ] || continue
        head -c "$at" "$3" >damaged
        chmod 600 damaged
        refused "$1" "$2" damaged "a cut at $at"
    done
    { cat "$3" && printf x; } >damaged
    chmod 600 damaged
    refused "$1" "$2" damaged 'a byte more'
    at=0
    while [ $at -lt "$size" ]; do
        flip "$3" $at
        refused "$1" "$2" damaged "a flip at $at"
        if [ $at -lt 160 ]; then at=$((at + $4)); else at=$((at + size / 9)); fi
    done
    flip "$3" $((size - 1))
    refused "$1" "$2" damaged 'a flip at the end'
}

damage eval -i input.ct 1
damage eval -e eval.key 5
damage decrypt -k client.key 5
damage decrypt -i output.ct 5
cat damaged | ./linear decrypt -i - >out 2>err
[ $? -eq 4 ] || wrong 'a damaged pipe'
./linear decrypt -i - <output.ct >out 2>err || wrong 'a pipe'
expect 4 ./linear inspect output.ct damaged
printed 'DAMAGED'
rm damaged
ls -A | grep -v -e before -e after >after
same before after

mkdir forest
(cd forest && ln -s ../packed packed && ../packed keygen -q &&
    ../packed encrypt -q -i ../packed.csv && ../packed eval -q) >out 2>err ||
    wrong 'packed: no files'
expect 0 ./packed info
printed 'client sends .* GGSW'
# what travels is what the card says, rounded words; 4 rows of the user
row=$(sed -n 's/.*in \([0-9]*\) GGSWs* of \([0-9]*\) rows of \([0-9]*\) bits.*/\1*\2*\3/p' out)
[ $(($(wc -c <forest/input.ct))) -eq $((192 + 4 * (256 * $row + 16384))) ] ||
    wrong "packed: input.ct has $(wc -c <forest/input.ct) bytes, not $row"
cd forest || exit 3
cp output.ct kept.ct
program=packed
damage eval -i input.ct 9
damage eval -e eval.key 9
damage decrypt -i output.ct 9
# a row less than the header says, and one of another model's keys
expect 4 ./packed eval -e ../eval.key
said 'eval.key'
expect 4 ./packed eval -i ../input.ct
said 'input.ct'
cd .. || exit 3
expect 3 ./linear eval -o absent/output.ct
expect 3 ./linear decrypt -o .

# ---- halves

expect 0 ./net-client keygen --force
expect 0 ./net-client encrypt -i net.csv
said 'next: ./net-server eval'
expect 0 ./net-server eval
said 'next: ./net-client decrypt'
expect 0 ./net-client decrypt
mv out halves
expect 0 ./net clear -i net.csv
same halves out
for half in client server; do
    expect 0 ./net-$half info
    expect 0 ./net-$half bench
    expect 0 ./net-$half selftest
    printed '^ok .*kernels ref$'
    expect 0 ./net-$half inspect input.ct
    printed 'belongs to this program'
    expect 0 ./net-$half help
    expect 2 ./net-$half run -i net.csv
    said 'both halves'
done
expect 2 ./net-server decrypt
said 'net-client has the verb'
expect 2 ./net-client eval
said 'net-server has the verb'

# lacks PROGRAM PATTERN: no symbol of ours matches
lacks() {
    nm "$1" | awk '{ print $NF }' |
        grep -E '^_?(cmlrt|cml|client|server|pair|program|verb|bench)_' |
        grep -E "$2" >err
    checks=$((checks + 1))
    [ -s err ] && wrong "$1 holds what it must not"
}
for model in net two packed; do
    lacks $model-client 'engine|eval_load|_load$.*k|lwe|pbs|rotate|glwe_extract|server|plain|verb_(eval|run)'
    lacks $model-server 'secret|encrypt|decrypt|phase|generate|derive|zero_body|client_|pair|prologue|epilogue|program_rows|rows_read|verb_keygen'
done
nm two-server | grep -q cmlrt_engine_run || wrong 'nm shows nothing'

# bytes PROGRAM: in hexadecimal; the weight 123457 as a word
bytes() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}
bytes two-server | grep -q 41e2010000000000 || wrong 'no weight in the server'
bytes two-client | grep -q 41e2010000000000 && wrong 'a weight in the client'
bytes packed-client | grep -q 41e2010000000000 && wrong 'a leaf in the client'

# ---- toys are refused by the runtime that users have

if [ -f "$secure" ]; then
    CML_RUNTIME=$secure
    cp net.ir toy.ir
    compile toy
    expect 4 ./toy keygen -o toys
    said 'not secure'
    [ -e toys ] && wrong 'keys of a toy'
    expect 0 ./toy version
fi

echo "program.sh: $checks checks, $failed failed"
[ $failed -eq 0 ]
