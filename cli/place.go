package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/cryptexq/cryptexq/app/api"
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
	p := place{name: name}
	switch s.system {
	case "windows":
		p.data = filepath.Join(s.folder("LOCALAPPDATA", "AppData", "Local"), "cryptexq", name)
		p.logs = filepath.Join(p.data, "log")
	case "darwin":
		p.data = filepath.Join(s.folder("", "Library", "Application Support"), "cryptexq", name)
		p.logs = filepath.Join(s.folder("", "Library", "Logs"), "cryptexq", name)
	default:
		p.data = filepath.Join(s.folder("XDG_DATA_HOME", ".local", "share"), "cryptexq", name)
		p.logs = filepath.Join(s.folder("XDG_STATE_HOME", ".local", "state"), "cryptexq", name)
	}
	if !filepath.IsAbs(p.data) || !filepath.IsAbs(p.logs) {
		return place{}, advise(api.CodeFailed, "There is no home folder: HOME is not set to one. Give --profile as a path; then everything is in there.")
	}
	p.socket = filepath.Join(p.data, "sock")
	if run, ok := s.variable("XDG_RUNTIME_DIR"); ok {
		p.socket = filepath.Join(run, "cryptexq", name+".sock")
	}
	return s.shortened(p), nil
}

// unwritable adds to an error about a folder or file of the profile what can be done about it.
func unwritable(err error) error {
	var path *fs.PathError
	if !errors.As(err, &path) || errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return advise(api.CodeFailed, "The profile needs a folder that can be written to: %v. Change that, or name another folder with --profile, as a path.", err)
}

// exists reports whether there is anything of the profile. Where there is nothing, there is no account either.
func (p place) exists() bool {
	_, err := os.Stat(p.data)
	return !errors.Is(err, fs.ErrNotExist)
}

// variable reads one that names a folder. The XDG rules ignore what is not absolute.
func (s surroundings) variable(name string) (dir string, ok bool) {
	dir, _ = s.look(name)
	return filepath.Clean(dir), filepath.IsAbs(dir)
}

// folder is the one that a variable names, or else one in the home folder. It is not absolute where there is neither.
func (s surroundings) folder(variable string, inHome ...string) string {
	if dir, ok := s.variable(variable); ok {
		return dir
	}
	home, err := s.home()
	if err != nil {
		return ""
	}
	return filepath.Join(append([]string{home}, inHome...)...)
}

// shortened gives a profile whose socket would have too long a path another one, by the digest of the path of its data.
func (s surroundings) shortened(p place) place {
	if len(p.socket) <= longestSocket {
		return p
	}
	digest := sha256.Sum256([]byte(p.data))
	file := filepath.Join("cryptexq", hex.EncodeToString(digest[:])[:16]+".sock")
	if run, ok := s.variable("XDG_RUNTIME_DIR"); ok {
		if p.socket = filepath.Join(run, file); len(p.socket) <= longestSocket {
			return p
		}
	}
	p.socket = filepath.Join(s.temporary(), file)
	return p
}
