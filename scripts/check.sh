#!/bin/sh
# check.sh: formatting, vet, staticcheck, what must not be in the tree, and the rules of the house (docs/*_test.go).
set -eu
. "$(dirname "$0")/go.sh"

bad=0
complain() {
	echo "$1" >&2
	bad=1
}

# files [PATHSPEC...]: those that git has or would take; without git (an unpacked archive) all but builds.
files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@"
	else
		find . -type f -not -path './build/*' | sed 's|^\./||'
	fi | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}

# forbid WHAT PATTERN FILES: complains of every line in FILES (names, one a line) that the extended regular expression matches.
forbid() {
	found=$(printf '%s\n' "$3" | tr '\n' '\0' | xargs -0 grep -nEI -e "$2" /dev/null) || return 0
	complain "$1:
$found"
}

# forbid_names WHAT PATTERN FILES: the same for the names themselves.
forbid_names() {
	found=$(printf '%s\n' "$3" | grep -E -e "$2") || return 0
	complain "$1:
$found"
}

every=$(files)
sources=$(printf '%s\n' "$every" | grep -E '\.go$') || true
texts=$(printf '%s\n' "$every" | grep -vE '^(LICENSE|go\.sum)$|/testdata/|^testdata/fuzz/')
tests=$(printf '%s\n' "$sources" | grep -E '_test\.go$') || true
interface=$(printf '%s\n' "$every" | grep -E '^(ui|cli)/|^gui\.go$') || true
outside_testdata=$(printf '%s\n' "$every" | grep -vE '(^|/)testdata/')

# The brackets keep the patterns from finding themselves.
forbid "left-over marks" '\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b' "$texts"
forbid "merge marks" '^(<<<<<<<|>>>>>>>)( |$)' "$texts"
forbid "paths of somebody's machine" '(^|[^A-Za-z0-9_.~-])/(home|Users|root|work|tmp/[a-z]+_[a-z]+)/[A-Za-z.]|\.\./share[d]/' "$texts"
forbid "a private key" 'BEGIN ([A-Z]+ )?PRIVATE KE[Y]|AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{20}' "$every"
forbid "a test that waits for time instead of for what it waits for" 'time\.Slee[p]\(' "$(printf '%s\n' "$tests" | while read -r f; do
	grep -q 'testing/synctest' "$f" 2>/dev/null || echo "$f"
done)"
forbid "a word that promises what nobody can keep" '[Uu]nbreakabl[e]|[Mm]ilitary.?grad[e]|[Bb]lockchai[n]|\b[Cc]onsensu[s]\b' "$interface"
forbid_names "vaults, databases, keys or logs" '\.(cqv|cqv\.bak|db|db-wal|db-shm|age|pem|key|p12|cqproof|log|sock)$' "$outside_testdata"
forbid_names "builds and profiles of runs" '\.(exe|test|out|prof|o|a|so)$|^build/|(^|/)coverage[^/]*$' "$outside_testdata"
forbid_names "a file named after nothing: split by noun" '(^|/)(util|utils|helper|helpers|common|misc)(/|\.go$)|_2\.go$' "$sources"
large=$(printf '%s\n' "$every" | while read -r f; do find "$f" -size +2048k; done)
[ -z "$large" ] || complain "files over 2 MiB: $large"

unformatted=$(printf '%s\n' "$sources" | tr '\n' '\0' | xargs -0 "$(go env GOROOT)/bin/gofmt" -l) || bad=1
[ -z "$unformatted" ] || complain "gofmt: $unformatted"
unformatted=$(printf '%s\n' "$sources" | tr '\n' '\0' | xargs -0 go tool gofumpt -l) || bad=1
[ -z "$unformatted" ] || complain "gofumpt: $unformatted"

go vet -tags headless ./... || bad=1
go tool staticcheck -tags headless ./... || bad=1
go test -tags headless ./docs/ || bad=1

[ "$bad" -eq 0 ] && echo "check: nothing to complain of"
exit "$bad"
