package app

import (
	"context"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	gapPause  = 3_000 // ms for which the author's own sending may close a gap before it is asked for
	fetchSpan = 512   // segments asked for at once; the reply says when there are more
)

// fetch asks the device for one stretch of segments that is known to exist and is not here.
func (c *courier) fetch(r *store.Reader, v *visit) (errand, error) {
	logs, err := r.Lacking(v.device.Account)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		want, at, err := c.missing(r, l, v.device)
		if err != nil {
			return nil, err
		}
		switch {
		case want == nil:
		case at > c.ms():
			v.again(at)
		default:
			return func(ctx context.Context) error { return c.fetchOne(ctx, *want, l, v.device) }, nil
		}
	}
	return nil, nil
}

// missing says which stretch of a log to ask a device for, and from when on. Of a log of which we have not even the key the first
// comes first: it brings it.
func (c *courier) missing(r *store.Reader, l store.Log, d store.Device) (want *wire.Fetch, at int64, err error) {
	if until := c.links.waitsUntil(c.link, -l.Row); until > c.ms() {
		return &wire.Fetch{}, until, nil
	}
	from, to := l.Tree, int64(-1)
	if l.HeadK >= l.Tree { // a hole below the newest
		above, err := r.Segments(l.Row, l.Tree, 1)
		if err != nil || len(above) == 0 {
			return nil, 0, err
		}
		to, at = above[0].K-1, above[0].At
	} else if to, at, err = r.Named(l.Row); err != nil || to <= l.HeadK {
		return nil, 0, err
	}
	if at > c.ms() {
		at = 0 // the clock was set back since
	}
	if l.Device == d.Row {
		at += gapPause
	}
	if to-from >= fetchSpan {
		from = to - fetchSpan + 1
	}
	if l.Key == nil {
		from, to = 0, 0
	}
	room, err := r.RoomID(l.Room)
	return &wire.Fetch{Room: room, Log: l.ID, From: uint64(from), To: uint64(to)}, at, err
}

// ask fetches and checks. Nothing, or something that proves nothing, puts the next try off; heads is nil then.
func (c *courier) ask(ctx context.Context, want wire.Fetch, l store.Log) (f wire.Fetched, key *composite.PublicKey, heads []*segment.Header, err error) {
	reply, err := c.net.Call(ctx, c.link.device, peer.Fetch, want.Marshal())
	if err != nil {
		return f, nil, nil, err
	}
	if f, err = wire.ParseFetched(reply); err == nil {
		if key, err = c.keyOf(l, f, want); err == nil {
			heads, err = f.Check(want, key)
		}
	}
	if err != nil {
		c.count("fetched")
	}
	if err != nil || len(heads) == 0 { // they lack it too
		c.links.wait(c.link, -l.Row, c.ms()+fullPause, ReasonNone)
		return f, nil, nil, nil
	}
	return f, key, heads, nil
}

func (c *courier) keyOf(l store.Log, f wire.Fetched, want wire.Fetch) (*composite.PublicKey, error) {
	if l.Key != nil {
		return c.keys.parse(l.Key)
	}
	if f.Header == nil {
		return nil, nil // an empty reply needs none
	}
	return f.LogKey(want)
}

func (c *courier) fetchOne(ctx context.Context, want wire.Fetch, l store.Log, d store.Device) error {
	f, key, heads, err := c.ask(ctx, want, l)
	if err != nil {
		return err
	}
	return c.st.Update(ctx, func(tx *store.Tx) error {
		if heads == nil { // what was said to be there is not: another may say so again
			return tx.Unname(l.Row)
		}
		err := c.archive.fetched(tx, d, l.Row, key, f, heads)
		if e := c.excuse(err); e != nil || err == nil {
			return e
		}
		c.links.wait(c.link, -l.Row, c.ms()+fullPause, ReasonNone)
		return nil
	})
}

// proof asks for a header that the device says to hold where we hold another or none: of a log of ours it proves that another
// copy of this profile wrote it, of others' that its author told two stories. Nothing is proven by who cannot show it.
func (c *courier) proof(r *store.Reader, v *visit) (errand, error) {
	row, k, ok := c.links.claimed(c.link)
	if !ok {
		return nil, nil
	}
	l, found, err := r.LogRow(row)
	if err != nil {
		return nil, err
	}
	if !found || l.Key == nil {
		c.links.unclaim(c.link, row)
		return nil, nil
	}
	room, err := r.RoomID(l.Room)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		want := wire.Fetch{Room: room, Log: l.ID, From: uint64(k), To: uint64(k)}
		f, key, heads, err := c.ask(ctx, want, l)
		if err != nil {
			return err
		}
		c.links.unclaim(c.link, row)
		if heads == nil {
			c.count("unproven")
			return nil
		}
		return c.st.Update(ctx, func(tx *store.Tx) error { return c.archive.shown(tx, row, key, f, k) })
	}, nil
}
