package app

import (
	"bytes"
	"context"
	"slices"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// archive serves and takes old segments and their keys: what FETCH and KEYREQ are about.
type archive struct {
	*core
	shelf *shelf
	judge *judge
}

// fetched stores what a FETCH brought, whose chain to a signed header was checked. Where it tells another story than we hold, it
// is judged instead.
func (a *archive) fetched(tx *store.Tx, from store.Device, row int64, key *composite.PublicKey, f wire.Fetched, heads []*segment.Header) error {
	l, found, err := tx.LogRow(row)
	if err != nil || !found || l.ForkK >= 0 || l.Seed != nil && l.State == store.LogOpen {
		return err
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	if l.Key == nil {
		if err := tx.SetLogKey(l.Row, key.Bytes()); err != nil {
			return err
		}
	}
	var volumes []volume
	for i, s := range f.Segments {
		held, here, err := tx.Segment(l.Row, int64(heads[i].K))
		switch {
		case err != nil:
			return err
		case here && !bytes.Equal(held.Header, s.Header):
			tx.OnCommit(func() { a.judge.claim(from.Digest, l.Row, held.K) }) // asked for by itself, it comes with a proof
			return badly("fetched_other")
		case !here:
			volumes = append(volumes, volume{head: heads[i], header: s.Header, deps: s.Deps, entries: s.Entries})
		}
	}
	slices.Reverse(volumes)
	if len(volumes) == 0 {
		return badly("fetched_nothing")
	}
	if _, err := a.shelf.store(tx, room, &l, volumes); err != nil {
		return err
	}
	tx.OnCommit(func() { a.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}) })
	return a.keepSignature(tx, l, f)
}

// keepSignature keeps the signature that came along, if its header is here: nothing else may cover what was fetched.
func (a *archive) keepSignature(tx *store.Tx, l store.Log, f wire.Fetched) error {
	h, err := segment.ParseHeader(f.Header)
	if err != nil {
		return err
	}
	s, here, err := tx.Segment(l.Row, int64(h.K))
	if err != nil || !here || !bytes.Equal(s.Header, f.Header) {
		return err
	}
	sig, err := tx.Signature(l.Row, s.K)
	if err != nil || sig != nil {
		return err
	}
	return tx.KeepSignature(l.Row, s.K, f.Signature, a.ms())
}

