package p2p

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

const labEnv = "CRYPTEXQ_TEST_LAB"

// inLab runs the test that calls it in a network namespace of its own, whose only interface is a loopback with multicast on,
// and returns true there.
func inLab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(labEnv) == t.Name() {
		if err := setLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
			t.Fatalf("setting up the loopback: %v", err)
		}
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), labEnv+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine allows no network namespaces: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
	return false
}

// setLoopback does what `ip link set lo up multicast on` does, for one.
func setLoopback(flags uint16) error {
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

// found waits until somebody of this name was found nearby.
func (p *person) found(t testing.TB, o *person, name string, within time.Duration) (f peer.Found) {
	t.Helper()
	p.eventually(t, within, name+" nearby", func(facts []peer.Fact) bool {
		for _, x := range slices.Backward(facts) {
			if g, ok := x.(peer.Found); ok && g.Peer == o.id() && g.Name == name && g.Account == o.account() {
				f = g
				return true
			}
		}
		return false
	})
	return f
}

func TestPeopleNearbyFindEachOtherAndMeet(t *testing.T) {
	t.Parallel()
	if !inLab(t) {
		return
	}
	start := time.Now()
	a := idle(t, newSelf(t), peer.Services{MDNS: true, NearbyName: "Alice"})
	b := idle(t, newSelf(t), peer.Services{MDNS: true, NearbyName: "Bob"})
	hidden := idle(t, newSelf(t), peer.Services{MDNS: true})
	a.run(t)
	b.run(t)
	hidden.run(t)
	atB := a.found(t, b, "Bob", 5*time.Second)
	b.found(t, a, "Alice", 5*time.Second)
	t.Logf("found each other after %v", time.Since(start).Round(time.Millisecond))
	if len(atB.Addresses) == 0 {
		t.Fatal("found without an address")
	}
	// What Nearby gave is enough for a handshake: the device is not known yet.
	a.node.SetPeers([]peer.Known{{Account: atB.Account, Peer: atB.Peer, Class: peer.Invited, Addresses: atB.Addresses}})
	a.reached(t, b, peer.Local)
	talk(t, a, b)
	for _, p := range []*person{a, b} {
		p.mu.Lock()
		for _, x := range p.facts {
			if f, ok := x.(peer.Found); ok && f.Peer == hidden.id() {
				t.Errorf("somebody who hides was found as %q", f.Name)
			}
		}
		p.mu.Unlock()
	}
	// Who steps out of hiding is found without anybody starting anew.
	if err := hidden.node.SetServices(peer.Services{MDNS: true, NearbyName: "Carol"}); err != nil {
		t.Fatal(err)
	}
	a.found(t, hidden, "Carol", 40*time.Second)
}

// TestContactsOnTheSameNetworkNeedNoAddress knows each other by name only, as after both have moved.
func TestContactsOnTheSameNetworkNeedNoAddress(t *testing.T) {
	t.Parallel()
	if !inLab(t) {
		return
	}
	a, b := idle(t, newSelf(t), peer.Services{MDNS: true}), idle(t, newSelf(t), peer.Services{MDNS: true})
	a.run(t)
	b.run(t)
	a.node.SetPeers([]peer.Known{{Account: b.account(), Device: b.device(), Peer: b.id(), Class: peer.Contact}})
	b.node.SetPeers([]peer.Known{{Account: a.account(), Device: a.device(), Peer: a.id(), Class: peer.Contact}})
	start := time.Now()
	a.reached(t, b, peer.Local)
	b.reached(t, a, peer.Local)
	t.Logf("a link after %v", time.Since(start).Round(time.Millisecond))
	talk(t, a, b)
}

// TestNetworkThatGoesAndComesIsToldAndUsed has a network only while the loopback is one.
func TestNetworkThatGoesAndComesIsToldAndUsed(t *testing.T) {
	t.Parallel()
	if !inLab(t) {
		return
	}
	a, b := idle(t, newSelf(t), peer.Services{MDNS: true}), idle(t, newSelf(t), peer.Services{MDNS: true})
	listening := func(some bool) func([]peer.Fact) bool {
		return func(facts []peer.Fact) bool {
			l, ok := last[peer.Listening](facts)
			return ok && (len(l.Addresses) > 0) == some
		}
	}
	if err := setLoopback(unix.IFF_UP); err != nil { // a machine without a network
		t.Fatal(err)
	}
	a.run(t)
	b.run(t)
	a.eventually(t, 10*time.Second, "listening nowhere", listening(false))
	far := peer.Known{Account: b.account(), Device: b.device(), Peer: b.id(), Class: peer.Contact, Addresses: []string{"/ip4/192.0.2.1/tcp/1"}}
	a.node.SetPeers([]peer.Known{far})
	b.node.SetPeers([]peer.Known{{Account: a.account(), Device: a.device(), Peer: a.id(), Class: peer.Contact}})
	a.tried(t, b.id(), peer.CauseOffline)
	if err := setLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
		t.Fatal(err)
	}
	a.eventually(t, 10*time.Second, "listening somewhere", listening(true))
	a.reached(t, b, peer.Local)
	talk(t, a, b)
}
