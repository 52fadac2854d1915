package app

import (
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// forger makes segments with somebody's own keys, past their messenger and all that it takes care of: a malicious member.
type forger struct {
	who   *citizen
	room  RoomID
	key   *composite.PrivateKey
	log   segment.ID
	chain group.Chain
	k     uint64
	first uint64
	prev  []byte // header
	past  *segment.Tree
	deps  []segment.Dep
}

// newForger begins a new log.
func newForger(p *citizen, room RoomID) *forger {
	key, err := composite.GenerateKey()
	p.town.must(err)
	chain, err := group.NewChain(0)
	p.town.must(err)
	return &forger{who: p, room: room, key: key, log: segment.LogID(room, key.Public()), chain: chain, past: &segment.Tree{}}
}

// forgerOf goes on where somebody's own log ends, with its keys.
func forgerOf(p *citizen, room RoomID) *forger {
	p.town.t.Helper()
	f := &forger{who: p, room: room}
	p.view(func(r *store.Reader) error {
		row, _, err := r.Room(room)
		p.town.must(err)
		l, found, err := r.OwnLog(row.Row)
		p.town.must(err)
		if !found {
			p.town.t.Fatalf("%s has no log", p.name)
		}
		f.key, err = composite.NewPrivateKey(l.Seed)
		p.town.must(err)
		f.log, f.k, f.first = l.ID, uint64(l.HeadK+1), uint64(l.Size)
		head, _, err := r.Segment(l.Row, l.HeadK)
		p.town.must(err)
		f.prev = head.Header
		f.past, err = segment.ParseTree(l.Edge)
		p.town.must(err)
		c, _, err := r.NewestChain(l.Row)
		f.chain = group.Chain{Generation: c.Generation, Next: c.Next, Key: c.Key}
		return err
	})
	return f
}

// certificate is that of the log, which names the forger's device.
func (f *forger) certificate() []byte {
	me := f.who.svc.me
	cert, err := segment.SignLogCertificate(me.device.Key, f.key, segment.LogCertificate{Device: me.deviceID(), Room: f.room})
	f.who.town.must(err)
	return cert.Raw
}

// entry seals a record with the next key of the chain.
func (f *forger) entry(r wire.Record) []byte {
	next, mk, err := f.chain.Step()
	f.who.town.must(err)
	f.chain = next
	raw, _, err := group.Seal(mk, f.room, f.log, wire.EntryMessage, wire.MarshalRecords([]wire.Record{r}))
	f.who.town.must(err)
	return raw
}

func textRecord(text string) wire.Record {
	body := wire.Text{Body: text}
	return wire.Record{Kind: wire.ItemText, Body: body.Marshal()}
}

// segment makes the next segment, of texts. The number is for the reader: it must be the next.
func (f *forger) segment(k uint64, texts ...string) *segment.Segment {
	f.who.town.t.Helper()
	if k != f.k {
		f.who.town.t.Fatalf("the next segment is %d, not %d", f.k, k)
	}
	var raws [][]byte
	for _, text := range texts {
		raws = append(raws, f.entry(textRecord(text)))
	}
	return f.build(raws...)
}

// build signs the next segment of given entries.
func (f *forger) build(raws ...[]byte) *segment.Segment {
	f.who.town.t.Helper()
	p := segment.BuildParams{
		Key: f.key, Room: f.room, Log: f.log, K: f.k, First: f.first, Past: f.past, Deps: f.deps, Entries: raws,
		Millis: uint64(f.who.svc.ms()),
	}
	if f.prev != nil {
		p.Prev = segment.Digest(f.prev)
	}
	s, err := segment.Build(p)
	f.who.town.must(err)
	f.k, f.first, f.prev, f.past = f.k+1, f.first+uint64(len(raws)), s.RawHeader, f.past.Append(s.RawHeader)
	return s
}

// deliver is the frame that brings a segment.
func (f *forger) deliver(s *segment.Segment) []byte {
	return wire.Deliver{Room: f.room, Segment: s.Marshal()}.Marshal()
}

// chainRecord tells the chain as it is before the given index was reached.
func (f *forger) chainRecord(c group.Chain) wire.Record {
	record := wire.Chain{
		Room: f.room, Log: f.log, Generation: c.Generation, Index: c.Next, Key: c.Key, Cause: wire.CauseFirst, LogCertificate: f.certificate(),
	}
	return wire.Record{Kind: wire.RecordChain, Body: record.Marshal()}
}

// answerOf reads the reply to a DELIVER.
func (w *town) answerOf(reply []byte, err error) wire.Answer {
	w.t.Helper()
	w.must(err)
	a, err := wire.ParseAnswer(reply)
	w.must(err)
	return a
}

// initTo makes an INIT of p to o with any records, past p's messenger.
func (p *citizen) initTo(o *citizen, records []wire.Record) []byte {
	p.town.t.Helper()
	_, init := p.sessionTo(o, 1, records)
	return init
}

func (p *citizen) sessionTo(o *citizen, attempt uint32, records []wire.Record) (*ratchet.Session, []byte) {
	p.town.t.Helper()
	me, them := p.svc.me, o.svc.me
	s, init, err := ratchet.Initiate(ratchet.InitConfig{
		Self: me.device, Account: me.key, Inc: me.incarnation(), Peer: them.device.Certificate, Bundle: them.bundle, Attempt: attempt,
		Records: wire.MarshalRecords(records),
	})
	p.town.must(err)
	return s, init
}

// tell has p say records to o on the session that they have, with p's own keys.
func (p *citizen) tell(o *citizen, records ...wire.Record) {
	p.town.t.Helper()
	d := p.deviceOf(o)
	p.update(func(tx *store.Tx) error { return p.svc.sessions.queue(tx, d, records...) })
	p.town.run()
}
