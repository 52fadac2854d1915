package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFullLogFileBecomesTheOldOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := openLogFile(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 39) + "\n"
	for range 5 {
		if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{logName: 40, logName + ".old": 80} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want %d bytes of mode 0600", name, info, err, want)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
}

func TestALogGoesOnWhereItEnded(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		l, err := openLogFile(dir, 70)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write([]byte(strings.Repeat("x", 30))); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, logName)); err != nil || info.Size() != 30 {
		t.Errorf("after three runs the file is %v, %v; want 30 bytes, and 60 in the old one", info, err)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestAClosedStandardErrorDoesNotStopTheLog(t *testing.T) {
	var kept strings.Builder
	if _, err := (both{&kept, closed{}}).Write([]byte("line\n")); err != nil || kept.String() != "line\n" {
		t.Errorf("Write: %v, kept %q", err, kept.String())
	}
}
