package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// labEnv marks the process that has a network of its own.
const labEnv = "CRYPTEXQ_TEST_LAN"

// inLab runs the calling test once more in a network namespace of its own, where there is nothing but a loopback with
// multicast, and reports whether it is that process. Where the machine allows no such thing the test says so.
func inLab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(labEnv) == t.Name() {
		if err := raiseLoopback(); err != nil {
			t.Fatalf("raising the loopback: %v", err)
		}
		return true
	}
	binary := must(exec.LookPath("cryptexq"))(t)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), labEnv+"="+t.Name(), "TEST_BINARY="+binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine allows no network namespace: %v", err)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

// raiseLoopback is `ip link set lo up multicast on`.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_MULTICAST)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}

// TestTwoWhoNeverMetFindEachOtherOnTheLAN is first contact without an invitation and without an internet.
func TestTwoWhoNeverMetFindEachOtherOnTheLAN(t *testing.T) {
	if !inLab(t) {
		return
	}
	dir := t.TempDir()
	a, b, hidden := must(newPerson(dir, "ada"))(t), must(newPerson(dir, "bob"))(t), must(newPerson(dir, "eve"))(t)
	for _, p := range []*person{a, b, hidden} {
		t.Cleanup(p.end)
	}
	for p, flags := range map[*person][]string{a: {"--nearby"}, hidden: nil, b: {"--nearby"}} {
		if err := p.start(flags...); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if _, err := a.until(`"name":"Bob"`, "nearby", "--json"); err != nil {
		t.Fatal(err)
	}
	t.Logf("found within %v of being ready", time.Since(start).Round(time.Millisecond))
	if out := must(a.do("nearby", "--json"))(t); strings.Contains(out, "Eve") {
		t.Errorf("somebody who shows no name is nearby: %s", out)
	}
	if _, err := a.do("add", "Bob", "--text", "hello from next door"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.until("hello from next door", "requests"); err != nil {
		t.Fatal(err)
	}
	if out := must(b.do("requests", "--json"))(t); !strings.Contains(out, `"token":false`) {
		t.Errorf("nobody was invited, and yet: %s", out)
	}
	if _, err := b.do("accept", "Ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.until(`"state":"accepted"`, "contacts", "--json"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.do("send", "Bob", "over the LAN", "--wait", "delivered"); err != nil {
		t.Fatal(err)
	}
	if err := b.crash(); err != nil {
		t.Fatal(err)
	}
	if err := b.start("--nearby"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.do("send", "Ada", "back again", "--wait", "delivered"); err != nil {
		t.Error(err)
	}
}
