package p2p

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	corepeer "github.com/libp2p/go-libp2p/core/peer"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Other processes in these tests are this test binary started again, to be killed, or to have ML-KEM switched off, which
// crypto/tls does for a whole process. A child prints one line and does what it is told by others; the end of its input ends it.
const childEnv = "CRYPTEXQ_TEST_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "node":
		err = childNode(os.Getenv("CRYPTEXQ_TEST_LISTEN"))
	case "classical":
		err = childClassical()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is another process and how it is reached.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t testing.TB, role string, env ...string) *child {
	t.Helper()
	return startChildAs(t, nil, role, env...)
}

// startChildAs starts a child whose process has these attributes.
func startChildAs(t testing.TB, attr *syscall.SysProcAttr, role string, env ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.SysProcAttr = attr
	c.cmd.Env = append(append(os.Environ(), childEnv+"="+role), env...)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	c.out.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.cmd.Wait()
	})
	return c
}

// read reads the child's next line.
func (c *child) read(t testing.TB, into any) {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the child ended: %v", c.out.Err())
	}
	if err := json.Unmarshal(c.out.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// childClassical is a stock libp2p host.
func childClassical() error {
	h, err := libp2p.New(libp2p.ListenAddrStrings(loopback...), libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		return err
	}
	defer h.Close()
	if err := json.NewEncoder(os.Stdout).Encode(corepeer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var to corepeer.AddrInfo
		if err := json.Unmarshal(lines.Bytes(), &to); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = h.Connect(ctx, to) // whether it lasts, the other side knows
		cancel()
	}
	return nil
}

// childRow is what a child's node tells of itself.
type childRow struct {
	Account, Device, Peer []byte
	Addresses             []string
}

// known is how the one that the row is of is known to others.
func (r childRow) known() peer.Known {
	return peer.Known{
		Account: identity.AccountID(r.Account), Device: identity.DeviceID(r.Device), Peer: identity.PeerID(r.Peer),
		Class: peer.Contact, Addresses: r.Addresses,
	}
}

// childOrder is what a child's node is told: to know somebody, or to call them until they answer and to say how long it took.
type childOrder struct {
	Know childRow
	Call bool
}

// obey does what comes in, until its end.
func obey(n *Node, in io.Reader, out io.Writer) error {
	var known peer.Known
	orders := json.NewDecoder(in)
	for {
		var o childOrder
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !o.Call {
			known = o.Know.known()
			n.SetPeers([]peer.Known{known})
			continue
		}
		took, err := callUntilAnswered(n, known.Device, time.Minute)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(took); err != nil {
			return err
		}
	}
}

// callUntilAnswered calls a device, as a messenger does that has something for it, and returns how long that took.
func callUntilAnswered(n *Node, to identity.DeviceID, within time.Duration) (time.Duration, error) {
	start := time.Now()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_, err := n.Call(ctx, to, peer.Have, []byte("hello"))
		cancel()
		if err == nil {
			return time.Since(start), nil
		}
		if time.Since(start) > within {
			return 0, err
		}
		<-time.After(100 * time.Millisecond)
	}
}

// childNode is a node that takes everybody for a contact.
func childNode(listen string) error {
	account, err := composite.GenerateKey()
	if err != nil {
		return err
	}
	device, err := composite.GenerateKey()
	if err != nil {
		return err
	}
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil {
		return err
	}
	raw, err := key.Raw()
	if err != nil {
		return err
	}
	cert, err := identity.IssueCertificate(account, device, raw, identity.CertificateTemplate{Index: 1})
	if err != nil {
		return err
	}
	n, err := Open(Config{
		Self:     peer.Self{Account: account.Public(), Device: &identity.Device{Certificate: cert, Key: device}, Host: raw},
		Services: childServices(listen),
	})
	if err != nil {
		return err
	}
	p := &person{node: n, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, p) }()
	for told := false; !told; {
		p.mu.Lock()
		l, ok := last[peer.Listening](p.facts)
		changed := p.changed
		p.mu.Unlock()
		if told = ok && len(l.Addresses) > 0; told {
			id := cert.ID()
			err = json.NewEncoder(os.Stdout).Encode(childRow{cert.Account[:], id[:], cert.Peer[:], l.Addresses})
			break
		}
		select {
		case <-changed:
		case err := <-done:
			cancel()
			return err
		}
	}
	if err == nil {
		err = obey(n, os.Stdin, os.Stdout)
	}
	cancel()
	return errors.Join(<-done, err)
}