// shown judges a header that was asked for because its holder said to have it. f was checked, and its first segment is k.
func (a *archive) shown(tx *store.Tx, row int64, key *composite.PublicKey, f wire.Fetched, k int64) error {
	l, found, err := tx.LogRow(row)
	if err != nil || !found {
		return err
	}
	held, here, err := tx.Segment(l.Row, k)
	if err != nil || here && bytes.Equal(held.Header, f.Segments[0].Header) {
		return err
	}
	if l.Seed != nil {
		return a.own(tx, l, k, here)
	}
	if !here {
		return nil // it is fetched like everything else
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	side := segment.Side{Header: f.Header, Signature: f.Signature, Path: f.Inclusion, Leaf: segment.LeafHash(f.Segments[0].Header)}
	return a.judge.conflict(tx, room, l, key, held, side)
}

// own deals with a header of a log of ours that we did not write, or not here. What another copy of this profile wrote beyond
// our head is fetched, so that it is in the thread; what it wrote in the place of ours is not.
func (a *archive) own(tx *store.Tx, l store.Log, k int64, here bool) error {
	if here {
		return a.judge.ours(tx, l)
	}
	named, _, err := tx.Named(l.Row)
	if err != nil || named >= k {
		return err // it was dealt with, and is being fetched
	}
	if err := tx.SetNamed(l.Row, k, a.ms()); err != nil {
		return err
	}
	if l.State == store.LogFrozen {
		return nil
	}
	return a.judge.twin(tx)
}

// serveFetch answers a FETCH frame: segments from To downwards under the newest signed header, as many as fit.
func (a *archive) serveFetch(ctx context.Context, from identity.DeviceID, body []byte) (reply []byte, err error) {
	q, err := wire.ParseFetch(body)
	if err != nil {
		return nil, flawed("fetch_malformed", err)
	}
	err = a.st.View(ctx, func(r *store.Reader) error {
		f, err := a.gather(r, from, q)
		if err == nil {
			reply = f.Marshal()
		}
		return err
	})
	return reply, err
}

// serves finds a log, if the device may ask for what is in it.
func (a *archive) serves(r *store.Reader, from identity.DeviceID, id segment.ID) (l store.Log, room store.Room, ok bool, err error) {
	c, err := mustCall(r, from)
	if err != nil {
		return l, room, false, err
	}
	l, found, err := r.Log([32]byte(id))
	if err != nil || !found || !c.device.Approved {
		return l, room, false, err
	}
	if ok, err = r.IsMember(l.Room, c.device.Account); err != nil || !ok {
		return l, room, false, err
	}
	room, _, err = r.RoomRow(l.Room)
	return l, room, room.State == store.RoomOpen, err
}

func (a *archive) gather(r *store.Reader, from identity.DeviceID, q wire.Fetch) (f wire.Fetched, err error) {
	l, room, ok, err := a.serves(r, from, q.Log)
	if err != nil || !ok || room.ID != q.Room || int64(q.To) >= l.Tree || l.Key == nil {
		return f, err
	}
	at, sig, err := r.NewestSignature(l.Row, int64(q.To))
	if err != nil || at < 0 {
		return f, err
	}
	if at > l.Tree { // headers are missing in between
		if at, sig, err = r.SignatureFrom(l.Row, int64(q.To)); err != nil || at > l.Tree {
			return f, err
		}
	}
	return a.pack(r, l, q, at, sig)
}

func (a *archive) pack(r *store.Reader, l store.Log, q wire.Fetch, at int64, sig []byte) (f wire.Fetched, err error) {
	newest, _, err := r.Segment(l.Row, at)
	if err != nil {
		return f, err
	}
	f.Header, f.Signature = newest.Header, sig
	if at != int64(q.To) {
		if f.Inclusion, err = segment.ProveInclusion(uint64(at), q.To, sourceOf(r, l)); err != nil {
			return f, err
		}
	}
	left := wire.MaxBody - wire.FetchedOverhead
	for k := int64(q.To); k >= int64(q.From); k-- {
		one, ok, err := whole(r, l, k)
		if err != nil {
			return f, err
		}
		if left -= one.Size(); !ok || left < 0 {
			f.More = len(f.Segments) > 0
			break
		}
		f.Segments = append(f.Segments, one)
		if k == 0 {
			f.Key = l.Key
		}
	}
	if len(f.Segments) == 0 {
		return wire.Fetched{}, nil
	}
	return f, nil
}

// whole puts a segment together for a FETCH reply; ok is false when entries of it are not here.
func whole(r *store.Reader, l store.Log, k int64) (one wire.FetchedSegment, ok bool, err error) {
	s, found, err := r.Segment(l.Row, k)
	if err != nil || !found {
		return one, false, err
	}
	entries, err := r.Entries(l.Row, s.First, s.End)
	if err != nil || int64(len(entries)) != s.End-s.First {
		return one, false, err
	}
	one = wire.FetchedSegment{Header: s.Header, Deps: s.Deps}
	for _, e := range entries {
		if e.Raw != nil {
			one.Entries = append(one.Entries, e.Raw)
		} else {
			one.Entries = append(one.Entries, e.Leaf[:])
		}
	}
	return one, true, nil
}

// serveKeys answers a KEYREQ frame with what opens entries, or a gate secret, for who is entitled to it.
func (a *archive) serveKeys(ctx context.Context, from identity.DeviceID, body []byte) (reply []byte, err error) {
	q, err := wire.ParseKeyRequest(body)
	if err != nil {
		return nil, flawed("keyreq_malformed", err)
	}
	var k wire.KeyReply
	err = a.st.View(ctx, func(r *store.Reader) error {
		if q.Gate != nil {
			return a.gateReply(r, from, *q.Gate, &k)
		}
		return a.keysReply(r, from, *q.Keys, &k)
	})
	if err != nil {
		return nil, err
	}
	return k.Marshal(), nil
}

func (a *archive) gateReply(r *store.Reader, from identity.DeviceID, q wire.GateReq, k *wire.KeyReply) error {
	c, err := mustCall(r, from)
	if err != nil {
		return err
	}
	room, found, err := r.Room(q.Room)
	if err != nil || !found || room.State != store.RoomOpen || !c.device.Approved {
		return err
	}
	if ok, err := r.IsMember(room.Row, c.device.Account); err != nil || !ok {
		return err
	}
	all, err := r.Gates(room.Row)
	for _, g := range all {
		if string(g.Tag) == string(q.Tag[:]) {
			k.Gate = &wire.Gate{Room: room.ID, Secret: g.Secret}
		}
	}
	return err
}

func (a *archive) keysReply(r *store.Reader, from identity.DeviceID, q wire.KeyReq, k *wire.KeyReply) error {
	l, _, ok, err := a.serves(r, from, q.Log)
	if err != nil || !ok {
		return err
	}
	for _, g := range q.Ranges {
		all, err := r.Openings(l.Row, int64(g.First), int64(g.First)+int64(g.Count), wire.MaxKeys-len(k.Keys))
		if err != nil {
			return err
		}
		for _, o := range all {
			k.Keys = append(k.Keys, wire.IndexedKey{Index: uint64(o.Index), PRK: o.PRK})
		}
		if len(k.Keys) >= wire.MaxKeys {
			break
		}
	}
	return nil
}
