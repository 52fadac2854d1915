#!/bin/sh
# build.sh window|headless: builds build/cryptexq or the static build/cryptexq-headless, with version and commit stamped in.
set -eu
. "$(dirname "$0")/go.sh"

version=$(sed -n 's/^Version = "\(.*\)"$/\1/p' FyneApp.toml)
commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
[ "$commit" = unknown ] || [ -z "$(git status --porcelain 2>/dev/null)" ] || commit=$commit-dirty
flags="-s -w -X main.version=$version -X main.commit=$commit"

case ${1-} in
window)
	echo "Building the window; the first time takes some minutes."
	CGO_ENABLED=1 go build -buildvcs=false -trimpath -tags migrated_fynedo,no_emoji -ldflags "$flags" -o build/cryptexq .
	;;
headless)
	CGO_ENABLED=0 go build -buildvcs=false -trimpath -tags headless -ldflags "$flags" -o build/cryptexq-headless .
	;;
*)
	echo "build.sh: window or headless?" >&2
	exit 2
	;;
esac
