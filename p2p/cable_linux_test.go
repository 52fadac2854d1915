package p2p

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/netlab"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// office is a switch, ourselves at port 0, and another machine at port 1.
type office struct {
	*netlab.Switch
	us   *person
	them *child
	row  childRow // who they are
}

// inOffice runs the calling test where it has a network to itself, two people on it linked as contacts.
func inOffice(t *testing.T, ours, theirs string) *office {
	t.Helper()
	o := openOffice(t, ours, theirs)
	if o != nil {
		o.us.run(t)
	}
	return o
}

// openOffice is inOffice before we go to work.
func openOffice(t *testing.T, ours, theirs string) *office {
	t.Helper()
	if !netlab.Alone(t, syscall.CLONE_NEWNET) {
		return nil
	}
	o := &office{Switch: netlab.NewSwitch(t)}
	o.Plug(0, os.Getpid(), ours)
	o.them = startChildAs(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}, "node")
	o.Plug(1, o.them.cmd.Process.Pid, theirs)
	o.them.read(t, &o.row)
	o.us = idle(t, newSelf(t), peer.Services{MDNS: true})
	return o
}

// befriend makes the two contacts of each other. We know no address of theirs, or all.
func (o *office) befriend(t *testing.T, addresses bool) {
	t.Helper()
	account, device, id := o.us.account(), o.us.device(), o.us.id()
	us := childRow{Account: account[:], Device: device[:], Peer: id[:]}
	if !addresses {
		o.row.Addresses = nil
	} else {
		us.Addresses = o.us.addresses(t)
	}
	o.tell(t, childOrder{Know: us})
	o.us.node.SetPeers([]peer.Known{o.row.known()})
	o.us.eventually(t, 15*time.Second, "a link", o.path(peer.Local))
}

// path says whether the last change of path was to want.
func (o *office) path(want peer.Path) func([]peer.Fact) bool {
	return func(facts []peer.Fact) bool {
		f, ok := last[peer.PathChanged](facts)
		return ok && f.Device == identity.DeviceID(o.row.Device) && f.Path == want
	}
}

func (o *office) tell(t *testing.T, order childOrder) {
	t.Helper()
	if err := json.NewEncoder(o.them.in).Encode(order); err != nil {
		t.Fatal(err)
	}
}

// talk has both call each other at once, until they are answered, and returns how long that took each.
func (o *office) talk(t *testing.T, within time.Duration) (us, them time.Duration) {
	t.Helper()
	o.tell(t, childOrder{Call: true})
	us, err := callUntilAnswered(o.us.node, identity.DeviceID(o.row.Device), within)
	if err != nil {
		t.Fatalf("not within %v: %v", within, err)
	}
	o.them.read(t, &them)
	return us, them
}

const (
	// outage is long enough for every link to be given up.
	outage = 15 * time.Second

	// back is how soon messages must flow once the cable is back.
	back = 10 * time.Second
)

// outlives lets the network fail and come back while both sides have something to say, and asserts that they say it soon.
func (o *office) outlives(t *testing.T, fail, mend func(port int), port int) {
	t.Helper()
	o.befriend(t, true)
	o.talk(t, back)
	fail(port)
	over := time.After(outage)
	silence := time.Now()
	calls := make(chan error, 1)
	go func() {
		_, err := callUntilAnswered(o.us.node, identity.DeviceID(o.row.Device), time.Minute)
		calls <- err
	}()
	o.us.eventually(t, outage, "the end of the link", o.path(peer.None))
	t.Logf("the silence was noticed after %v", time.Since(silence).Round(time.Millisecond))
	<-over
	mend(port)
	us, them := o.talk(t, time.Minute)
	t.Logf("messages flow again %v and %v after the cable is back", us.Round(time.Millisecond), them.Round(time.Millisecond))
	if max(us, them) > back {
		t.Errorf("messages flow %v and %v after the cable is back, want within %v", us, them, back)
	}
	if err := <-calls; err != nil {
		t.Errorf("what was waiting when the cable was pulled never got through: %v", err)
	}
}

