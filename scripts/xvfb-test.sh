#!/bin/sh
# xvfb-test.sh: the window under Xvfb, by keyboard alone: first run (name, password, Start), an invitation of a second process, the
# first message, its tick. What came of it is asked of both processes; the picture of the end is build/artefacts/xvfb.png.
# WINDOW and HEADLESS name the binaries (build/cryptexq, build/cryptexq-headless); PATIENCE is how many seconds a step may take (90).
set -eu
. "$(dirname "$0")/go.sh"

: "${WINDOW:=$PWD/build/cryptexq}" "${HEADLESS:=$PWD/build/cryptexq-headless}" "${PATIENCE:=90}"
[ -x "$WINDOW" ] || sh scripts/build.sh window
[ -x "$HEADLESS" ] || sh scripts/build.sh headless

password="correct horse battery"
hello="Hello from the window"
again="And once more"
dir=$(mktemp -d)
pids=
artefacts=$PWD/build/artefacts
mkdir -p "$artefacts"

# finish ends what was started here, and nothing else.
finish() {
	code=$?
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	for p in $pids; do wait "$p" 2>/dev/null || true; done
	rm -rf "$dir"
	exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM

# fail says what did not happen, keeps a picture of what the window shows instead, and ends.
fail() {
	echo "xvfb-test: $1" >&2
	[ -z "${wid-}" ] || import -window "$wid" "$artefacts/xvfb-failed.png" 2>/dev/null || true
	tail -n 20 "$dir"/*.log >&2 2>/dev/null || true
	for who in ada tove; do timeout 10 "$HEADLESS" --profile "$dir/$who" doctor >&2 || true; done
	exit 1
}

# until WHAT COMMAND...: tries a command until it succeeds.
until_true() {
	what=$1 end=$(($(date +%s) + PATIENCE))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || fail "$what: not after $PATIENCE s"
		sleep 0.2
	done
}

# field NAME: the first value of that name in lines of JSON.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

ada() { "$HEADLESS" --profile "$dir/ada" --json "$@"; }
tove() { "$HEADLESS" --profile "$dir/tove" --json "$@"; }

# shot FILE: what the window shows now.
shot() { import -window "$wid" "$1"; }

# pixels A B: how many pixels of two pictures differ.
pixels() { compare -metric AE -fuzz 2% "$1" "$2" null: 2>&1 | sed 's/[^0-9].*//' || true; }

# moved: whether the window shows something else than in before.png, and stands still. A blinking cursor is neither.
moved() {
	shot "$dir/one.png" && sleep 0.3 && shot "$dir/two.png"
	[ "$(pixels "$dir/before.png" "$dir/two.png")" -gt 1500 ] && [ "$(pixels "$dir/one.png" "$dir/two.png")" -lt 200 ]
}

# then_moved WHAT COMMAND...: does something and waits until the window shows the outcome.
then_moved() {
	thing=$1
	shift
	shot "$dir/before.png"
	"$@"
	until_true "$thing" moved
}

key() { xdotool key --clearmodifiers "$1"; }
types() { xdotool type --delay 15 "$1"; }
says() {
	types "$1"
	key Return
}

echo "Where there is no screen, one sentence says so, and nothing is made."
blind() {
	said=$(env -u WAYLAND_DISPLAY -u WAYLAND_SOCKET "$@" XDG_RUNTIME_DIR="$dir" "$WINDOW" --profile "$dir/nobody" 2>&1) && fail "a window without a screen"
	[ "$(printf '%s\n' "$said" | wc -l)" -eq 1 ] || fail "without a screen it says: $said"
	case $said in *"There is no screen here: "*" node") ;; *) fail "without a screen it says: $said" ;; esac
	[ ! -e "$dir/nobody" ] || fail "a profile was made without a screen"
}
blind -u DISPLAY
blind DISPLAY=:4711

echo "A second person, without a window."
printf '%s\n' "$password" >"$dir/secret" && chmod 600 "$dir/secret"
tove init --name Tove --kdf min --password-file "$dir/secret" >/dev/null
"$HEADLESS" --profile "$dir/tove" node --no-mdns --listen /ip4/127.0.0.1/tcp/0 --listen /ip4/127.0.0.1/udp/0/quic-v1 \
	--password-file "$dir/secret" >"$dir/tove.log" 2>&1 &
pids="$pids $!"
listening() { tove id | grep -q '"/ip4/'; } # an invitation from before has no address in it
until_true "the second process" listening
link=$(tove invite | field link)

echo "A screen without a screen, and the window on it."
unset WAYLAND_DISPLAY XAUTHORITY
export LIBGL_ALWAYS_SOFTWARE=1 NO_AT_BRIDGE=1 XDG_SESSION_TYPE=x11 XDG_CONFIG_HOME="$dir/config"
mkfifo "$dir/number"
Xvfb -displayfd 5 -screen 0 1280x800x24 -nolisten tcp 5>"$dir/number" >"$dir/xvfb.log" 2>&1 &
pids="$pids $!"
read -r number <"$dir/number"
export DISPLAY=":$number"
openbox >"$dir/openbox.log" 2>&1 &
pids="$pids $!"
"$WINDOW" --profile "$dir/ada" >"$dir/ada.log" 2>&1 &
window_pid=$!
pids="$pids $window_pid"
found() {
	wid=$(xdotool search --onlyvisible --name '^CryptexQ' | head -n 1)
	[ -n "$wid" ]
}
until_true "the window" found
drawn() { shot "$dir/two.png" && [ "$(convert "$dir/two.png" -format %k info:)" -gt 60 ]; }
until_true "the first page" drawn
xdotool windowfocus --sync "$wid"

echo "First run: name, password, Start."
types "Ada"
key Tab
types "$password"
then_moved "the next page" key Return
ready() { ada status | grep -q '"ready":true'; }
until_true "the account" ready

echo "An invitation, and the first message with the request."
then_moved "the page for adding" key ctrl+n
printf '%s' "$link" | xclip -selection clipboard >"$dir/xclip.log" 2>&1 # a letter that is typed may get lost on a busy machine
key ctrl+v
then_moved "the preview" key Return
then_moved "the conversation" says "$hello"
asked() { tove requests | grep -q "\"name\":\"Ada\".*\"text\":\"$hello\""; }
until_true "the request" asked
tove accept "$(tove requests | field account)" >/dev/null

# arrived TEXT: the other one has it, and the window knows that it was delivered.
arrived() {
	tove read Ada | grep "\"text\":\"$1\"" | grep -q '"own":false' &&
		ada read Tove | grep "\"text\":\"$1\"" | grep -q '"state":"delivered"'
}
until_true "the tick of the first message" arrived "$hello"
then_moved "the second message" says "$again"
until_true "the tick of the second message" arrived "$again"
then_moved "the page for adding, from the composer" key ctrl+n
then_moved "the conversation again" key Escape
tove send Ada "Welcome, Ada" >/dev/null
answered() { ada read Tove | grep -q '"text":"Welcome, Ada"'; }
until_true "the answer" answered
still() {
	shot "$dir/one.png" && sleep 1 && shot "$dir/two.png"
	[ "$(pixels "$dir/one.png" "$dir/two.png")" -lt 200 ]
}
until_true "a window that stands still" still
shot "$artefacts/xvfb.png"

echo "Closing the window ends the process."
key alt+F4
gone() { ! kill -0 "$window_pid"; }
until_true "the end of the process" gone
wait "$window_pid" || fail "the process ended with $?"
echo "xvfb-test: the first message was delivered; picture: build/artefacts/xvfb.png"
