package app

import (
	"bytes"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// sorter puts segments where they belong: behind what their author signed before, and behind everything that they name. Of the
// log in hand it changes the value, which the caller saves.
type sorter struct{ *core }

// reach moves the head of a log to a segment that was stored, if it is the newest.
func reach(l *store.Log, s store.Segment) {
	if s.K > l.HeadK {
		l.HeadK, l.HeadDigest, l.Size = s.K, bytes.Clone(s.Digest[:]), s.End
	}
}

// advance walks over what now follows without a gap: it checks that each header continues the ones before it, grows the tree,
// and moves stored. A header that does not continue them was signed against its own past: the log is frozen there.
func (o *sorter) advance(tx *store.Tx, l *store.Log) (forked bool, err error) {
	tree, err := treeOf(l)
	if err != nil {
		return false, err
	}
	s, found, err := tx.Segment(l.Row, l.Tree)
	if err != nil || !found {
		return false, err
	}
	var prev store.Segment
	if s.K > 0 {
		if prev, _, err = tx.Segment(l.Row, s.K-1); err != nil {
			return false, err
		}
	}
	for ; found && !forked; s, found, err = tx.Segment(l.Row, prev.K+1) {
		if err != nil {
			return false, err
		}
		h, err := segment.ParseHeader(s.Header)
		if err != nil {
			return false, err
		}
		if h.PastRoot != tree.Root() || s.K > 0 && segment.Follows(prev.Header, s.Header) != nil {
			forked = true
			break
		}
		if n, root, ok := tree.Block(s.Header); ok {
			if err := tx.SetTreeBlock(l.Row, int64(n), root); err != nil {
				return false, err
			}
		}
		tree = tree.Append(s.Header)
		l.Stored, prev = s.End, s
	}
	if err != nil {
		return false, err
	}
	l.Tree, l.Edge = int64(tree.Size()), tree.Marshal()
	if !forked {
		return false, nil
	}
	return true, o.freeze(tx, l, s.K)
}

func treeOf(l *store.Log) (*segment.Tree, error) {
	if l.Edge == nil {
		return &segment.Tree{}, nil
	}
	return segment.ParseTree(l.Edge)
}

// freeze ends a log at a header that its author signed twice, or against their own past, and tells the person.
func (o *sorter) freeze(tx *store.Tx, l *store.Log, k int64) error {
	l.State, l.ForkK = store.LogFrozen, k
	o.count("fork")
	name, err := authorOf(&tx.Reader, *l)
	if err != nil {
		return err
	}
	return o.notice(tx, auditForked, "forked", name)
}

// authorOf names the person whose log it is.
func authorOf(r *store.Reader, l store.Log) (string, error) {
	dev, found, err := r.DeviceRow(l.Device)
	if err != nil || !found {
		return "", err
	}
	a, _, err := r.AccountRow(dev.Account)
	return shownName(a), err
}

// sortOf is a segment's place in its room: behind all its parents, and not before its own time. wait is for how many ms after it
// came it may be kept back for parents that are missing, 0 when every parent is here and whole; a place computed without one is
// corrected when it comes.
func (o *sorter) sortOf(r *store.Reader, l *store.Log, h *segment.Header, deps []segment.Dep) (sort, wait int64, err error) {
	sort = int64(h.Millis)
	if h.K > 0 {
		prev, found, err := r.Segment(l.Row, int64(h.K)-1)
		if err != nil {
			return 0, 0, err
		}
		if found {
			sort = max(sort, prev.Sort+1)
		}
		if !found || l.WholeK < int64(h.K)-1 {
			wait = parentLife
		}
	}
	for _, dep := range deps {
		place, life, err := o.parent(r, l, dep)
		if err != nil {
			return 0, 0, err
		}
		sort, wait = max(sort, place), max(wait, life)
	}
	return sort, wait, nil
}

const (
	// parentLife is how long a parent is waited for: a made-up one blocks nobody for ever.
	parentLife = 30 * day

	// ownLife is how long one of our own is waited for that is not here: another copy of this profile wrote it, or this one before
	// it was put back. Who holds it is connected, and nobody writes it again.
	ownLife = hour
)

// parent is the place behind a head that a segment of l names, 0 while that is not here, and how long it is waited for, 0 when it
// is here and whole. What lies past a fork point counts as here: nobody fetches it.
func (o *sorter) parent(r *store.Reader, l *store.Log, dep segment.Dep) (place, wait int64, err error) {
	parent, found, err := r.Log(dep.Log)
	if err != nil || !found || parent.Room != l.Room {
		return 0, parentLife, err
	}
	s, here, err := r.Segment(parent.Row, int64(dep.K))
	if err != nil {
		return 0, 0, err
	}
	if here {
		place = s.Sort + 1
	}
	switch {
	case here && parent.WholeK >= int64(dep.K), parent.ForkK >= 0 && int64(dep.K) >= parent.ForkK:
		return place, 0, nil
	case parent.Seed != nil:
		return place, ownLife, nil
	}
	return place, parentLife, nil
}

const day = 86_400_000

// whole moves the newest segment of a log whose whole past is here, puts segments into their final place and shows what was held
// back. It reports whether it moved any.
func (o *sorter) whole(tx *store.Tx, l *store.Log) (moved bool, err error) {
	for l.WholeK < l.Tree-1 {
		s, _, err := tx.Segment(l.Row, l.WholeK+1)
		if err != nil {
			return moved, err
		}
		h, err := segment.ParseHeader(s.Header)
		if err != nil {
			return moved, err
		}
		deps, err := segment.ParseDeps(s.Deps)
		if err != nil {
			return moved, err
		}
		sort, wait, err := o.sortOf(&tx.Reader, l, h, deps)
		if err != nil {
			return moved, err
		}
		if wait > 0 && o.since(s.At) < wait {
			return moved, nil
		}
		if err := tx.SetSegmentSort(l.Row, s.K, s.First, s.End, sort); err != nil {
			return moved, err
		}
		if err := tx.NoteMessage(l.Room, sort, 0); err != nil {
			return moved, err
		}
		l.WholeK++
		moved = true
	}
	return moved, nil
}

// others does whole for the logs of a room that wait for something, again and again until nothing moves: after a log moved, what
// others wrote behind it may be whole too.
func (o *sorter) others(tx *store.Tx, room int64) error {
	for moved := true; moved; {
		moved = false
		logs, err := tx.Lagging(room)
		if err != nil {
			return err
		}
		for _, l := range logs {
			did, err := o.whole(tx, &l)
			if err != nil {
				return err
			}
			if !did {
				continue
			}
			moved = true
			if err := tx.SetWhole(l.Row, l.WholeK); err != nil {
				return err
			}
		}
	}
	return nil
}
