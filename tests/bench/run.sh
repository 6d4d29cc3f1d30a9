#!/bin/sh
# Kernel times beside a yardstick, as ratios of the best of alternating rounds.
#
# usage: run.sh BENCH [REFERENCE [WHAT...]]
#
# BENCH and REFERENCE print lines `name value unit`; REFERENCE is a program that
# takes `fft` or `pbs SETS`; of WHAT forest, one that takes the arguments below
# and prints `server x (min y)`.  Without one only FFTW is compared, if BENCH has it.
# Names of equal meaning: the reference's pbs_A_B1_min is pbs_A_B1 here.
bench=$1
reference=$2
[ $# -gt 2 ] && shift 2 || set -- fft A
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

# Forests: name, then the reference's model and parameters; both measure the
# processor's time of one thread, and the time that passes of two.
forest() {
    while read -r name pipeline model rest; do
        for threads in 1 2; do
            [ $threads = 1 ] && thr= || thr=_2thr
            "$reference" "$pipeline" "$model" $threads 12 $rest |
                sed -nE "s/.*server [0-9.]+ \(min ([0-9.]+)\).*/forest_$name$thr \1 ms/p"
        done
    done <<EOF
D_dt D dt 1,24 5,8 8 48 1 26 1 0
X_dt X dt 4,8 4,11 5,5 1 1 24 1
D_xgb D xgb 2,15 4,8 8 44 1 26 1 0
X_xgb X xgb 3,8 4,11 5,5 1 4 24 1
D_rf D rf 2,15 3,6 8 44 1 26 1 0
X_rf X rf 3,7 5,9 6,4 1 4 24 1
EOF
}

sets=
forest=
for what; do
    case $what in
    fft) ;;
    forest) forest=yes ;;
    B*) sets=$sets${what#B} ;;
    *) sets=$sets$what ;;
    esac
done
for round in 1 2 3 4 5; do
    "$bench" "$@" >>"$tmp/own"
    [ -n "$reference" ] || break
    [ -z "$forest" ] || forest >>"$tmp/ref"
    [ -n "$forest" ] || "$reference" fft >>"$tmp/ref"
    [ -z "$sets" ] || "$reference" pbs "$sets" >>"$tmp/ref"
done
[ -n "$reference" ] || : >"$tmp/ref"
awk 'function better(a, b, unit) { return unit == "per_s" ? a > b : a < b }
     /^#/ || $1 ~ /_median$/ { next }
     FNR == NR { n = $1; sub(/_min$/, "", n)
                 if ($1 ~ /^(pbs|ks)_[^_]+_B[0-9]+$/) next # their medians
                 if (!(n in ref) || better($2, ref[n], $3)) ref[n] = $2; next }
     !($1 in own) { order[++count] = $1; unit[$1] = $3 }
     !($1 in own) || better($2, own[$1], $3) { own[$1] = $2 }
     END { for (i = 1; i <= count; i++) {
               n = order[i]; f = n; sub(/^fft_(fwd|inv)/, "fftw_fwd", f)
               line = sprintf("%-16s %12.3f %s", n, own[n], unit[n])
               if (n in ref) line = line sprintf("   reference %12.3f  ratio %.3f", ref[n], own[n] / ref[n])
               if (f != n && f in own) line = line sprintf("   fftw %10.1f  ratio %.3f", own[f], own[n] / own[f])
               print line } }' "$tmp/ref" "$tmp/own"