func TestOurCableIsPulledAndPutBack(t *testing.T) {
	t.Parallel()
	if o := inOffice(t, "10.77.0.1/24", "10.77.0.2/24"); o != nil {
		o.outlives(t, o.Pull, o.Push, 0)
	}
}

func TestTheirCableIsPulledAndPutBack(t *testing.T) {
	t.Parallel()
	if o := inOffice(t, "10.77.0.1/24", "10.77.0.2/24"); o != nil {
		o.outlives(t, o.Pull, o.Push, 1)
	}
}

// TestNetworkFailsWhereNobodySeesIt: between two switches, say. Nothing tells either side when it is over.
func TestNetworkFailsWhereNobodySeesIt(t *testing.T) {
	t.Parallel()
	if o := inOffice(t, "10.77.0.1/24", "10.77.0.2/24"); o != nil {
		o.outlives(t, o.Cut, o.Mend, 1)
	}
}

// TestWhoMovedIsTalkedToWhereTheyAreNow: we have said nothing and noticed nothing; they have another address and made
// another link. What we say then must not go to where they were.
func TestWhoMovedIsTalkedToWhereTheyAreNow(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "10.77.0.1/24", "10.77.0.2/24")
	if o == nil {
		return
	}
	o.us.node.lull = time.Nanosecond
	o.us.run(t)
	o.befriend(t, true)
	o.talk(t, back)
	link := func() *link.Link { return o.us.node.at().pool.Find(identity.DeviceID(o.row.Device)) }
	old := link()
	o.Pull(1)
	over := time.After(outage)
	<-over
	if link() != old {
		t.Fatal("the link was not idle")
	}
	o.Move(o.them.cmd.Process.Pid, "10.77.0.2/24", "10.77.0.3/24")
	o.Push(1)
	start := time.Now()
	end := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for l := old; l == old || l == nil; l = link() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("they never came back")
		}
	}
	t.Logf("they were back after %v", time.Since(start).Round(time.Millisecond))
	us, them := o.talk(t, time.Minute)
	t.Logf("messages took %v and %v over the new link", us, them)
	if max(us, them) > time.Second {
		t.Errorf("messages took %v and %v over a link that was made just now", us, them)
	}
}

// TestWeMoveAndAreBackSoon: nothing comes back to an address that we have no more, and nobody has to wait for it.
func TestWeMoveAndAreBackSoon(t *testing.T) {
	t.Parallel()
	o := inOffice(t, "10.77.0.1/24", "10.77.0.2/24")
	if o == nil {
		return
	}
	o.befriend(t, true)
	o.talk(t, back)
	start := time.Now()
	o.Move(os.Getpid(), "10.77.0.1/24", "10.77.0.9/24")
	o.us.eventually(t, back, "the end of the link", o.path(peer.None))
	noticed := time.Since(start)
	us, _ := o.talk(t, back)
	t.Logf("noticed after %v, back %v later", noticed.Round(time.Millisecond), us.Round(time.Millisecond))
	if noticed > 5*time.Second {
		t.Errorf("noticed after %v: interfaces are looked at every three seconds", noticed)
	}
	for _, c := range o.us.node.at().host.Network().Conns() {
		if strings.HasPrefix(c.LocalMultiaddr().String(), "/ip4/10.77.0.1/") {
			t.Errorf("a connection from %s", c.LocalMultiaddr())
		}
	}
}

// TestIPv6AloneIsEnough has no IPv4 at all, and nobody knows an address.
func TestIPv6AloneIsEnough(t *testing.T) {
	t.Parallel()
	o := inOffice(t, "fd77::1/64", "fd77::2/64")
	if o == nil {
		return
	}
	o.befriend(t, false)
	o.talk(t, back)
	for _, a := range o.us.addresses(t) {
		if !strings.HasPrefix(a, "/ip6/fd77::1/") {
			t.Errorf("listens at %s", a)
		}
	}
}
