#!/bin/sh
# packages.sh SET...: makes the system packages of a set available: window (to build it), tests (to run and look at it).
# Where there is apt it installs what is missing, each command printed first; elsewhere it says what is missing and stops.
set -eu

window="gcc libc6-dev pkg-config libgl1-mesa-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev
	libwayland-dev libxkbcommon-dev"
tests="xvfb xauth libgl1-mesa-dri openbox xdotool xclip imagemagick dbus-x11 fonts-noto-cjk fonts-noto-color-emoji iproute2"
headers="GL/gl.h X11/Xlib.h X11/Xcursor/Xcursor.h X11/extensions/Xrandr.h X11/extensions/Xinerama.h X11/extensions/XInput2.h
	X11/extensions/xf86vmode.h wayland-client.h xkbcommon/xkbcommon.h"
programs="Xvfb xauth openbox xdotool xclip import dbus-launch ip"

# missing PACKAGE...: prints those that are not installed.
missing() {
	for p in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

# install_with_apt PACKAGE...: through sudo for everybody but root.
install_with_apt() {
	names=$(missing "$@" | tr '\n' ' ')
	[ -n "$names" ] || return 0
	sudo=
	[ "$(id -u)" -eq 0 ] || sudo="sudo "
	echo "Installing what is missing: $names"
	if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
		echo "There is no sudo here. As root: apt-get update && apt-get install $names" >&2
		exit 1
	fi
	update="${sudo}apt-get update -q"
	install="${sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $names"
	echo "+ $update"
	$update
	echo "+ $install"
	$install
}

# look_for_window and look_for_tests stand in for dpkg elsewhere: a header the compiler finds, a program in PATH.
look_for_window() {
	command -v pkg-config >/dev/null || echo pkg-config
	cc=$(command -v cc || command -v gcc) || {
		echo "a C compiler"
		return 0
	}
	[ "$(uname -s)" = Linux ] || return 0
	for h in $headers; do
		printf '#include <%s>\n' "$h" | "$cc" -E -x c - >/dev/null 2>&1 || echo "$h"
	done
}

look_for_tests() {
	[ "$(uname -s)" = Linux ] || return 0
	for p in $programs; do
		command -v "$p" >/dev/null || echo "$p"
	done
}

names='' lacking=''
apt=no
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && apt=yes
for set in "$@"; do
	case $set in
	window) names="$names $window" ;;
	tests) names="$names $tests" ;;
	*)
		echo "packages.sh: no set is called $set" >&2
		exit 2
		;;
	esac
	[ $apt = yes ] || lacking="$lacking $(look_for_"$set" | tr '\n' ' ')"
done

if [ $apt = yes ]; then
	# shellcheck disable=SC2086 # a list of names
	install_with_apt $names
elif [ -n "$(echo "$lacking" | tr -d ' ')" ]; then
	# shellcheck disable=SC2086
	{
		echo "Missing here:" $lacking
		echo "Install what your system calls these packages of Debian, and try again:"
		echo $names
	} >&2
	exit 1
fi
