package ui

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// answering is how long a screen may take to answer: it may be that of another computer.
const answering = 3 * time.Second

// Screen says why no window can be shown here, nil when one can. env is os.Getenv. The driver is asked too late: where nothing
// answers it panics, with the profile open.
func Screen(env func(string) string) error {
	switch runtime.GOOS {
	case "windows", "darwin":
		return nil // who runs a program there has a screen
	}
	return findScreen(env, func(network, address string) error {
		c, err := net.DialTimeout(network, address, answering)
		if err == nil {
			err = c.Close()
		}
		return err
	})
}

// errNoScreen is an environment that names no screen, as over ssh or in a service.
var errNoScreen = errors.New("neither DISPLAY nor WAYLAND_DISPLAY is set")

// findScreen looks for a Wayland compositor or an X server that answers.
func findScreen(env func(string) string, dial func(network, address string) error) error {
	wayland, x := env("WAYLAND_DISPLAY"), env("DISPLAY")
	if env("WAYLAND_SOCKET") != "" { // a connection that is open already
		return nil
	}
	if dial("unix", waylandSocket(env("XDG_RUNTIME_DIR"), wayland)) == nil {
		return nil
	}
	for _, at := range xServers(x) {
		if dial(at.network, at.address) == nil {
			return nil
		}
	}
	switch {
	case x != "":
		return fmt.Errorf("nothing answers at DISPLAY %q", x)
	case wayland != "":
		return fmt.Errorf("nothing answers at WAYLAND_DISPLAY %q", wayland)
	}
	return errNoScreen
}

// waylandSocket is where a compositor listens.
func waylandSocket(runtimeDir, name string) string {
	if name == "" {
		name = "wayland-0" // as libwayland does
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(runtimeDir, name)
}

// xServer is a place where an X server may listen, for net.Dial.
type xServer struct{ network, address string }

// xServers are the places that DISPLAY ("[host]:number[.screen]", or the path of a socket) may mean.
func xServers(display string) []xServer {
	if filepath.IsAbs(display) {
		return []xServer{{"unix", display}}
	}
	colon := strings.LastIndexByte(display, ':')
	if colon < 0 {
		return nil
	}
	host, number := display[:colon], display[colon+1:]
	if dot := strings.IndexByte(number, '.'); dot >= 0 {
		number = number[:dot]
	}
	n, err := strconv.ParseUint(number, 10, 15)
	if err != nil {
		return nil
	}
	if host == "" || host == "unix" {
		path := "/tmp/.X11-unix/X" + strconv.FormatUint(n, 10)
		return []xServer{{"unix", path}, {"unix", "@" + path}} // the second has no file: Linux
	}
	return []xServer{{"tcp", net.JoinHostPort(strings.Trim(host, "[]"), strconv.FormatUint(6000+n, 10))}}
}
