package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestLockChild is the child of TestASecondProcessIsRefusedWithTheFirstOnesNumber: it holds a store until its input ends.
func TestLockChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	s, err := OpenKey(context.Background(), Config{Dir: dir}, wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("HELD")
	io.Copy(io.Discard, os.Stdin)
	s.Close()
}

func TestASecondProcessIsRefusedWithTheFirstOnesNumber(t *testing.T) {
	dir := t.TempDir()
	mustClose(t, mustCreate(t, Config{Dir: dir}))
	c := child(t, "TestLockChild", dir)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "HELD"; {
	}
	var used *InUseError
	if _, err := LockProfile(dir); !errors.As(err, &used) || used.PID != c.Process.Pid {
		t.Errorf("LockProfile = %v, want process %d", err, c.Process.Pid)
	}
	if _, err := OpenKey(context.Background(), Config{Dir: dir}, wordsKey); !errors.As(err, &used) || used.PID != c.Process.Pid {
		t.Errorf("OpenKey = %v, want process %d", err, c.Process.Pid)
	}
	in.Close()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, Config{Dir: dir})
}

func TestALockIsGivenBackWithTheStoreOrByWhoTookIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "profile")
	l, err := LockProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if Exists(dir) {
		t.Error("a vault in an empty folder")
	}
	if _, err := CreateKey(context.Background(), Config{Dir: dir}, wordsKey); err == nil {
		t.Error("created in a folder that is in use")
	}
	if _, err := OpenKey(context.Background(), Config{Dir: dir, Lock: l}, wordsKey); !errors.Is(err, ErrNone) {
		t.Errorf("OpenKey = %v, want %v", err, ErrNone)
	}
	s := mustCreate(t, Config{Dir: dir, Lock: l}) // the lock outlived the failure
	if !Exists(dir) {
		t.Error("no vault after Create")
	}
	mustClose(t, s)
	l, err = LockProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
}

func TestFilesAreThisUsersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "profile")
	s := mustCreate(t, Config{Dir: dir})
	if err := put(s, "a", 1); err != nil {
		t.Fatal(err)
	}
	get(t, s, "a")
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", st.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if i, err := e.Info(); err != nil || i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", e.Name(), i.Mode(), err)
		}
	}
	if len(entries) != 7 { // lock, header twice, anchor, database with log and index
		t.Errorf("files: %v", entries)
	}
}
