package netlab

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// labEnv names the test that a process with namespaces of its own was started for.
const labEnv = "CRYPTEXQ_TEST_LAB"

// Alone runs the calling test once more, in a process with namespaces of its own as the flags of clone say, with env added
// to its environment, and reports whether it is that process. It skips the test where the machine does not allow it.
func Alone(t *testing.T, flags uintptr, env ...string) bool {
	t.Helper()
	if os.Getenv(labEnv) == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(append(os.Environ(), labEnv+"="+t.Name()), env...)
	cmd.SysProcAttr = attributes(flags)
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

// attributes are those of a process in new namespaces; without root it is root of a new user namespace.
func attributes(flags uintptr) *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: flags}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  flags | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// AloneOnLoopback is Alone with a network of which nothing is there but a loopback with multicast on.
func AloneOnLoopback(t *testing.T) bool {
	t.Helper()
	if !Alone(t, syscall.CLONE_NEWNET) {
		return false
	}
	if err := SetLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
		t.Fatalf("setting up the loopback: %v", err)
	}
	return true
}

// SetLoopback sets the flags of lo, IFF_UP and its like, by the ioctl behind `ip link set lo up multicast on`.
func SetLoopback(flags uint16) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(flags)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}
