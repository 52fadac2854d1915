package ratchet

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/cryptotest"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

var (
	seeds = flag.Int("seeds", 500, "how many simulations to run")
	seed0 = flag.Uint64("seed", 1, "the first of them")
)

// simulation is two callers and a network that loses, doubles, damages and reorders. One seed gives one run, to the byte.
type simulation struct {
	t       *testing.T
	rnd     *rand.Rand
	callers [2]*caller
	bag     []frame // under way, in no order
	threads map[[16]byte]*thread
	mail    bool // no link until the end: no receipts
	calm    bool // no more faults
	faults  int  // losses of state and damaged sessions
	seen    *seen
}

// seen counts over all seeds what a run is meant to meet, so that a simulation of nothing shows.
type seen struct {
	sessions, glares, losses, damaged, resets, olds, parked, buried, rotations, failedSteps int
}

// frame is an INIT, a message or a receipt, or SELF.
type frame struct {
	to     *caller
	ctl    []byte
	bundle *identity.Bundle
}

// thread is what a session was given, and what came out at the other end.
type thread struct {
	sent, opened [2][][]byte // by direction
	accepted     int
	spoiled      bool // a side lost its state, or had it damaged
}

func newSimulation(t *testing.T, d [3]*device, seed uint64, all *seen) *simulation {
	cryptotest.SetGlobalRandom(t, seed)
	m := &simulation{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), threads: map[[16]byte]*thread{}, seen: all}
	m.mail = m.chance(30)
	for i := range m.callers {
		m.callers[i] = &caller{sim: m, dev: d[i], dir: fmt.Sprint("device ", i)}
		m.callers[i].start(1)
	}
	return m
}

func (m *simulation) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *simulation) chance(percent int) bool { return m.rnd.IntN(100) < percent }

func (m *simulation) peer(c *caller) *caller {
	if c == m.callers[0] {
		return m.callers[1]
	}
	return m.callers[0]
}

func (m *simulation) mailOnly() bool { return m.mail && !m.calm }

// transactionFails makes a caller throw a step away, as after a crash or on a full disk.
func (m *simulation) transactionFails() bool {
	if m.calm || !m.chance(8) {
		return false
	}
	m.seen.failedSteps++
	return true
}

// stored is what the store gives back, now and then after a restart.
func (m *simulation) stored(s *Session) *Session {
	if s.top-s.used > window {
		m.t.Fatalf("%d own keys", s.top-s.used+1)
	}
	if !m.chance(20) {
		return s
	}
	again, err := Parse(s.Marshal())
	m.must(err)
	return again
}

// send puts a frame under way; now and then the sender crashes just before, and only retries will send it.
func (m *simulation) send(to *caller, f frame) {
	if !m.calm && m.chance(10) {
		return
	}
	f.to = to
	m.bag = append(m.bag, f)
}

// began notes a session; one begun with a peer that has lost its state meanwhile comes to nothing.
func (m *simulation) began(sid [16]byte, stale bool) {
	m.threads[sid] = &thread{spoiled: stale}
	m.seen.sessions++
}

func (m *simulation) accepted(sid [16]byte, records []byte) {
	th := m.threads[sid]
	if th.accepted++; th.accepted > 1 && !th.spoiled {
		m.t.Fatal("an INIT was accepted twice")
	}
	if !bytes.Equal(records, record(recordText, []byte("init"))) {
		m.t.Fatal("an INIT says something else")
	}
}

func (m *simulation) sealed(sid [16]byte, dir uint8, i uint64, records []byte) {
	th := m.threads[sid]
	if i != uint64(len(th.sent[dir])) && !th.spoiled {
		m.t.Fatalf("number %d was given to message %d", i, len(th.sent[dir]))
	}
	th.sent[dir] = append(th.sent[dir], records)
}

// opened checks that what comes out is what went in, in order, each once.
func (m *simulation) opened(sid [16]byte, dir uint8, o *Opened) {
	th := m.threads[sid]
	k := len(th.opened[dir])
	if o.Num != uint64(k) || k >= len(th.sent[dir]) {
		m.t.Fatalf("message %d was opened where %d was due", o.Num, k)
	}
	want := th.sent[dir][k]
	if !bytes.HasPrefix(o.Records, want) || len(bytes.Trim(o.Records[len(want):], "\x00")) != 0 {
		m.t.Fatalf("message %d says something else", k)
	}
	if o.Ack > uint64(len(th.sent[1-dir])) {
		m.t.Fatalf("message %d acknowledges %d of %d", k, o.Ack, len(th.sent[1-dir]))
	}
	th.opened[dir] = append(th.opened[dir], o.Records)
}

// deliver takes one frame out of the bag, any one, and does to it what networks do.
func (m *simulation) deliver() {
	if len(m.bag) == 0 {
		return
	}
	k := m.rnd.IntN(len(m.bag))
	f := m.bag[k]
	if !m.calm {
		switch {
		case m.chance(12): // comes again
			f.to.receive(f)
			return
		case m.chance(3) && len(f.ctl) > ReceiptSize: // damaged on the way, and then whole
			f.ctl = bytes.Clone(f.ctl)
			f.ctl[m.rnd.IntN(len(f.ctl))] ^= 1 << m.rnd.IntN(8)
			f.to.receive(f)
			return
		}
	}
	m.bag[k] = m.bag[len(m.bag)-1]
	m.bag = m.bag[:len(m.bag)-1]
	if !m.calm && m.chance(15) {
		return // lost
	}
	f.to.receive(f)
}

