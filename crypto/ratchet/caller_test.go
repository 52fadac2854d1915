package ratchet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// caller is one device as the messenger would drive it: the rules of the protocol that are not the package's. Everything
// in db is stored; a step that is not committed leaves no trace.
type caller struct {
	sim *simulation
	dev *device
	dir string // a name for failures
	db  db
}

// db is what a loss of state takes away.
type db struct {
	inc        uint64
	made       uint64
	bundles    map[[32]byte][]byte // seeds by digest; none expires here
	newest     *identity.Bundle
	peerInc    uint64 // pinned
	peerBundle *identity.Bundle
	attempts   uint32 // one above the highest known
	inits      map[[32]byte]bool
	sessions   []*held
	dead       map[[16]byte]uint64 // closed sessions and their nr, to answer receipts
	early      map[[16]byte]uint64 // CLOSE for sessions whose INIT is still under way
}

// held is one session with what the caller keeps beside it.
type held struct {
	s        *Session
	peerInc  uint64
	init     []byte // our own INIT, until a message of the session opens
	out      map[uint64][]byte
	parked   map[uint64][]byte
	closed   bool   // the peer said CLOSE
	end      uint64 // with its number
	saidOn   [16]byte
	failures int
}

// The records of the simulation, framed as on the wire: kind 1 | length 4 | bytes.
const (
	recordText  = 1
	recordClose = 8
)

func record(kind uint8, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(b))), b...)
}

func (c *caller) start(inc uint64) {
	c.db = db{inc: inc, bundles: map[[32]byte][]byte{}, inits: map[[32]byte]bool{}, dead: map[[16]byte]uint64{}, early: map[[16]byte]uint64{}}
	c.rotate()
}

// rotate makes the weekly prekey.
func (c *caller) rotate() {
	c.db.made++
	b, seed := c.dev.newBundle(c.db.inc, c.db.made)
	c.db.newest, c.db.bundles[b.Digest()] = b, seed
}

// prekey is what Accept and Open ask for seeds.
func (c *caller) prekey(digest [32]byte) ([]byte, bool) {
	seed, ok := c.db.bundles[digest]
	return bytes.Clone(seed), ok
}

func (c *caller) find(sid [16]byte) *held {
	for _, h := range c.db.sessions {
		if h.s.ID() == sid {
			return h
		}
	}
	return nil
}

// current is the session to send on: the highest rank.
func (c *caller) current() (top *held) {
	for _, h := range c.db.sessions {
		if top == nil || above(h.s, top.s) {
			top = h
		}
	}
	return top
}

func above(s, t *Session) bool {
	a, b := s.Rank(), t.Rank()
	return bytes.Compare(a[:], b[:]) > 0
}

// say sends a text on the current session and begins one where there is none with the peer as we know it.
func (c *caller) say(text string) {
	h := c.current()
	if h == nil || h.peerInc < c.db.peerInc {
		if !c.initiate() {
			return
		}
		h = c.current()
	}
	c.seal(h, record(recordText, []byte(text)))
}

// initiate begins a session with the newest bundle known, unless the session to send on was begun with it and has no
// answer yet.
func (c *caller) initiate() bool {
	b := c.db.peerBundle
	if b == nil || b.Inc < c.db.peerInc {
		c.sendSelf() // it answers with its own
		return false
	}
	if h := c.current(); h != nil && h.init != nil && h.peerInc == b.Inc {
		return false
	}
	peer := c.sim.peer(c)
	s, init, err := Initiate(InitConfig{
		Self: c.dev.self, Account: c.dev.account.Public(), Inc: c.db.inc, Peer: peer.dev.self.Certificate, Bundle: b,
		Attempt: c.db.attempts, Records: record(recordText, []byte("init")),
	})
	c.sim.must(err)
	if c.sim.transactionFails() {
		return false
	}
	c.db.attempts++
	c.db.sessions = append(c.db.sessions, &held{s: s, peerInc: b.Inc, init: init, out: map[uint64][]byte{}, parked: map[uint64][]byte{}})
	c.sim.began(s.ID(), b.Inc != peer.db.inc)
	c.sim.send(peer, frame{ctl: init})
	return true
}

