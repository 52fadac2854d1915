# go.sh is sourced by the others: it steps into the repository and finds a Go that go.mod accepts, or says where to get one and ends.
# What GOTOOLCHAIN says stays in force: with "local" nothing is fetched, and an older Go is refused here.
cd "$(dirname "$0")/.." || exit 1

# enough FOUND WANTED: whether a version as `go env GOVERSION` prints it (go1.27.1, go1.27rc1, devel go1.28-3f2a) is at least WANTED.
enough() {
	found=$(printf '%s\n' "$1" | sed 's/^devel //; s/^go//; s/[ -].*//')
	[ -n "$found" ] && [ "$(printf '%s\n%s\n' "$2" "$found" | sort -V | head -n 1)" = "$2" ]
}

wanted=$(sed -n 's/^go //p' go.mod)
command -v go >/dev/null 2>&1 || PATH=$PATH:/usr/local/go/bin
if command -v go >/dev/null 2>&1; then
	have=$(go env GOVERSION 2>/dev/null) || have=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
else
	have=
fi
if ! enough "$have" "$wanted"; then
	echo "CryptexQ needs Go $wanted or later; found: ${have:-none}." >&2
	echo "Get it from https://go.dev/dl/, unpack it to /usr/local/go, and try again." >&2
	exit 1
fi
export PATH
