package app

import (
	"context"
	"errors"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// courier brings one connected device everything it is owed: who we are, what compares our stores, session messages, segments in
// the order of their log, receipts, and requests for what is missing here. It is stepped: each step asks the store once what is
// next and does that one thing, so that nothing is remembered which the store does not know.
type courier struct {
	*core
	net      carrier
	links    *links
	dir      *directory
	sessions *sessions
	ledger   *ledger
	archive  *archive
	herald   *herald
	judge    *judge
	link     *link
}

const (
	syncEvery   = 300_000 // ms between two comparisons on a link that stays
	askAgain    = 60_000  // ms before a request that waits for a person is shown again
	laterPause  = 2_000
	fullPause   = 30_000
	diskPause   = 3_000 // while a disk is full here or there: room may come back at any moment
	controlStep = 16    // session messages sent in one step
)

// visit is what a step found out about whom it serves, and when it is to be made again.
type visit struct {
	device   store.Device
	relation int
	next     int64 // ms
}

// again asks for another step at a time, if none is due before.
func (v *visit) again(at int64) { v.next = min(v.next, at) }

// errand is one thing to do for a device, outside of any reading of the store.
type errand func(ctx context.Context) error

// duty looks at the store and returns what there is to do, nil for nothing.
type duty func(r *store.Reader, v *visit) (errand, error)

// step does the next thing for the device. It returns when to look again, in ms, and whether something was done. An error means
// that the link did not carry it: the next step tries again.
func (c *courier) step(ctx context.Context) (done bool, next int64, err error) {
	if err := c.reanchor(ctx); err != nil {
		return false, c.ms() + laterPause, err
	}
	v := &visit{next: c.ms() + syncEvery}
	var do errand
	err = c.st.View(ctx, func(r *store.Reader) error {
		var known bool
		if v.device, known, err = r.Device(c.link.device); err != nil || !known || v.device.State == store.DeviceRevoked {
			return err
		}
		if v.relation, err = r.Relation(v.device.Account); err != nil {
			return err
		}
		for _, duty := range c.duties(v) {
			if do, err = duty(r, v); err != nil || do != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || do == nil {
		return false, v.next, err
	}
	if err := do(ctx); err != nil {
		return false, v.next, err
	}
	return true, v.next, nil
}

// duties lists what is done for somebody, in the order in which it is done.
func (c *courier) duties(v *visit) []duty {
	switch {
	case v.relation == store.AccountBlocked:
		return nil
	case v.relation == store.AccountContact && v.device.Trusted():
		return []duty{c.arrive, c.askSelf, c.session, c.control, c.compare, c.proof, c.deliver, c.confirm, c.askKeys, c.fetch}
	case v.relation == store.AccountContact:
		return []duty{c.arrive, c.askSelf, c.control, c.compare, c.proof, c.confirm, c.askKeys, c.fetch}
	case v.relation == store.AccountAsked:
		return []duty{c.arrive, c.askSelf, c.session, c.control, c.proof, c.deliver, c.confirm}
	}
	return []duty{c.arrive, c.control}
}

// run steps until the link ends. After an error it rests a moment: the link may have died without anybody having said so.
func (c *courier) run(ctx context.Context) error {
	const first = 200 * time.Millisecond
	rest := first
	for ctx.Err() == nil && !c.link.gone() {
		c.links.rise(c.link)
		done, next, err := c.step(ctx)
		switch {
		case err != nil:
			c.log.Debug("serving a device", "device", c.link.device.Short(), "err", err)
			next = c.ms() + restOf(err, rest).Milliseconds()
			rest = min(2*rest, 30*time.Second)
		case done:
			rest = first
			continue
		}
		timer := time.NewTimer(time.Duration(max(0, c.links.sleep(c.link, next)-c.ms())) * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-c.link.ended:
			timer.Stop()
			return nil
		case <-c.link.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// restOf shortens a rest after an error that says when to come again: a full disk, ours or theirs, is nobody's fault.
func restOf(err error, rest time.Duration) time.Duration {
	if errors.Is(err, store.ErrFull) || errors.Is(err, peer.ErrLater) || errors.Is(err, errUnanchored) {
		return min(rest, diskPause*time.Millisecond)
	}
	return rest
}

// arrive makes what waits for a device due, once a link.
func (c *courier) arrive(_ *store.Reader, v *visit) (errand, error) {
	if !c.links.first(c.link) {
		return nil, nil
	}
	return func(ctx context.Context) error {
		return c.st.Update(ctx, func(tx *store.Tx) error {
			tx.OnCommit(func() { c.links.arrived(c.link) })
			return tx.HurryControl(v.device.Row, c.ms())
		})
	}, nil
}

// askSelf asks for list and prekey when they are unknown or behind, and when the prekey that we used may be one that the device
// no longer hears: nobody answers our INIT. Asked once a link, it is not asked again.
func (c *courier) askSelf(r *store.Reader, v *visit) (errand, error) {
	hello, asked := c.links.helloOf(c.link)
	if asked || hello.Account == nil {
		return nil, nil
	}
	wants, err := c.dir.wants(r, hello, v.device)
	if err != nil {
		return nil, err
	}
	if !wants {
		if wants, err = c.unheard(r, v.device); err != nil || !wants {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		reply, err := c.net.Call(ctx, c.link.device, peer.SelfInfo, nil)
		if err != nil {
			return err
		}
		o, err := wire.ParseSelfObject(reply)
		if err != nil {
			c.count("self_malformed")
			return err
		}
		err = c.st.Update(ctx, func(tx *store.Tx) error {
			a, err := c.dir.learn(tx, o)
			if err == nil && hello.List.Counter > a.ListCount {
				err = badly("self_behind") // than the list that it named in the handshake
			}
			return err
		})
		if err == nil {
			c.links.askedSelf(c.link)
		}
		return c.counted(err)
	}, nil
}

// unheard reports whether our INIT to a device was sent again already.
func (c *courier) unheard(r *store.Reader, d store.Device) (bool, error) {
	top, found, err := r.TopSession(d.Row)
	if err != nil || !found || c.since(top.MadeAt) < initRetry {
		return false, err
	}
	return r.HasControl(top.SID, -1)
}

// session makes sure that there is a session to tell keys on, and one that is heard.
func (c *courier) session(r *store.Reader, v *visit) (errand, error) {
	top, has, err := r.TopSession(v.device.Row)
	if err != nil {
		return nil, err
	}
	if has {
		return c.silent(r, v.device, top)
	}
	last, err := r.Reset(v.device.Row)
	if err != nil {
		return nil, err
	}
	if wait := c.sessions.resting(last); wait > 0 {
		v.again(c.ms() + wait)
		return nil, nil
	}
	raw, err := r.Bundle(v.device.Row)
	if err != nil || raw == nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return c.st.Update(ctx, func(tx *store.Tx) error { return c.sessions.ensure(tx, v.device) })
	}, nil
}

// silent begins a session anew on which nothing was acknowledged for long, when there is a newer prekey to begin it with.
func (c *courier) silent(r *store.Reader, d store.Device, top store.Session) (errand, error) {
	oldest, err := r.OldestControl(top.SID)
	if err != nil || oldest == 0 || c.since(oldest) < silence {
		return nil, err
	}
	last, err := r.Reset(d.Row)
	if err != nil || c.sessions.resting(last) > 0 {
		return nil, err
	}
	learnt, err := r.BundleMade(d.Row)
	if err != nil || learnt <= top.MadeAt {
		return nil, err
	}
	return func(ctx context.Context) error {
		return c.st.Update(ctx, func(tx *store.Tx) error { return c.sessions.restart(tx, d, "30 days unacknowledged") })
	}, nil
}

// control sends stored session messages that are due, in order, and takes the receipts that answer them.
func (c *courier) control(r *store.Reader, v *visit) (errand, error) {
	due, err := r.DueControl(v.device.Row, c.ms(), controlStep)
	if err != nil {
		return nil, err
	}
	if len(due) == 0 {
		soon, err := r.NextControl(v.device.Row)
		if soon > 0 {
			v.again(soon)
		}
		return nil, err
	}
	return func(ctx context.Context) error {
		var went []store.Control
		var receipts []ratchet.Receipt
		var failed error
		for _, m := range due {
			reply, err := c.net.Call(ctx, c.link.device, peer.Control, m.Bytes)
			if err != nil && !errors.Is(err, peer.ErrRefused) {
				failed = err
				break
			}
			went = append(went, m)
			if receipt, err := ratchet.ParseReceipt(reply); err == nil { // an INIT is answered by a message of its session
				receipts = append(receipts, receipt)
			}
		}
		var late []store.Control
		if errors.Is(failed, peer.ErrLater) { // what comes after them need not wait
			late, failed = due[len(went):], nil
		}
		if len(went)+len(late) == 0 {
			return failed
		}
		return errors.Join(failed, c.st.Update(ctx, func(tx *store.Tx) error {
			for _, m := range late {
				if err := tx.DelayControl(m.SID, m.I, c.ms()+diskPause); err != nil {
					return err
				}
			}
			for _, m := range went {
				if err := c.sessions.sent(tx, m); err != nil {
					return err
				}
			}
			for _, receipt := range receipts {
				if err := c.sessions.receipt(tx, c.link.device, receipt); err != nil {
					return err
				}
			}
			return nil
		}))
	}, nil
}