// loseState restores a device from its words: a later incarnation that knows nothing.
func (m *simulation) loseState(c *caller) {
	for _, th := range m.threads {
		th.spoiled = true
	}
	m.faults++
	m.seen.losses++
	c.start(c.db.inc + 1)
}

// damage spoils a chain key of one session, as a bug or a bad disk might.
func (m *simulation) damage(c *caller) {
	if len(c.db.sessions) == 0 {
		return
	}
	h := c.db.sessions[m.rnd.IntN(len(c.db.sessions))]
	s := *h.s
	chain := &s.send
	if m.chance(50) {
		chain = &s.receive
	}
	binary.BigEndian.PutUint64(chain[:], m.rnd.Uint64())
	h.s = &s
	m.faults++
	m.seen.damaged++
	m.threads[s.ID()].spoiled = true
}

// live runs one random step.
func (m *simulation) live(step int) {
	c := m.callers[m.rnd.IntN(2)]
	switch x := m.rnd.IntN(100); {
	case x < 28:
		c.say(fmt.Sprint("text ", step))
	case x < 80:
		m.deliver()
	case x < 88:
		c.retry()
	case x < 95:
		c.sendSelf()
	case x < 97:
		c.rotate()
		m.seen.rotations++
	case x < 98 && m.faults < 3:
		m.loseState(c)
	case x < 99 && m.faults < 3:
		m.damage(c)
	}
}

// settle lets everything arrive and be tried again, until nothing is owed.
func (m *simulation) settle() {
	m.calm = true
	for range 30 {
		for _, c := range m.callers {
			c.retry()
			c.sendSelf()
		}
		for n := 0; len(m.bag) > 0; n++ {
			if n > 5000 {
				m.t.Fatal("the callers never stop talking")
			}
			m.deliver()
		}
		if m.quiet() {
			return
		}
	}
	m.t.Fatal("something is still owed after 30 rounds")
}

// quiet says whether all that was sealed is acknowledged, but on sessions with a spoiled side.
func (m *simulation) quiet() bool {
	for _, c := range m.callers {
		if top := c.current(); top == nil || m.threads[top.s.ID()].spoiled {
			return false
		}
		for _, h := range c.db.sessions {
			if !m.threads[h.s.ID()].spoiled && (h.init != nil || len(h.out) > 0) {
				return false
			}
		}
	}
	return true
}

// check holds a finished run against the claims of the protocol.
func (m *simulation) check() {
	a, b := m.callers[0].current(), m.callers[1].current()
	if a.s.ID() != b.s.ID() {
		m.t.Fatalf("two sessions to send on: %x and %x", a.s.ID(), b.s.ID())
	}
	if a.s.Sent() != b.s.Received() || b.s.Sent() != a.s.Received() {
		m.t.Fatalf("the common session stands at %d/%d and %d/%d", a.s.Sent(), a.s.Received(), b.s.Sent(), b.s.Received())
	}
	for sid, th := range m.threads {
		for dir := range th.sent {
			if !th.spoiled && len(th.opened[dir]) != len(th.sent[dir]) {
				m.t.Errorf("session %x, direction %d: %d of %d opened", sid[:4], dir, len(th.opened[dir]), len(th.sent[dir]))
			}
		}
	}
	for _, c := range m.callers {
		if m.faults == 0 && len(c.db.sessions) != 1 {
			m.t.Errorf("%s holds %d sessions", c.dir, len(c.db.sessions))
		}
	}
}

func (m *simulation) run() {
	for step := range 40 {
		m.live(step)
	}
	for round := range 3 { // the last ones say CLOSE, and are heard
		m.calm = true
		for _, c := range m.callers {
			c.sendSelf()
		}
		for n := 0; len(m.bag) > 0 && n < 5000; n++ {
			m.deliver()
		}
		for _, c := range m.callers {
			c.say(fmt.Sprint("last ", round))
		}
		m.settle()
	}
	m.check()
}

// TestSessionsSurviveTheNetwork runs seeded simulations: always in order, nothing lost in a surviving session, one
// common session in the end, at most 9 own keys. Replay one with -seed N -seeds 1.
func TestSessionsSurviveTheNetwork(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 0)
	d := threeDevices()
	var all seen
	for k := range uint64(*seeds) {
		seed := *seed0 + k
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { newSimulation(t, d, seed, &all).run() })
		if !ok {
			t.Fatalf("replay with -run SessionsSurvive -seed %d -seeds 1", seed)
		}
	}
	t.Logf("%d seeds: %+v", *seeds, all)
	if least := min(all.glares, all.losses, all.damaged, all.resets, all.olds, all.parked, all.buried, all.rotations, all.failedSteps); *seeds >= 100 && least == 0 {
		t.Errorf("something was never met: %+v", all)
	}
}
