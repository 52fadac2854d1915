package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAFullDiskLosesNothingThatWasAccepted fills the disk under a running node: it says so, keeps what it took, and goes on
// when there is room again. The other side's messages wait with their author meanwhile.
func TestAFullDiskLosesNothingThatWasAccepted(t *testing.T) {
	if !inLab(t, syscall.CLONE_NEWNS) {
		return
	}
	dir := t.TempDir()
	if err := smallDisk(dir); err != nil {
		t.Fatalf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	a, b := two(t, dir)
	filler := fill(t, dir)
	accepted := 0
	var complaint string
	for complaint == "" && accepted < 10_000 {
		_, err := a.do("send", "Bob", fmt.Sprintf("message %04d %s", accepted, strings.Repeat("x", 8000)))
		if err != nil {
			complaint = err.Error()
			break
		}
		accepted++
	}
	if !strings.Contains(complaint, "The disk is full") {
		t.Fatalf("after %d messages: %q", accepted, complaint)
	}
	t.Logf("%d messages were accepted before the disk was full", accepted)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if _, err := a.do("send", "Bob", "there is room again", "--wait", "delivered", "--timeout", "60s"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*person{a, b} {
		to := map[*person]string{a: "Bob", b: "Ada"}[p]
		thread := (&writer{p: p, to: to}).thread(t)
		n := 0
		for _, text := range thread {
			if strings.HasPrefix(text, fmt.Sprintf("message %04d ", n)) {
				n++
			}
		}
		if n != accepted {
			t.Errorf("%s has %d of the %d messages that were accepted", p.name, n, accepted)
		}
	}
}

// TestANodeThatFindsTheDiskFullSaysSo starts one on a disk without any room, and again when there is some.
func TestANodeThatFindsTheDiskFullSaysSo(t *testing.T) {
	if !inLab(t, syscall.CLONE_NEWNS) {
		return
	}
	dir := t.TempDir()
	if err := smallDisk(dir); err != nil {
		t.Fatalf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	a := must(newPerson(dir, "ada"))(t)
	t.Cleanup(a.end)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 24<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a disk of 24 MiB took as much: %v", err)
	}
	if out, err := a.do("node", "--password-file", a.secret()); err == nil || !strings.Contains(err.Error(), "The disk is full") {
		t.Errorf("a node on a full disk: %q, %v", out, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := a.start(quietly...); err != nil {
		t.Error(err)
	}
}

// smallDisk mounts one of 24 MiB. In a chroot the root is no mount, so nothing can be kept from those who share it: there the
// disk is seen from outside until the test unmounts it.
func smallDisk(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return unix.Mount("disk", dir, "tmpfs", 0, "size=24m")
}

// fill takes all the room but a little and returns the name of the file that has it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	const left = 1 << 20
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "filler")
	size := int(st.Bavail)*int(st.Bsize) - left
	if err := os.WriteFile(name, bytes.Repeat([]byte{1}, size), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
