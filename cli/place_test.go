package cli

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// on is a system with some variables set.
func on(system string, vars map[string]string) surroundings {
	return surroundings{
		system: system,
		look:   func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		home: func() (string, error) {
			if home, set := vars["HOME"]; set && home == "" {
				return "", errors.New("HOME is not defined")
			} else if set {
				return home, nil
			}
			return "/h/ada", nil
		},
		temporary: func() string { return "/tmp" },
	}
}

func TestProfilesLieWhereTheSystemKeepsSuchThings(t *testing.T) {
	xdg := map[string]string{"XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"}
	for _, row := range []struct {
		name, system, profile string
		vars                  map[string]string
		data, logs, socket    string
	}{
		{"all variables", "linux", "work", xdg, "/d/cryptexq/work", "/s/cryptexq/work", "/r/cryptexq/work.sock"},
		{
			"no variable", "linux", "default", nil,
			"/h/ada/.local/share/cryptexq/default", "/h/ada/.local/state/cryptexq/default", "/h/ada/.local/share/cryptexq/default/sock",
		},
		{
			"variables that are not absolute are ignored", "linux", "default",
			map[string]string{"XDG_DATA_HOME": "d", "XDG_RUNTIME_DIR": "r"},
			"/h/ada/.local/share/cryptexq/default", "/h/ada/.local/state/cryptexq/default", "/h/ada/.local/share/cryptexq/default/sock",
		},
		{
			"all variables and no home", "linux", "work",
			map[string]string{"HOME": "", "XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s"},
			"/d/cryptexq/work", "/s/cryptexq/work", "/d/cryptexq/work/sock",
		},
		{"a path needs no home", "linux", "/p/one", map[string]string{"HOME": ""}, "/p/one", "/p/one/log", "/p/one/sock"},
		{"a path keeps everything inside", "linux", "/p/one", xdg, "/p/one", "/p/one/log", "/p/one/sock"},
		{
			"macOS", "darwin", "default", nil,
			"/h/ada/Library/Application Support/cryptexq/default", "/h/ada/Library/Logs/cryptexq/default",
			"/h/ada/Library/Application Support/cryptexq/default/sock",
		},
		{
			"Windows", "windows", "default",
			map[string]string{"LOCALAPPDATA": "/l"},
			"/l/cryptexq/default", "/l/cryptexq/default/log", "/l/cryptexq/default/sock",
		},
	} {
		p, err := findPlace(row.profile, on(row.system, row.vars))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if p.data != row.data || p.logs != row.logs || p.socket != row.socket {
			t.Errorf("%s: %+v, want %s, %s, %s", row.name, p, row.data, row.logs, row.socket)
		}
	}
}

func TestALongSocketPathIsReplacedByItsDigest(t *testing.T) {
	long := "/" + strings.Repeat("p", 120)
	p, err := findPlace(long, on("linux", map[string]string{"XDG_RUNTIME_DIR": "/r"}))
	if err != nil {
		t.Fatal(err)
	}
	// printf %s "$path" | sha256sum
	if dir, name := filepath.Split(p.socket); dir != "/r/cryptexq/" || len(name) != len("0123456789abcdef.sock") {
		t.Errorf("socket %s, want /r/cryptexq/ and 16 hex digits", p.socket)
	}
	q, err := findPlace(long, on("linux", nil))
	if err != nil {
		t.Fatal(err)
	}
	if q.socket != "/tmp/cryptexq/"+filepath.Base(p.socket) {
		t.Errorf("without XDG_RUNTIME_DIR the socket is %s", q.socket)
	}
	r, err := findPlace("/"+strings.Repeat("p", 94), on("linux", nil)) // with /sock exactly 100 bytes
	if err != nil || len(r.socket) != longestSocket || !strings.HasSuffix(r.socket, "/sock") {
		t.Errorf("a path of %d bytes became %s, %v", longestSocket, r.socket, err)
	}
	far := map[string]string{"XDG_RUNTIME_DIR": "/" + strings.Repeat("r", 120)}
	if s, err := findPlace("default", on("linux", far)); err != nil || !strings.HasPrefix(s.socket, "/tmp/cryptexq/") {
		t.Errorf("with a long XDG_RUNTIME_DIR the socket is %s, %v", s.socket, err)
	}
}

func TestWithoutAHomeTheProfileMustBeAPath(t *testing.T) {
	for _, home := range []string{"", "relative/home"} {
		for _, system := range []string{"linux", "darwin", "windows"} {
			if p, err := findPlace("default", on(system, map[string]string{"HOME": home})); err == nil || !strings.Contains(err.Error(), "--profile as a path") {
				t.Errorf("on %s with the home %q: %+v, %v", system, home, p, err)
			}
		}
	}
}

func TestNamesThatAreNoProfileAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", ".hidden", "-x", "c:", "a\x00b"} {
		if _, err := findPlace(name, on("linux", nil)); err == nil {
			t.Errorf("findPlace(%q) took it", name)
		}
	}
}
