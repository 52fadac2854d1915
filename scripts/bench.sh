#!/bin/sh
# bench.sh [PATTERN]: the primitives, then the whole path with real processes of the static binary on real disks, then a page of a
# long thread (PAGE messages, 1000000 to keep the promise; 100000). Each figure stands beside what was promised.
# Nothing else should run meanwhile; the load is printed with each. Traffic is counted on a loopback of its own, where unshare may, and
# is that before TLS. That nothing is lost is no matter of figures: make test, make long.
set -eu
. "$(dirname "$0")/go.sh"

: "${PAGE:=100000}"
export CGO_ENABLED=0 TEST_BINARY="$PWD/build/cryptexq-headless" pattern="${1:-.}"
echo "$(getconf _NPROCESSORS_ONLN) processors, load $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown), temporary folders in ${TMPDIR:-/tmp}"

[ $# -gt 0 ] || "$TEST_BINARY" bench
go test -vet=off -tags headless -c -o build/path.test .
go test -vet=off -tags headless -c -o build/app.test ./app

path='./build/path.test -test.run ^$ -test.bench "$pattern" -test.timeout 60m'
own=-rn
[ "$(id -u)" -ne 0 ] || own=-n # root stays root, who may count more records at a time
if unshare $own ip link set lo up 2>/dev/null; then
	BENCH_ALONE=1 unshare $own sh -euc "ip link set lo up; exec $path"
else
	echo "This machine allows no network of one's own (unshare): what goes over the wire is not measured, nor what a node with ten contacts takes."
	sh -euc "exec $path"
fi
echo "load $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown)"
cd app
../build/app.test -test.run '^$' -test.bench "$pattern" -test.benchtime 3s -test.timeout 60m -page.messages "$PAGE"