// seal sends records on h, with CLOSE for all sessions that h replaces.
func (c *caller) seal(h *held, records []byte) {
	records, closing := c.withClose(h, records)
	next, msg, err := h.s.Seal(records)
	c.sim.must(err)
	if c.sim.transactionFails() {
		return
	}
	c.commitSealed(h, next, msg, records, closing)
}

func (c *caller) withClose(h *held, records []byte) ([]byte, []*held) {
	var closing []*held
	for _, o := range c.db.sessions {
		if o != h && above(o.s, h.s) {
			return records, nil // h is not the current one
		}
	}
	for _, o := range c.db.sessions {
		if o != h && o.saidOn != h.s.ID() {
			sid := o.s.ID()
			records = append(records, record(recordClose, binary.BigEndian.AppendUint64(sid[:], o.s.Sent()))...)
			closing = append(closing, o)
		}
	}
	return records, closing
}

func (c *caller) commitSealed(h *held, next *Session, msg, records []byte, closing []*held) {
	c.sim.sealed(h.s.ID(), h.s.Dir(), h.s.Sent(), records)
	h.out[h.s.Sent()] = msg
	h.s = c.sim.stored(next)
	for _, o := range closing {
		o.saidOn = next.ID()
	}
	c.bury()
	c.sim.send(c.sim.peer(c), frame{ctl: msg})
}

// retry sends everything again that nobody has acknowledged: the stored bytes.
func (c *caller) retry() {
	for _, h := range c.db.sessions {
		if h.init != nil && h.peerInc == c.db.peerInc {
			c.sim.send(c.sim.peer(c), frame{ctl: h.init})
		}
		for i := uint64(0); i < h.s.Sent(); i++ {
			if msg, ok := h.out[i]; ok {
				c.sim.send(c.sim.peer(c), frame{ctl: msg})
			}
		}
	}
}

func (c *caller) sendSelf() { c.sim.send(c.sim.peer(c), frame{bundle: c.db.newest}) }

// receipt goes over links only; who meets in mailboxes is acknowledged by the next message.
func (c *caller) receipt(sid [16]byte, nr uint64) {
	if c.sim.mailOnly() {
		return
	}
	c.sim.send(c.sim.peer(c), frame{ctl: Receipt{SID: sid, NR: nr}.Marshal()})
}

func (c *caller) receive(f frame) {
	switch {
	case f.bundle != nil:
		c.learn(f.bundle)
	case IsInit(f.ctl):
		c.accept(f.ctl)
	case len(f.ctl) == ReceiptSize:
		r, err := ParseReceipt(f.ctl)
		c.sim.must(err)
		if h := c.find(r.SID); h != nil {
			c.acknowledged(h, r.NR)
		}
	default:
		c.open(f.ctl)
	}
}

// learn takes SELF: a risen incarnation means that the peer has lost its sessions.
func (c *caller) learn(b *identity.Bundle) {
	if b.Inc < c.db.peerInc || (c.db.peerBundle != nil && b.Inc == c.db.peerBundle.Inc && b.Made <= c.db.peerBundle.Made) {
		return
	}
	risen := b.Inc > c.db.peerInc && len(c.db.sessions) > 0
	c.db.peerInc, c.db.peerBundle = b.Inc, b
	if risen {
		c.initiate()
	}
}

