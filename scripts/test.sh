#!/bin/sh
# test.sh: everything that `make test` promises, step by step; a failed step does not hide the next ones.
# KILLS (20) rounds of kill -9 and SEEDS (50) simulated seeds; with CRYPTEXQ_LONG=1 no test cuts itself short.
# scripts/packages.sh has installed what the window needs.
set -eu
. "$(dirname "$0")/go.sh"

: "${KILLS:=20}" "${SEEDS:=50}" "${CRYPTEXQ_LONG:=}"
export CRYPTEXQ_LONG
short=-short
[ -z "$CRYPTEXQ_LONG" ] || short=
passed=0 failed=0 names=

# step NAME COMMAND...: runs it and keeps the score.
step() {
	name=$1 start=$(date +%s)
	shift
	echo "=== $name"
	if "$@"; then
		passed=$((passed + 1)) result=ok
	else
		failed=$((failed + 1)) result=FAILED names="$names
  $name"
	fi
	echo "--- $name: $result, $(($(date +%s) - start)) s"
}

# packages: all but the root, whose scenario tests start real processes and run on their own, and docs, which the check has run.
packages() {
	module=$(go list -m) && all=$(go list -tags headless ./...) || return 1
	printf '%s\n' "$all" | grep -vx -e "$module" -e "$module/docs"
}

# race: SQLite itself, C that was translated to Go and locks as it did in C, is not watched: our tests of it would take three times as long.
race() {
	list=$(packages) || return 1
	# shellcheck disable=SC2086 # a list of packages, and a flag or none
	CGO_ENABLED=1 go test -race $short -vet=off -tags headless -timeout 20m \
		-gcflags='github.com/ncruces/go-sqlite3-wasm/...=-race=false' $list
}

scenarios() {
	TEST_BINARY=$PWD/build/cryptexq-headless TEST_KILLS=$KILLS CGO_ENABLED=0 \
		go test -vet=off -tags headless -timeout 120m .
}

seeds() {
	./build/cryptexq-headless sim --seed 1 --seeds "$SEEDS"
}

window_vet() {
	go vet -trimpath -tags migrated_fynedo,no_emoji .
}

step "formatting, vet, staticcheck, rules of the house" sh scripts/check.sh
step "tests with the race detector" race
step "static binary" sh scripts/build.sh headless
step "scenarios with real processes, $KILLS kills" scenarios
step "$SEEDS simulated seeds" seeds
step "the window builds" sh scripts/build.sh window
step "the window's files pass vet" window_vet
if [ -f scripts/xvfb-test.sh ]; then
	step "the window under Xvfb" sh scripts/xvfb-test.sh
fi

if [ "$(uname -s)" = Linux ] && ! unshare -rn true 2>/dev/null; then
	echo "skipped: tests with a network or a disk of their own, for this machine allows no namespaces (as root they run)"
fi
[ "$failed" -eq 0 ] || echo "failed:$names" >&2
echo "steps: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
