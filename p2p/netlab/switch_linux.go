package netlab

import (
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// Switch is a network switch in a namespace of its own. What happens at one of its ports is not seen at the others.
type Switch struct {
	t   testing.TB
	pid int // of a process whose network namespace is the switch
}

// NewSwitch makes a switch. It needs the capabilities of a namespace's root, and skips the test without the tools ip and nsenter.
func NewSwitch(t testing.TB) *Switch {
	t.Helper()
	for _, tool := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("cables need the tool %s, of iproute2 or util-linux", tool)
		}
	}
	hold := exec.Command("cat") // does nothing, for as long as it is not told to end
	hold.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := hold.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Start(); err != nil {
		t.Fatalf("making a switch: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = hold.Wait()
	})
	s := &Switch{t: t, pid: hold.Process.Pid}
	s.ip("link", "add", "bridge", "type", "bridge")
	s.ip("link", "set", "bridge", "up")
	return s
}

// Plug puts a cable between the switch and the network namespace of a process, where it is called eth and has these
// addresses, with prefix lengths. Ports are numbered by the caller.
func (s *Switch) Plug(port, pid int, addresses ...string) {
	s.t.Helper()
	name := s.name(port)
	s.ip("link", "add", name, "type", "veth", "peer", "name", "eth", "netns", strconv.Itoa(pid))
	s.ip("link", "set", name, "master", "bridge")
	s.ip("link", "set", name, "up")
	ipIn(s.t, pid, "link", "set", "lo", "up")
	ipIn(s.t, pid, "link", "set", "eth", "up")
	for _, a := range addresses {
		ipIn(s.t, pid, "address", "add", a, "dev", "eth", "nodad")
	}
}

// Move gives a process at the end of a cable another address.
func (s *Switch) Move(pid int, from, to string) {
	s.t.Helper()
	ipIn(s.t, pid, "address", "del", from, "dev", "eth")
	ipIn(s.t, pid, "address", "add", to, "dev", "eth", "nodad")
}

// Pull pulls the cable out of a port: who is at its other end sees it, nobody else.
func (s *Switch) Pull(port int) { s.ip("link", "set", s.name(port), "down") }

// Push puts it back.
func (s *Switch) Push(port int) { s.ip("link", "set", s.name(port), "up") }

// Cut makes a port swallow everything, which nobody sees, neither at its other end nor elsewhere.
func (s *Switch) Cut(port int) { s.ip("link", "set", s.name(port), "nomaster") }

// Mend is the opposite of Cut.
func (s *Switch) Mend(port int) { s.ip("link", "set", s.name(port), "master", "bridge") }

func (s *Switch) name(port int) string { return "port" + strconv.Itoa(port) }

func (s *Switch) ip(args ...string) {
	s.t.Helper()
	ipIn(s.t, s.pid, args...)
}

// ipIn runs the tool ip in the network namespace of a process. A process of its own enters it: a thread of ours that did
// could be the first one, after which this whole process would be taken to be there.
func ipIn(t testing.TB, pid int, args ...string) {
	t.Helper()
	args = append([]string{"--net=/proc/" + strconv.Itoa(pid) + "/ns/net", "ip"}, args...)
	if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
		t.Fatalf("nsenter %v: %v: %s", args, err, out)
	}
}
