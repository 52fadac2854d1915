package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHardenChild is the child of TestAHardenedProcessLeavesNothingToOthers.
func TestHardenChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	if err := Harden(); err != nil {
		t.Fatal(err)
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	fmt.Println("HARD", dumpable, core.Cur, core.Max)
}

func TestAHardenedProcessLeavesNothingToOthers(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "TestHardenChild", dir).Output()
	if err != nil || !strings.Contains(string(out), "HARD 0 0 0\n") {
		t.Errorf("%s%v", out, err)
	}
	if st, err := os.Stat(filepath.Join(dir, "file")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("a file it makes: %v, %v", st.Mode(), err)
	}
}
