#!/bin/sh
# fuzz.sh [PACKAGE...]: runs every fuzz target of the packages (default: all) for FUZZTIME each; go puts what breaks one into testdata/fuzz.
set -eu
. "$(dirname "$0")/go.sh"

: "${FUZZTIME:=1m}"
[ $# -gt 0 ] || set -- $(go list -tags headless -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./...)
count=0 bad=0
for dir in "$@"; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go | sort -u); do
		count=$((count + 1))
		echo "=== $dir $target"
		(cd "$dir" && go test -vet=off -tags headless -run '^$' -fuzz "^$target\$" -fuzzminimizetime 10x -fuzztime "$FUZZTIME" .) || {
			bad=$((bad + 1))
			echo "--- $target FAILED" >&2
		}
	done
done
[ "$count" -gt 0 ] || {
	echo "fuzz: no target found" >&2
	exit 1
}
echo "fuzz: $((count - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
