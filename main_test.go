package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain sees to the one static binary that every scenario runs in processes of their own: the one that TEST_BINARY names,
// or one that is built here.
func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cryptexq-test-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	given := os.Getenv("TEST_BINARY")
	program := filepath.Join(dir, "cryptexq")
	if given != "" {
		err = os.Symlink(given, program)
	} else {
		build := exec.Command("go", "build", "-tags", "headless", "-o", program, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		return complain(fmt.Errorf("making the binary: %w", err))
	}
	for name, value := range map[string]string{
		"PATH": dir + string(os.PathListSeparator) + os.Getenv("PATH"), // where scenarios find it
		"HOME": dir, "XDG_DATA_HOME": "", "XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			return complain(err)
		}
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
