#!/bin/sh
# No branch and no address depends on a secret: valgrind sees them as undefined.
#
# usage: secrets.sh VALGRIND SECRETS
out=$(mktemp) || exit 2
trap 'rm -f "$out"' EXIT
bad=0
"$1" -q --error-exitcode=9 "$2" >"$out" 2>&1
code=$?
[ $code -eq 0 ] || { echo "secrets: exit $code" >&2; cat "$out" >&2; bad=1; }
# it would have been seen
"$1" -q --error-exitcode=9 "$2" branch >"$out" 2>&1
[ $? -eq 9 ] || { echo 'secrets: a branch is not seen' >&2; bad=1; }
exit $bad
