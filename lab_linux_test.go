package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// labEnv marks the process that has something of the machine to itself.
const labEnv = "CRYPTEXQ_TEST_LAB"

// inLab runs the calling test once more in namespaces of its own, as the flags of clone say, and reports whether it is that
// process. Where the machine allows no such thing the test says so.
func inLab(t *testing.T, flags uintptr) bool {
	t.Helper()
	if os.Getenv(labEnv) == t.Name() {
		return true
	}
	binary := must(exec.LookPath("cryptexq"))(t)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), labEnv+"="+t.Name(), "TEST_BINARY="+binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine allows no namespaces: %v", err)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}
