package ui

import (
	"errors"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestAScreenIsLookedForWhereTheDriverWillLook(t *testing.T) {
	for name, row := range map[string]struct {
		env   map[string]string
		there string // what answers; empty for nothing
		asked []string
		want  string // in the error; empty for a screen
	}{
		"nothing set":            {nil, "", []string{"unix wayland-0"}, "neither DISPLAY nor WAYLAND_DISPLAY is set"},
		"X on this computer":     {map[string]string{"DISPLAY": ":1"}, "unix /tmp/.X11-unix/X1", []string{"unix wayland-0", "unix /tmp/.X11-unix/X1"}, ""},
		"X without a file":       {map[string]string{"DISPLAY": "unix:7.2"}, "unix @/tmp/.X11-unix/X7", nil, ""},
		"X on another":           {map[string]string{"DISPLAY": "localhost:10.0"}, "tcp localhost:6010", nil, ""},
		"X over IPv6":            {map[string]string{"DISPLAY": "[::1]:10"}, "tcp [::1]:6010", nil, ""},
		"X by its socket":        {map[string]string{"DISPLAY": "/private/tmp/x:0"}, "unix /private/tmp/x:0", nil, ""},
		"X that is gone":         {map[string]string{"DISPLAY": ":99"}, "", []string{"unix wayland-0", "unix /tmp/.X11-unix/X99", "unix @/tmp/.X11-unix/X99"}, `nothing answers at DISPLAY ":99"`},
		"no number":              {map[string]string{"DISPLAY": "somewhere"}, "tcp somewhere:6000", nil, `nothing answers at DISPLAY "somewhere"`},
		"Wayland":                {map[string]string{"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": "/run/user/7"}, "unix /run/user/7/wayland-1", nil, ""},
		"Wayland by its path":    {map[string]string{"WAYLAND_DISPLAY": "/run/w"}, "unix /run/w", nil, ""},
		"Wayland, not said":      {map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, "unix /run/user/7/wayland-0", nil, ""},
		"Wayland, open":          {map[string]string{"WAYLAND_SOCKET": "5"}, "", []string{}, ""},
		"Wayland that is gone":   {map[string]string{"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": "/run"}, "", nil, `nothing answers at WAYLAND_DISPLAY "wayland-1"`},
		"Wayland gone, X stands": {map[string]string{"WAYLAND_DISPLAY": "wayland-1", "DISPLAY": ":0"}, "unix /tmp/.X11-unix/X0", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := []string{}
			err := findScreen(func(v string) string { return row.env[v] }, func(network, address string) error {
				asked = append(asked, network+" "+address)
				if asked[len(asked)-1] == row.there {
					return nil
				}
				return errors.New("nobody there")
			})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if row.asked != nil && !slices.Equal(asked, row.asked) {
				t.Errorf("asked %q, want %q", asked, row.asked)
			}
		})
	}
}

func TestAScreenThatAnswersIsOne(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("whoever runs a program there has a screen")
	}
	at := filepath.Join(t.TempDir(), "w")
	env := func(name string) string { return map[string]string{"WAYLAND_DISPLAY": at}[name] }
	if err := Screen(env); err == nil {
		t.Error("a socket that is not there is a screen")
	}
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Screen(env); err != nil {
		t.Errorf("a socket that answers is none: %v", err)
	}
}