func (c *caller) accept(init []byte) {
	digest := sha256.Sum256(init)
	if c.db.inits[digest] {
		return
	}
	a, err := Accept(AcceptConfig{Self: c.dev.self, Inc: c.db.inc, Prekey: c.prekey}, init)
	if errors.Is(err, ErrKey) {
		c.sendSelf()
	}
	if err != nil || a.PeerInc < c.db.peerInc {
		return
	}
	if top := c.current(); top != nil && top.init != nil {
		c.sim.seen.glares++
	}
	h := &held{s: a.Session, peerInc: a.PeerInc, out: map[uint64][]byte{}, parked: map[uint64][]byte{}}
	h.end, h.closed = c.db.early[h.s.ID()]
	records, closing := c.withClose(h, record(recordText, []byte("welcome")))
	next, msg, err := h.s.Seal(records)
	c.sim.must(err)
	if c.sim.transactionFails() {
		return
	}
	c.db.inits[digest] = true
	c.db.peerInc = a.PeerInc
	c.db.attempts = max(c.db.attempts, a.Attempt+1)
	c.db.sessions = append(c.db.sessions, h)
	c.sim.accepted(h.s.ID(), a.Records)
	c.commitSealed(h, next, msg, records, closing)
}

func (c *caller) open(msg []byte) {
	head, err := ParseHead(msg)
	if err != nil {
		return // damaged on the way
	}
	h := c.find(head.SID)
	if h == nil {
		if nr, ok := c.db.dead[head.SID]; ok {
			c.receipt(head.SID, nr)
		} else {
			c.sendSelf()
		}
		return
	}
	switch o, err := h.s.Open(msg, c.prekey); {
	case err == nil:
		if !c.sim.transactionFails() {
			c.opened(h, o)
		}
	case errors.Is(err, ErrOld):
		c.sim.seen.olds++
		c.receipt(head.SID, h.s.Received())
	case errors.Is(err, ErrEarly):
		if len(h.parked) < 256 {
			h.parked[head.I] = msg
		}
		c.receipt(head.SID, h.s.Received())
	default:
		c.failed(h)
	}
}

// failed resets when the session to send on refuses for the third time; one that is outranked already needs no reset.
func (c *caller) failed(h *held) {
	c.receipt(h.s.ID(), h.s.Received())
	if h.failures++; h.failures >= 3 && h == c.current() {
		c.sim.seen.resets++
		h.failures, h.init = 0, nil // the peer has answered the INIT, if in vain
		c.initiate()
	}
}

func (c *caller) opened(h *held, o *Opened) {
	c.sim.opened(h.s.ID(), 1-h.s.Dir(), o)
	h.s, h.init, h.failures = c.sim.stored(o.Next), nil, 0
	c.acknowledged(h, o.Ack)
	for b := o.Records; len(b) >= 5 && b[0] != 0; {
		n := binary.BigEndian.Uint32(b[1:])
		if b[0] == recordClose {
			c.close([16]byte(b[5:21]), binary.BigEndian.Uint64(b[21:]))
		}
		b = b[5+n:]
	}
	c.bury()
	c.receipt(h.s.ID(), h.s.Received())
	if msg, ok := h.parked[h.s.Received()]; ok {
		delete(h.parked, h.s.Received())
		c.sim.seen.parked++
		c.open(msg)
	}
}

// close notes that the peer sends no more than end messages on a session, which may be one that its INIT has yet to bring.
func (c *caller) close(sid [16]byte, end uint64) {
	if h := c.find(sid); h != nil {
		h.closed, h.end = true, end
	} else if _, ok := c.db.dead[sid]; !ok {
		c.db.early[sid] = end
	}
}

func (c *caller) acknowledged(h *held, nr uint64) {
	for i := range h.out {
		if i < nr {
			delete(h.out, i)
		}
	}
	c.bury()
}

// bury drops the sessions on which nothing is missing any more in either direction; their numbers stay.
func (c *caller) bury() {
	top := c.current()
	var alive []*held
	for _, h := range c.db.sessions {
		if h != top && h.closed && h.s.Received() >= h.end && len(h.out) == 0 && h.saidOn == top.s.ID() {
			c.db.dead[h.s.ID()] = h.s.Received()
			c.sim.seen.buried++
			continue
		}
		alive = append(alive, h)
	}
	c.db.sessions = alive
}