// childServices are those of a child that listens at some addresses, or, without any, everywhere, and is found on the LAN.
func childServices(listen string) peer.Services {
	if listen == "" {
		return peer.Services{MDNS: true}
	}
	return peer.Services{Listen: strings.Fields(listen)}
}

// TestKilledPeerIsNoticed kills a process while a link with it stands. Over TCP the kernel tells; over QUIC nobody does.
func TestKilledPeerIsNoticed(t *testing.T) {
	t.Parallel()
	for _, over := range loopback {
		t.Run(strings.Split(over, "/")[3], func(t *testing.T) {
			a := newPerson(t, over)
			c := startChild(t, "node", "CRYPTEXQ_TEST_LISTEN="+over)
			var told childRow
			c.read(t, &told)
			r := told.known()
			a.node.SetPeers([]peer.Known{r})
			path := func(want peer.Path) func([]peer.Fact) bool {
				return func(facts []peer.Fact) bool {
					f, ok := last[peer.PathChanged](facts)
					return ok && f.Device == r.Device && f.Path == want
				}
			}
			a.eventually(t, 10*time.Second, "a link", path(peer.Local))
			if err := c.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			a.eventually(t, 15*time.Second, "the end of the link", path(peer.None))
			took := time.Since(start)
			t.Logf("noticed after %v", took.Round(10*time.Millisecond))
			if took > 11*time.Second {
				t.Errorf("noticed after %v only", took)
			}
		})
	}
}

func TestClassicalHostIsRefusedAndCounted(t *testing.T) {
	t.Parallel()
	for _, over := range loopback {
		name := strings.Split(over, "/")[3]
		t.Run(name+" when we dial", func(t *testing.T) {
			a := newPerson(t, over)
			info := classical(t, over)
			id, _ := peerID(info.ID)
			a.node.SetPeers([]peer.Known{{Account: identity.AccountID{1}, Peer: id, Class: peer.Contact, Addresses: texts(info.Addrs)}})
			if at := a.tried(t, id, peer.CauseClassical); at.Addr == "" {
				t.Error("the attempt names no address")
			}
			a.refused(t, "classical")
		})
		t.Run(name+" when it dials", func(t *testing.T) {
			a := newPerson(t, over)
			c := startChild(t, "classical", "GODEBUG=tlsmlkem=0,tlssecpmlkem=0")
			var info corepeer.AddrInfo
			c.read(t, &info)
			h := a.node.at().host
			if err := json.NewEncoder(c.in).Encode(corepeer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err != nil {
				t.Fatal(err)
			}
			a.refused(t, "classical")
			if n := len(h.Network().ConnsToPeer(info.ID)); n != 0 {
				t.Errorf("%d connections with a classical host", n)
			}
		})
	}
}

// classical starts a stock host and returns how it is reached over one transport.
func classical(t testing.TB, over string) (info corepeer.AddrInfo) {
	t.Helper()
	startChild(t, "classical", "GODEBUG=tlsmlkem=0,tlssecpmlkem=0").read(t, &info)
	kept := info.Addrs[:0]
	for _, a := range info.Addrs {
		if strings.Split(a.String(), "/")[3] == strings.Split(over, "/")[3] && (strings.HasSuffix(a.String(), "/quic-v1") || strings.Contains(over, "tcp")) {
			kept = append(kept, a)
		}
	}
	info.Addrs = kept
	return info
}
