package app

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// courier brings one connected device everything it is owed: who we are, what compares our stores, session messages,
// segments in the order of their log, receipts, and requests for what is missing here. It is stepped: each step asks the
// store what is next and does that one thing, so that nothing is remembered which the store does not know.
type courier struct {
	*core
	net      Network
	links    *links
	dir      *directory
	sessions *sessions
	ledger   *ledger
	archive  *archive
	herald   *herald
	link     *link
}

const (
	syncEvery   = 300_000 // ms between two comparisons on a link that stays
	askAgain    = 60_000  // ms before a request that waits for a person is shown again
	laterPause  = 2_000
	fullPause   = 30_000
	controlStep = 16 // session messages sent in one step
	keyPause    = 2_000
)

// errIdle says that there is nothing to do for a device now.
var errIdle = errors.New("nothing to do")

// step does the next thing for the device. It returns when to look again, in ms, and whether something was done. An error
// means that the link did not carry it: the next step tries again.
func (c *courier) step(ctx context.Context) (done bool, next int64, err error) {
	next = c.ms() + syncEvery
	var d store.Device
	var a store.Account
	var known bool
	err = c.st.View(ctx, func(r *store.Reader) error {
		if d, known, err = r.Device(c.link.device); err != nil || !known {
			return err
		}
		a, _, err = r.AccountRow(d.Account)
		return err
	})
	if err != nil || !known || a.State == store.AccountBlocked || d.State == store.DeviceRevoked {
		return false, next, err
	}
	if !c.link.arrived { // only this courier touches it
		if err := c.st.Update(ctx, func(tx *store.Tx) error { return tx.HurryControl(d.Row, c.ms()) }); err != nil {
			return false, next, err
		}
		c.link.arrived = true
	}
	for _, do := range c.duties(a, d) {
		soon, err := do(ctx, a, d)
		if errors.Is(err, errIdle) {
			if soon > 0 {
				next = min(next, soon)
			}
			continue
		}
		return err == nil, next, err
	}
	return false, next, nil
}

// duty does one thing, or returns errIdle and when it wants to be asked again (ms, 0 for no matter).
type duty func(ctx context.Context, a store.Account, d store.Device) (soon int64, err error)

// duties lists what is done for somebody, in the order in which it is done.
func (c *courier) duties(a store.Account, d store.Device) []duty {
	switch {
	case a.State == store.AccountContact && d.Approved:
		return []duty{c.askSelf, c.beginSession, c.control, c.compare, c.deliver, c.confirm, c.askKeys, c.fetch}
	case a.State == store.AccountContact:
		return []duty{c.askSelf, c.control, c.compare, c.confirm, c.askKeys, c.fetch}
	case a.State == store.AccountAsked:
		return []duty{c.askSelf, c.beginSession, c.control, c.deliver, c.confirm}
	}
	return []duty{c.control}
}

// askSelf asks for list and prekey when they are unknown or behind.
func (c *courier) askSelf(ctx context.Context, a store.Account, d store.Device) (int64, error) {
	wants := false
	err := c.st.View(ctx, func(r *store.Reader) (err error) {
		if c.link.hello.Account == nil {
			return nil
		}
		wants, err = c.dir.wants(r, c.link.hello)
		return err
	})
	if err != nil || !wants {
		return 0, errors.Join(err, errUnless(wants || err != nil, errIdle))
	}
	return 0, c.refreshSelf(ctx)
}

func (c *courier) refreshSelf(ctx context.Context) error {
	reply, err := c.net.Call(ctx, c.link.device, peer.SelfInfo, nil)
	if err != nil {
		return err
	}
	o, err := wire.ParseSelfObject(reply)
	if err != nil {
		c.refuse(ctx, "self")
		return err
	}
	var stale bool
	err = c.st.Update(ctx, func(tx *store.Tx) error {
		a, _, err := c.dir.learn(tx, o)
		stale = err == nil && c.link.hello.List.Counter > a.ListCount
		return err
	})
	if err == nil && stale {
		err = errStale
	}
	return err
}

// beginSession makes sure that there is a session to tell keys on.
func (c *courier) beginSession(ctx context.Context, a store.Account, d store.Device) (int64, error) {
	has := false
	err := c.st.View(ctx, func(r *store.Reader) (err error) {
		_, has, err = r.TopSession(d.Row)
		return err
	})
	if err != nil || has {
		return 0, errors.Join(err, errUnless(err != nil, errIdle))
	}
	var ready bool
	err = c.st.Update(ctx, func(tx *store.Tx) (err error) {
		ready, err = c.sessions.ensure(tx, d)
		return err
	})
	if err == nil && !ready {
		err = errIdle
	}
	return 0, err
}

