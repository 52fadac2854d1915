package app

import (
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// shelf stores segments of which the signature holds, whoever brought them, and does all that follows: it opens what it has keys
// for, and moves what is without a gap, opened, whole.
type shelf struct {
	*core
	reader *opener
	sorter *sorter
}

// volume is one segment to be stored. An item of entries is a raw entry, or 32 bytes of leaf hash.
type volume struct {
	head    *segment.Header
	header  []byte
	deps    []byte
	entries [][]byte
	sig     []byte // nil when another one covers it
}

func volumeOf(s *segment.Segment) volume {
	return volume{head: s.Header, header: s.RawHeader, deps: s.RawDeps, entries: s.Entries, sig: s.Signature}
}

// store keeps segments of one log, lowest first, none of which is here yet. It reports whether the log forked: then nothing of
// what lies beyond is read.
func (h *shelf) store(tx *store.Tx, room store.Room, l *store.Log, volumes []volume) (forked bool, err error) {
	for _, v := range volumes {
		if err := h.check(tx, l, v); err != nil {
			return false, err
		}
		if err := h.keep(tx, l, v); err != nil {
			return false, err
		}
	}
	if forked, err = h.sorter.advance(tx, l); err != nil {
		return false, err
	}
	moved, err := h.sorter.whole(tx, l)
	if err != nil {
		return false, err
	}
	if err := h.fill(tx, room, l, volumes); err != nil {
		return false, err
	}
	if err := tx.SaveLog(*l); err != nil || !moved {
		return forked, err
	}
	return forked, h.sorter.others(tx, l.Room)
}

// keep stores what is signed of a segment.
func (h *shelf) keep(tx *store.Tx, l *store.Log, v volume) error {
	deps, err := segment.ParseDeps(v.deps)
	if err != nil {
		return err
	}
	sort, _, err := h.sorter.sortOf(&tx.Reader, l, v.head, deps)
	if err != nil {
		return err
	}
	s := store.Segment{
		Log: l.Row, K: int64(v.head.K), Digest: segment.Digest(v.header), Header: v.header, Deps: v.deps,
		First: int64(v.head.First), End: int64(v.head.Next()), Sort: sort, At: h.ms(),
	}
	if err := tx.AddSegment(s); err != nil {
		return err
	}
	inOrder := s.K == l.Tree && l.HeadK < s.K
	reach(l, s)
	switch {
	case v.sig == nil:
		return nil
	case inOrder:
		return tx.AddSignature(l.Row, s.K, v.sig, h.ms())
	}
	// Behind a gap the signature before must stay: nothing proves yet that this one covers what it covers.
	return tx.KeepSignature(l.Row, s.K, v.sig, h.ms())
}

// fill stores the entries, opened where there are keys.
func (h *shelf) fill(tx *store.Tx, room store.Room, l *store.Log, volumes []volume) error {
	p, err := h.reader.pass(tx, room, l)
	if err != nil {
		return err
	}
	for _, v := range volumes {
		for i, raw := range v.entries {
			e := store.Entry{Log: l.Row, Index: int64(v.head.First) + int64(i), K: int64(v.head.K), State: store.EntryClosed}
			switch {
			case wire.IsLeaf(raw):
				e.Leaf, e.State = [32]byte(raw), store.EntryForeign
				_, err = tx.AddEntry(e)
			case l.ForkK >= 0 && e.K >= l.ForkK:
				e.Leaf, e.Raw, e.State = segment.LeafHash(raw), raw, store.EntryGrey
				_, err = tx.AddEntry(e)
			default:
				e.Leaf, e.Raw = segment.LeafHash(raw), raw
				err = p.fresh(e)
			}
			if err != nil {
				return err
			}
		}
	}
	return p.finish()
}

// check refuses a segment whose entries claim places that others have, or skip places of their chain.
func (h *shelf) check(tx *store.Tx, l *store.Log, v volume) error {
	first, end := int64(v.head.First), int64(v.head.Next())
	if l.HeadK >= 0 && (l.HeadK > int64(v.head.K) || first != l.Size) {
		n, err := tx.CountEntries(l.Row, first, end)
		if err != nil {
			return err
		}
		if n > 0 {
			return badly("entries_overlap")
		}
	}
	var last *group.Entry
	if first > 0 {
		before, err := tx.Entries(l.Row, first-1, first)
		if err != nil {
			return err
		}
		if len(before) == 1 && before[0].Raw != nil {
			if last, err = group.ParseEntry(before[0].Raw); err != nil {
				last = nil // grey: it says nothing of places
			}
		}
	}
	for i, raw := range v.entries {
		if wire.IsLeaf(raw) {
			last = nil
			continue
		}
		e, err := group.ParseEntry(raw)
		if err != nil {
			return flawed("entry_malformed", err)
		}
		if i == 0 && first == 0 && (e.Generation != 0 || e.Index != 0) || last != nil && !follows(last, e) {
			return &flaw{"chain_order", fmt.Errorf("entry %d of segment %d skips a place in its chain", i, v.head.K)}
		}
		last = e
	}
	return nil
}

func follows(a, b *group.Entry) bool {
	return b.Generation == a.Generation && b.Index == a.Index+1 || b.Generation == a.Generation+1 && b.Index == 0
}
