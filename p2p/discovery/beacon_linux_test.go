package discovery

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const labEnv = "CRYPTEXQ_TEST_LAB"

// inLab runs the test that calls it in a network namespace of its own, whose only interface is a loopback with multicast on,
// and returns true there. What is said on the machine's real networks must not decide a test, nor hear of it.
func inLab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(labEnv) == t.Name() {
		if err := raiseLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
			t.Fatalf("setting up the loopback: %v", err)
		}
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
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
	}
	return false
}

// raiseLoopback sets the flags of lo, by the ioctl behind `ip link set lo up multicast on`.
func raiseLoopback(flags uint16) error {
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

// lit is a running beacon.
type lit struct {
	*Beacon
	id    identity.PeerID
	found chan Find
	stop  func()
}

func light(t *testing.T, n byte, listen func() []ma.Multiaddr) *lit {
	t.Helper()
	l := &lit{id: identity.PeerIDOf(slices.Repeat([]byte{n}, 32)), found: make(chan Find, 64)}
	l.Beacon = NewBeacon(BeaconConfig{
		Peer: l.id, Listen: listen, Refused: func(string) {},
		Found: func(f Find) {
			select {
			case l.found <- f:
			default:
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(l.stop)
	return l
}

// hears waits until l has heard of o, at these addresses.
func (l *lit) hears(t *testing.T, o *lit, within time.Duration, want ...string) {
	t.Helper()
	end := time.After(within)
	for {
		select {
		case f := <-l.found:
			if f.Peer == o.id && slices.Equal(f.Addresses, want) {
				return
			}
		case <-end:
			t.Fatalf("not found within %v", within)
		}
	}
}

func everywhere(port string) func() []ma.Multiaddr {
	return func() []ma.Multiaddr {
		a, _ := ma.NewMultiaddr("/ip4/0.0.0.0/tcp/" + port)
		return []ma.Multiaddr{a}
	}
}

func TestBeaconsFindEachOtherOnALoopbackAlone(t *testing.T) {
	if !inLab(t) {
		return
	}
	if n := Look(); !n.Online() || len(n.speaking()) != 1 {
		t.Fatalf("the laboratory has the interfaces %+v", n.Interfaces)
	}
	start := time.Now()
	a := light(t, 1, everywhere("4001"))
	b := light(t, 2, everywhere("4002"))
	a.hears(t, b, 5*time.Second, "/ip4/127.0.0.1/tcp/4002")
	b.hears(t, a, 5*time.Second, "/ip4/127.0.0.1/tcp/4001")
	t.Logf("found each other after %v", time.Since(start))
	select {
	case f := <-a.found:
		if f.Peer == a.id {
			t.Error("found itself")
		}
	default:
	}
}

func TestBeaconFindsALateComerAtOnce(t *testing.T) {
	if !inLab(t) {
		return
	}
	a := light(t, 1, everywhere("4001"))
	b := light(t, 2, everywhere("4002"))
	a.hears(t, b, 5*time.Second, "/ip4/127.0.0.1/tcp/4002")
	b.stop()
	c := light(t, 3, everywhere("4003"))
	a.hears(t, c, 3*time.Second, "/ip4/127.0.0.1/tcp/4003")
	c.hears(t, a, 3*time.Second, "/ip4/127.0.0.1/tcp/4001")
}

// TestBeaconComesBackWithTheNetwork starts without any network, which kills the libraries for ever.
func TestBeaconComesBackWithTheNetwork(t *testing.T) {
	if !inLab(t) {
		return
	}
	if err := raiseLoopback(0); err != nil {
		t.Fatal(err)
	}
	a, b := light(t, 1, everywhere("4001")), light(t, 2, everywhere("4002"))
	select {
	case f := <-a.found:
		t.Fatalf("found %v without a network", f)
	case <-time.After(500 * time.Millisecond):
	}
	for range 2 {
		if err := raiseLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
			t.Fatal(err)
		}
		a.hears(t, b, 3*lookEvery, "/ip4/127.0.0.1/tcp/4002")
		b.hears(t, a, 3*lookEvery, "/ip4/127.0.0.1/tcp/4001")
		if err := raiseLoopback(0); err != nil { // and again
			t.Fatal(err)
		}
		for len(a.found) > 0 {
			<-a.found
		}
		for len(b.found) > 0 {
			<-b.found
		}
	}
}