// control sends stored session messages that are due, in order, and takes the receipts that answer them.
func (c *courier) control(ctx context.Context, a store.Account, d store.Device) (soon int64, err error) {
	var due []store.Control
	err = c.st.View(ctx, func(r *store.Reader) (err error) {
		if due, err = r.DueControl(d.Row, c.ms(), controlStep); err == nil {
			soon, err = r.NextControl(d.Row)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(due) == 0 {
		return soon, errIdle
	}
	for _, m := range due {
		reply, err := c.net.Call(ctx, c.link.device, peer.Control, m.Bytes)
		if err != nil && !errors.Is(err, peer.ErrRefused) {
			return 0, err
		}
		err = c.st.Update(ctx, func(tx *store.Tx) error {
			if err := c.sessions.sent(tx, m); err != nil {
				return err
			}
			receipt, err := ratchet.ParseReceipt(reply)
			if err != nil {
				return nil // an INIT is answered by a message of its session
			}
			return c.sessions.receipt(tx, c.link.device, receipt)
		})
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// deliver sends what a device lacks of our logs, a window of segments of one log at a time.
func (c *courier) deliver(ctx context.Context, a store.Account, d store.Device) (soon int64, err error) {
	var parcels []outgoing
	err = c.st.View(ctx, func(r *store.Reader) error {
		logs, err := r.Owing(d.Row, a.Row)
		if err != nil {
			return err
		}
		for _, l := range logs {
			if until := c.waitsUntil(l.Row); until > c.ms() {
				soon = earlier(soon, until)
				continue
			}
			if parcels, err = c.batch(r, l, d); err != nil || len(parcels) > 0 {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if len(parcels) == 0 {
		return soon, errIdle
	}
	return 0, c.send(ctx, d, parcels)
}

func earlier(a, b int64) int64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func (c *courier) waitsUntil(log int64) int64 {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	until := c.link.waits[log]
	if until > c.ms()+2*askAgain {
		return 0 // the clock was set back since
	}
	return until
}

// outgoing is one segment to send.
type outgoing struct {
	log  store.Log
	k    int64
	body []byte
}

// bytesInFlight bounds what is under way to one device unacknowledged.
const bytesInFlight = 1 << 20

// batch reads the next segments of a log for a device. While it does not know the log, the first goes alone: it carries the key.
func (c *courier) batch(r *store.Reader, l store.Log, d store.Device) (all []outgoing, err error) {
	cursor, err := r.Cursor(l.Row, d.Row)
	if err != nil {
		return nil, err
	}
	first, found, err := r.SegmentAt(l.Row, cursor.Stored)
	if err != nil || !found {
		return nil, err
	}
	room, _, err := r.RoomRow(l.Room)
	if err != nil || room.State != store.RoomOpen {
		return nil, err
	}
	limit := c.window
	if first.K == 0 {
		limit = 1
	}
	segments, err := r.Segments(l.Row, first.K, limit)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, s := range segments {
		body, err := bodyOf(r, l, s)
		if err != nil {
			return nil, err
		}
		if body == nil {
			break // its signature went when all had confirmed it: they fetch it under a newer one
		}
		deliver := wire.Deliver{Room: room.ID, Segment: body}
		all = append(all, outgoing{l, s.K, deliver.Marshal()})
		if size += len(body); size > bytesInFlight {
			break
		}
	}
	if len(all) == 0 {
		return c.newest(r, l, room)
	}
	return all, nil
}

// newest offers the newest segment alone, whose signature covers all before it.
func (c *courier) newest(r *store.Reader, l store.Log, room store.Room) ([]outgoing, error) {
	s, found, err := r.Segment(l.Row, l.HeadK)
	if err != nil || !found {
		return nil, err
	}
	body, err := bodyOf(r, l, s)
	if err != nil || body == nil {
		return nil, err
	}
	deliver := wire.Deliver{Room: room.ID, Segment: body}
	return []outgoing{{l, s.K, deliver.Marshal()}}, nil
}

// bodyOf puts a stored segment together again, nil when its own signature is gone.
func bodyOf(r *store.Reader, l store.Log, s store.Segment) ([]byte, error) {
	sig, err := r.Signature(l.Row, s.K)
	if err != nil || sig == nil {
		return nil, err
	}
	entries, err := r.Entries(l.Row, s.First, s.End)
	if err != nil {
		return nil, err
	}
	out := &segment.Segment{RawHeader: s.Header, RawDeps: s.Deps, Signature: sig}
	if s.K == 0 {
		out.Key = l.Key
	}
	for _, e := range entries {
		if e.Raw == nil {
			return nil, nil
		}
		out.Entries = append(out.Entries, e.Raw)
	}
	return out.Marshal(), nil
}

// send brings a window to the device and takes the answers. The first error ends it; what was answered counts.
func (c *courier) send(ctx context.Context, d store.Device, all []outgoing) error {
	answers := make([]*wire.Answer, len(all))
	var g errgroup.Group
	g.SetLimit(max(1, c.window))
	for i, o := range all {
		g.Go(func() error {
			reply, err := c.net.Call(ctx, c.link.device, peer.Deliver, o.body)
			if err != nil {
				return err
			}
			a, err := wire.ParseAnswer(reply)
			if err == nil {
				answers[i] = &a
			}
			return err
		})
	}
	failed := g.Wait()
	err := c.st.Update(ctx, func(tx *store.Tx) error {
		for i, a := range answers {
			if a == nil {
				continue
			}
			if err := c.answered(tx, d, all[i], a); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(failed, peer.ErrLater) {
		c.links.wait(c.link, all[0].log.Row, c.ms()+laterPause, ReasonUnderWay)
		failed = nil
	}
	if errors.Is(failed, peer.ErrRefused) {
		c.links.wait(c.link, all[0].log.Row, c.ms()+askAgain, ReasonRefused)
		failed = nil
	}
	return errors.Join(err, failed)
}

// answered moves the cursor, puts the log off, or stops sending, as the device said.
func (c *courier) answered(tx *store.Tx, d store.Device, o outgoing, a *wire.Answer) error {
	switch a.Code {
	case wire.AnswerHave:
		return c.ledger.have(tx, d, *a.Have, false)
	case wire.AnswerLater:
		until, why := c.ms()+laterPause, ReasonUnderWay
		switch a.Reason {
		case wire.LaterAsked:
			until, why = c.ms()+askAgain, ReasonAsked
		case wire.LaterDisk, wire.LaterQuota, wire.LaterFull:
			until, why = c.ms()+fullPause, ReasonFull
		}
		c.links.wait(c.link, o.log.Row, until, why)
		return nil
	}
	return c.ledger.turnedDown(tx, d, o.log, o.k, a.Reason)
}

// confirm tells the author what we have of their logs when it is not what we told last.
func (c *courier) confirm(ctx context.Context, a store.Account, d store.Device) (soon int64, err error) {
	var due wire.Haves
	rows := map[segment.ID]int64{}
	err = c.st.View(ctx, func(r *store.Reader) error {
		rooms, err := r.RoomsOf(a.Row)
		if err != nil {
			return err
		}
		for _, room := range rooms {
			if room.State != store.RoomOpen {
				continue
			}
			logs, err := r.LogsOf(room.Row, d.Row)
			if err != nil {
				return err
			}
			for _, l := range logs {
				read, err := c.ledger.readTo(r, l)
				if err != nil {
					return err
				}
				h := haveOf(l, read)
				if l.HeadK < 0 || len(due) >= wire.MaxHaves {
					continue
				}
				if now, at := c.unsaid(l.Row, h); now {
					due, rows[l.ID] = append(due, h), l.Row
				} else if at > 0 {
					soon = earlier(soon, at)
				}
			}
		}
		return nil
	})
	if err != nil || len(due) == 0 {
		return soon, errors.Join(err, errUnless(err != nil, errIdle))
	}
	if _, err := c.net.Call(ctx, c.link.device, peer.Have, due.Marshal()); err != nil && !errors.Is(err, peer.ErrRefused) {
		return 0, err
	}
	for _, h := range due {
		c.links.tell(c.link.device, rows[h.Log], h, 0)
	}
	return 0, nil
}

// unsaid reports whether a HAVE has to be said, or when it will have to be because it went out in a reply only.
func (c *courier) unsaid(log int64, h wire.Have) (due bool, soon int64) {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	last := c.link.told[log]
	if last.have != h || last.reply > c.ms() {
		return true, 0
	}
	if last.reply == 0 {
		return false, 0
	}
	return c.ms()-last.reply >= replyLife, last.reply + replyLife
}
