package app

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// stage is a town in which bob is sent anything by everybody: a contact, somebody who asks him, a stranger, somebody whom he
// blocked.
type stage struct {
	*town
	bob     *citizen
	senders []*citizen
	frames  []call // that went to bob
	disk    map[string][]byte
	seen    string
	writes  int // to bob's disk since it was set to 0
}

// The senders of a stage.
const (
	byContact = iota
	byAsker
	byStranger
	byBlocked
)

func newStage(t testing.TB) *stage {
	w := newTown(t, "ann", "bob", "dan", "sue", "zoe")
	a, b, d, sue, z := w.all[0], w.all[1], w.all[2], w.all[3], w.all[4]
	for _, p := range w.all {
		w.must(p.svc.Owner.SetReadReceipts(t.Context(), true))
	}
	w.befriend(z, b)
	w.befriend(a, b)
	d.ask(b, "let me in")
	w.link(d, b)
	w.run()
	for _, text := range []string{"one", "two", "three"} {
		a.say(b, text)
		w.run()
		b.say(a, "heard "+text)
		w.leap(11 * time.Minute)
	}
	w.must(b.svc.People.Block(t.Context(), z.id))
	w.run()
	log := a.logsOf(b, true)[0]
	s := &stage{town: w, bob: b, senders: []*citizen{a, d, sue, z}}
	s.frames = append(s.frames,
		call{kind: peer.Fetch, body: wire.Fetch{Room: a.room(b), Log: log.ID, From: 0, To: 2}.Marshal()},
		call{kind: peer.KeyReq, body: wire.KeyRequest{Keys: &wire.KeyReq{Log: log.ID, Ranges: []wire.Range{{First: 0, Count: 4}}}}.Marshal()},
		call{kind: peer.KeyReq, body: wire.KeyRequest{Gate: &wire.GateReq{Room: a.room(b), Tag: b.gateTag(a.room(b))}}.Marshal()},
		call{kind: peer.Control, body: a.initTo(b, []wire.Record{cardRecord(a.svc.me)})},
	)
	for _, c := range w.calls {
		if c.to == b {
			s.frames = append(s.frames, c)
		}
	}
	for p := range b.links {
		w.cut(b, p)
	}
	s.disk = b.halt()
	s.restore()
	return s
}

// restore makes bob what he was in the beginning.
func (s *stage) restore() {
	if s.bob.svc != nil {
		s.must(s.bob.svc.Close())
		s.bob.svc = nil
	}
	s.bob.putBack(s.disk)
	s.bob.start()
	s.seen = s.visible()
	s.bob.disk.Trace(func(e crashfs.Event) {
		if e.Op == crashfs.Write {
			s.writes++
		}
	})
}

// visible is what bob can see: what was said, by whom, who they are to him, and which devices he himself has.
func (s *stage) visible() string {
	b := s.bob
	contacts, err := b.svc.People.Contacts(s.t.Context())
	s.must(err)
	requests, err := b.svc.People.Requests(s.t.Context())
	s.must(err)
	var all []any
	for _, c := range contacts {
		all = append(all, c.Account, c.State, c.Verified)
	}
	for _, q := range requests {
		all = append(all, q.Account, q.Text, q.Token)
	}
	return fmt.Sprint(all, b.thread(s.senders[byContact]), b.thread(s.senders[byBlocked]), b.svc.Self().List, b.svc.me.incarnation())
}

// frame is the body of one, nothing beyond the last.
func (s *stage) frame(i uint16) []byte {
	if int(i) >= len(s.frames) {
		return nil
	}
	return s.frames[i].body
}

// edited is something with some bytes replaced by others.
func edited(body []byte, at, cut uint16, put []byte) []byte {
	from := min(int(at), len(body))
	return slices.Concat(body[:from], put, body[min(from+int(cut), len(body)):])
}

// wellFormed says whether a body is one that some Marshal makes. What is not must change nothing, whoever sends it.
func wellFormed(k peer.Kind, body []byte) bool {
	var err error
	switch k {
	case peer.Deliver:
		var d wire.Deliver
		if d, err = wire.ParseDeliver(body); err == nil {
			_, err = segment.Parse(d.Segment)
		}
	case peer.Have:
		_, err = wire.ParseHaves(body)
	case peer.Sync:
		_, err = wire.ParseSync(body)
	case peer.Fetch:
		_, err = wire.ParseFetch(body)
	case peer.KeyReq:
		_, err = wire.ParseKeyRequest(body)
	case peer.Control:
		_, receipt := ratchet.ParseReceipt(body)
		_, err = ratchet.ParseHead(body)
		return ratchet.IsInit(body) || receipt == nil || err == nil
	case peer.SelfInfo, peer.Typing, peer.Hint: // whatever is in it, it is not looked at
	default:
		return false
	}
	return err == nil
}

// turnedDown reports whether a reply says no to a segment, which is said before it is looked who brings it.
func turnedDown(reply []byte) bool {
	a, err := wire.ParseAnswer(reply)
	return err == nil && a.Code == wire.AnswerRefused
}

