package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// archive serves and takes old segments and their keys: what FETCH and KEYREQ are about.
type archive struct {
	*core
	reader *opener
	sorter *sorter
}

// fetched stores what a FETCH brought, whose chain to a signed header was checked.
func (a *archive) fetched(tx *store.Tx, row int64, f wire.Fetched, heads []*segment.Header) error {
	l, found, err := tx.LogRow(row)
	if err != nil || !found || l.ForkK >= 0 {
		return err
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	for i, s := range f.Segments {
		if err := a.put1(tx, l, heads[i], s); err != nil {
			return err
		}
	}
	lowest := int64(heads[len(heads)-1].K)
	if highest := int64(heads[0].K); highest > l.HeadK {
		top, _, err := tx.Segment(l.Row, highest)
		if err != nil {
			return err
		}
		l.HeadK, l.HeadDigest, l.Size = highest, append([]byte(nil), top.Digest[:]...), top.End
	}
	if lowest <= l.Tree && l.Seed == nil {
		if _, here, err := tx.Segment(l.Row, l.Tree); err != nil {
			return err
		} else if here {
			if l, _, err = a.sorter.advance(tx, l, l.Tree); err != nil {
				return err
			}
		}
	}
	if err := tx.SaveLog(l); err != nil {
		return err
	}
	if l.Device != 0 {
		if _, err := a.reader.open(tx, room, l); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { a.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}) })
	return a.sorter.whole(tx, room)
}

// put1 stores one fetched segment if it is not here.
func (a *archive) put1(tx *store.Tx, l store.Log, h *segment.Header, s wire.FetchedSegment) error {
	if _, here, err := tx.Segment(l.Row, int64(h.K)); err != nil || here {
		return err
	}
	deps, err := segment.ParseDeps(s.Deps)
	if err != nil {
		return err
	}
	sort, _, err := a.sorter.sortOf(&tx.Reader, l, h, deps)
	if err != nil {
		return err
	}
	err = tx.AddSegment(store.Segment{
		Log: l.Row, K: int64(h.K), Digest: segment.Digest(s.Header), Header: s.Header, Deps: s.Deps, First: int64(h.First), End: int64(h.Next()),
		Sort: sort, At: a.ms(),
	})
	for i, raw := range s.Entries {
		if err != nil {
			return err
		}
		e := store.Entry{Log: l.Row, Index: int64(h.First) + int64(i), K: int64(h.K), State: store.EntryClosed}
		if wire.IsLeaf(raw) {
			e.Leaf, e.State = [32]byte(raw), store.EntryForeign
		} else {
			e.Leaf, e.Raw = segment.LeafHash(raw), raw
		}
		_, err = tx.AddEntry(e)
	}
	return err
}

// serveFetch answers a FETCH frame: segments from To downwards under the newest signed header, as many as fit.
func (a *archive) serveFetch(ctx context.Context, from identity.DeviceID, body []byte) (reply []byte, err error) {
	q, err := wire.ParseFetch(body)
	if err != nil {
		return nil, refusedFrame("fetch_malformed")
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

func (a *archive) gather(r *store.Reader, from identity.DeviceID, q wire.Fetch) (f wire.Fetched, err error) {
	dev, found, err := r.Device(from)
	if err != nil || !found {
		return f, errors.Join(err, refusedFrame("fetch_stranger"))
	}
	l, found, err := r.Log([32]byte(q.Log))
	if err != nil || !found {
		return f, err
	}
	room, _, err := r.RoomRow(l.Room)
	if err != nil || room.ID != q.Room || room.State != store.RoomOpen {
		return f, err
	}
	if ok, err := r.IsMember(room.Row, dev.Account); err != nil || !ok {
		return f, err
	}
	to := min(int64(q.To), l.Tree-1)
	at, sig, err := r.NewestSignature(l.Row, to)
	if err != nil || at < 0 || to < int64(q.From) || to != int64(q.To) {
		return f, err
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
	left := (64 << 10) - wire.FetchedOverhead
	for k := int64(q.To); k >= int64(q.From); k-- {
		s, found, err := r.Segment(l.Row, k)
		if err != nil || !found {
			return f, err
		}
		one := wire.FetchedSegment{Header: s.Header, Deps: s.Deps}
		entries, err := r.Entries(l.Row, s.First, s.End)
		if err != nil {
			return f, err
		}
		for _, e := range entries {
			if e.Raw != nil {
				one.Entries = append(one.Entries, e.Raw)
			} else {
				one.Entries = append(one.Entries, e.Leaf[:])
			}
		}
		if left -= one.Size(); left < 0 {
			f.More = true
			return f, nil
		}
		f.Segments = append(f.Segments, one)
		if k == 0 {
			f.Key = l.Key
		}
	}
	return f, nil
}

// serveKeys answers a KEYREQ frame with what opens entries, or a gate secret, for who is entitled to it.
func (a *archive) serveKeys(ctx context.Context, from identity.DeviceID, body []byte) (reply []byte, err error) {
	q, err := wire.ParseKeyRequest(body)
	if err != nil {
		return nil, refusedFrame("keyreq_malformed")
	}
	var k wire.KeyReply
	err = a.st.View(ctx, func(r *store.Reader) error {
		dev, found, err := r.Device(from)
		if err != nil || !found || !dev.Approved {
			return err
		}
		if q.Gate != nil {
			return a.gateReply(r, dev, *q.Gate, &k)
		}
		return a.keysReply(r, dev, *q.Keys, &k)
	})
	return k.Marshal(), err
}

func (a *archive) gateReply(r *store.Reader, dev store.Device, q wire.GateReq, k *wire.KeyReply) error {
	room, found, err := r.Room(q.Room)
	if err != nil || !found || room.State != store.RoomOpen {
		return err
	}
	if ok, err := r.IsMember(room.Row, dev.Account); err != nil || !ok {
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

func (a *archive) keysReply(r *store.Reader, dev store.Device, q wire.KeyReq, k *wire.KeyReply) error {
	l, found, err := r.Log([32]byte(q.Log))
	if err != nil || !found {
		return err
	}
	room, _, err := r.RoomRow(l.Room)
	if err != nil || room.State != store.RoomOpen {
		return err
	}
	if ok, err := r.IsMember(room.Row, dev.Account); err != nil || !ok {
		return err
	}
	for _, g := range q.Ranges {
		entries, err := r.Entries(l.Row, int64(g.First), int64(g.First)+int64(g.Count))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if len(e.PRK) == 32 && len(k.Keys) < wire.MaxKeys {
				k.Keys = append(k.Keys, wire.IndexedKey{Index: uint64(e.Index), PRK: [32]byte(e.PRK)})
			}
		}
	}
	return nil
}
