package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// place says where a profile keeps its things.
type place struct {
	name   string // as the person calls it
	data   string // folder
	logs   string // folder
	socket string
}

// longestSocket is the longest path of a socket in bytes: systems take 104 to 108, with a zero at the end.
const longestSocket = 100

// surroundings is what of the machine decides where profiles lie.
type surroundings struct {
	system    string // runtime.GOOS
	look      func(string) (string, bool)
	home      func() (string, error)
	temporary func() string
}

func (c *console) findPlace() (place, error) {
	return findPlace(c.profile, surroundings{runtime.GOOS, c.look, os.UserHomeDir, os.TempDir})
}

func findPlace(profile string, s surroundings) (place, error) {
	switch {
	case strings.ContainsRune(profile, '/') || strings.ContainsRune(profile, filepath.Separator):
		return s.inside(profile)
	case profile == "" || profile[0] == '.' || profile[0] == '-' || strings.ContainsAny(profile, ":\x00"):
		return place{}, usagef("a profile cannot be called %q", profile)
	}
	return s.named(profile)
}

// inside is for a profile given as a path: everything is in that folder.
func (s surroundings) inside(path string) (place, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return place{}, err
	}
	p := place{name: path, data: dir, logs: filepath.Join(dir, "log"), socket: filepath.Join(dir, "sock")}
	return s.shortened(p), nil
}

// named is for a profile that has its place where such things are kept on this system.
func (s surroundings) named(name string) (place, error) {
	home, err := s.home()
	if err != nil {
		return place{}, errors.New("there is no home folder: give --profile as a path")
	}
	p := place{name: name}
	switch s.system {
	case "windows":
		base := s.folder("LOCALAPPDATA", filepath.Join(home, "AppData", "Local"))
		p.data, p.logs = filepath.Join(base, "cryptexq", name), filepath.Join(base, "cryptexq", name, "log")
	case "darwin":
		p.data = filepath.Join(home, "Library", "Application Support", "cryptexq", name)
		p.logs = filepath.Join(home, "Library", "Logs", "cryptexq", name)
	default:
		p.data = filepath.Join(s.folder("XDG_DATA_HOME", filepath.Join(home, ".local", "share")), "cryptexq", name)
		p.logs = filepath.Join(s.folder("XDG_STATE_HOME", filepath.Join(home, ".local", "state")), "cryptexq", name)
	}
	p.socket = filepath.Join(p.data, "sock")
	if run := s.folder("XDG_RUNTIME_DIR", ""); run != "" {
		p.socket = filepath.Join(run, "cryptexq", name+".sock")
	}
	return s.shortened(p), nil
}

// folder reads a variable that names one. The XDG rules ignore what is not absolute.
func (s surroundings) folder(variable, otherwise string) string {
	if dir, _ := s.look(variable); filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return otherwise
}

// shortened gives a profile whose socket would have too long a path another one, by the digest of the path of its data.
func (s surroundings) shortened(p place) place {
	if len(p.socket) <= longestSocket {
		return p
	}
	digest := sha256.Sum256([]byte(p.data))
	file := filepath.Join("cryptexq", hex.EncodeToString(digest[:])[:16]+".sock")
	if run := s.folder("XDG_RUNTIME_DIR", ""); run != "" {
		if p.socket = filepath.Join(run, file); len(p.socket) <= longestSocket {
			return p
		}
	}
	p.socket = filepath.Join(s.temporary(), file)
	return p
}