// FuzzHandleFrame has bob's messenger answer edited frames of a real conversation, and anything else, from everybody. Nothing may
// panic, answer beyond a frame, write because of what is malformed or comes from somebody who has no say, or show bob anything
// that nobody said.
func FuzzHandleFrame(f *testing.F) {
	s := newStage(f)
	for i, c := range s.frames {
		for who := range s.senders {
			f.Add(uint8(who), uint8(c.kind), uint16(i), uint16(0), uint16(0), []byte{})
		}
		f.Add(uint8(byContact), uint8(c.kind), uint16(i), uint16(len(c.body)-1), uint16(1), []byte{0xff})
		f.Add(uint8(byContact), uint8(c.kind), uint16(i), uint16(len(c.body)/2), uint16(0xffff), []byte{})
	}
	for k := range 20 {
		f.Add(uint8(byContact), uint8(k), uint16(0xffff), uint16(0), uint16(0), []byte("nonsense"))
	}
	f.Fuzz(func(t *testing.T, who, kind uint8, frame, at, cut uint16, put []byte) {
		s.t = t
		defer func() { s.t = f }()
		k, body := peer.Kind(kind), edited(s.frame(frame), at, cut, put)
		s.writes = 0
		from := int(who) % len(s.senders)
		reply, err := s.senders[from].send(s.bob, k, body)
		if err != nil && !errors.Is(err, peer.ErrRefused) && !errors.Is(err, peer.ErrLater) {
			t.Errorf("%v: %v", k, err)
		}
		if len(reply) > wire.MaxBody || err != nil && len(reply) > 0 {
			t.Errorf("%v is answered with %d bytes, %v", k, len(reply), err)
		}
		if from == byBlocked && k != peer.Typing && k != peer.Hint && !errors.Is(err, peer.ErrRefused) && !turnedDown(reply) {
			t.Errorf("%v of somebody who is blocked is answered %x, %v", k, reply, err)
		}
		if s.writes == 0 {
			return
		}
		switch { // it wrote
		case err != nil:
			t.Errorf("%v, refused, wrote: %v", k, err)
		case !wellFormed(k, body):
			t.Errorf("%v, malformed, wrote", k)
		case from == byStranger || from == byBlocked:
			t.Errorf("%v of somebody who has no say wrote", k)
		case k != peer.Deliver && k != peer.Have && k != peer.Sync && k != peer.Control:
			t.Errorf("%v wrote", k)
		}
		if now := s.visible(); now != s.seen {
			t.Errorf("%v showed bob\n%s\ninstead of\n%s", k, now, s.seen)
		}
		s.restore()
	})
}

// records are what ann says truly in sessions and in entries.
func (s *stage) records() []wire.Record {
	a, b := s.senders[byContact], s.bob
	f := forgerOf(a, a.room(b))
	self, hello, gate := a.svc.me.self(), wire.Hello{Name: "ann", Token: make([]byte, 16)}, wire.Gate{Room: f.room, Secret: [32]byte{1}}
	keys := wire.Keys{Log: f.log, Keys: []wire.IndexedKey{{Index: 0, PRK: [32]byte{1}}, {Index: 99, PRK: [32]byte{2}}}}
	closing := wire.Close{SID: [16]byte(b.sessionsWith(a)[0].SID), NS: 1}
	open := wire.Open{
		Genesis: wire.DirectGenesis(a.id, b.id).Marshal(), LogCertificate: f.certificate(), DeviceCertificate: a.svc.me.device.Certificate.Raw,
		AccountKey: a.svc.me.key.Bytes(),
	}
	return []wire.Record{
		{Kind: wire.RecordSelf, Body: self.Marshal()},
		{Kind: wire.RecordHello, Body: hello.Marshal()},
		{Kind: wire.RecordGate, Body: gate.Marshal()},
		{Kind: wire.RecordKeys, Body: keys.Marshal()},
		{Kind: wire.RecordClose, Body: closing.Marshal()},
		cardRecord(a.svc.me),
		f.chainRecord(f.chain),
		newForger(a, f.room).chainRecord(f.chain),
		{Kind: wire.ItemOpen, Body: open.Marshal()},
		textRecord("hello"),
	}
}

// FuzzTakeRecords has bob take what a contact says with good signatures and under the right keys, and yet malformed: in sessions,
// and in entries of a log. Whatever it is, the session and the log must go on behind it.
func FuzzTakeRecords(f *testing.F) {
	s := newStage(f)
	a, b := s.senders[byContact], s.bob
	records := s.records()
	for i, r := range records {
		for _, entry := range []bool{false, true} {
			f.Add(entry, r.Kind, uint8(i), uint16(0), uint16(0), []byte{})
			f.Add(entry, r.Kind, uint8(i), uint16(len(r.Body)-1), uint16(1), []byte{0xff})
			f.Add(entry, r.Kind, uint8(i), uint16(len(r.Body)/2), uint16(0xffff), []byte{})
		}
	}
	own := fmt.Sprint(b.svc.Self().List, b.svc.me.incarnation())
	f.Fuzz(func(t *testing.T, entry bool, kind, pick uint8, at, cut uint16, put []byte) {
		s.t = t
		defer func() { s.t = f }()
		if len(put) > 8<<10 {
			put = put[:8<<10]
		}
		r := wire.Record{Kind: max(1, kind), Body: edited(records[int(pick)%len(records)].Body, at, cut, put)}
		if entry {
			g := forgerOf(a, a.room(b))
			for _, raw := range []*segment.Segment{g.build(g.entry(r)), g.segment(g.k, "behind it")} {
				got := s.answerOf(a.send(b, peer.Deliver, g.deliver(raw)))
				if got.Code != wire.AnswerHave || got.Have.Opened != raw.Header.Next() {
					t.Errorf("the segment is answered %+v", got)
				}
			}
			if all := b.thread(a); all[len(all)-1] != "behind it" {
				t.Errorf("bob sees %q", all)
			}
		} else {
			d := b.deviceOf(a)
			b.update(func(tx *store.Tx) error { return b.svc.herald.apply(tx, d, []wire.Record{r}) })
			if now := s.visible(); now != s.seen {
				t.Errorf("bob sees\n%s\ninstead of\n%s", now, s.seen)
			}
		}
		if now := fmt.Sprint(b.svc.Self().List, b.svc.me.incarnation()); now != own {
			t.Errorf("bob himself is %s, was %s", now, own)
		}
		s.restore()
	})
}
