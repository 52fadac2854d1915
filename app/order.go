package app

import (
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// sorter puts segments where they belong: behind what their author signed before, and behind everything that they name.
type sorter struct{ *core }

// advance walks over what now follows without a gap: it checks that each header continues the ones before it, grows the
// tree, and moves stored. A header that does not continue them was signed against its own past: the log is frozen there.
func (o *sorter) advance(tx *store.Tx, l store.Log, k int64) (_ store.Log, forked bool, err error) {
	s, _, err := tx.Segment(l.Row, k)
	if err != nil {
		return l, false, err
	}
	if k > l.HeadK {
		l.HeadK, l.HeadDigest, l.Size = k, append([]byte(nil), s.Digest[:]...), s.End
	}
	if k != l.Tree {
		return l, false, nil
	}
	tree, err := treeOf(l)
	if err != nil {
		return l, false, err
	}
	var prev store.Segment
	if k > 0 {
		if prev, _, err = tx.Segment(l.Row, k-1); err != nil {
			return l, false, err
		}
	}
	for found := true; found; {
		h, err := segment.ParseHeader(s.Header)
		if err != nil {
			return l, false, err
		}
		if h.PastRoot != tree.Root() || s.K > 0 && segment.Follows(prev.Header, s.Header) != nil {
			return o.broken(tx, l, s)
		}
		if n, root, ok := tree.Block(s.Header); ok {
			if err := tx.SetTreeBlock(l.Row, int64(n), root); err != nil {
				return l, false, err
			}
		}
		tree = tree.Append(s.Header)
		l.Stored, prev = s.End, s
		if s, found, err = tx.Segment(l.Row, prev.K+1); err != nil {
			return l, false, err
		}
	}
	l.Tree, l.Edge = int64(tree.Size()), tree.Marshal()
	return l, false, nil
}

func treeOf(l store.Log) (*segment.Tree, error) {
	if l.Edge == nil {
		return &segment.Tree{}, nil
	}
	return segment.ParseTree(l.Edge)
}

// broken freezes a log at a header that does not continue what its author signed before.
func (o *sorter) broken(tx *store.Tx, l store.Log, s store.Segment) (store.Log, bool, error) {
	l.State, l.ForkK = store.LogFrozen, s.K
	name, err := authorOf(&tx.Reader, l)
	if err != nil {
		return l, true, err
	}
	if err := o.count(tx, "fork"); err != nil {
		return l, true, err
	}
	return l, true, o.notice(tx, auditForked, "forked", name)
}

// sortOf is a segment's place in its room: behind all its parents, and not before its own time. whole says whether every
// parent is here and whole; a place computed without one is corrected when it comes.
func (o *sorter) sortOf(r *store.Reader, l store.Log, h *segment.Header, deps []segment.Dep) (sort int64, whole bool, err error) {
	sort, whole = int64(h.Millis), true
	if h.K > 0 {
		prev, found, err := r.Segment(l.Row, int64(h.K)-1)
		if err != nil {
			return 0, false, err
		}
		if found {
			sort = max(sort, prev.Sort+1)
		}
		whole = found && l.WholeK >= int64(h.K)-1
	}
	for _, dep := range deps {
		parent, found, err := r.Log(dep.Log)
		if err != nil {
			return 0, false, err
		}
		if !found || parent.Room != l.Room {
			whole = false
			continue
		}
		s, here, err := r.Segment(parent.Row, int64(dep.K))
		if err != nil {
			return 0, false, err
		}
		if here {
			sort = max(sort, s.Sort+1)
		}
		pastFork := parent.ForkK >= 0 && int64(dep.K) >= parent.ForkK
		whole = whole && (pastFork || here && parent.WholeK >= int64(dep.K))
	}
	return sort, whole, nil
}

// parentLife is how long a parent is waited for: a made-up one blocks nobody for ever.
const parentLife = 30 * day

const day = 86_400_000

// whole moves, in every log of a room, the newest segment whose whole past is here, puts segments into their final place
// and shows what was held back. It ends when a round over the logs moves nothing.
func (o *sorter) whole(tx *store.Tx, room store.Room) error {
	logs, err := tx.Logs(room.Row)
	if err != nil {
		return err
	}
	for moved := true; moved; {
		moved = false
		for i := range logs {
			if logs[i].Seed != nil || logs[i].WholeK >= logs[i].Tree-1 {
				continue
			}
			before := logs[i].WholeK
			if logs[i], err = o.wholeLog(tx, logs[i]); err != nil {
				return err
			}
			moved = moved || logs[i].WholeK > before
		}
	}
	return nil
}

func (o *sorter) wholeLog(tx *store.Tx, l store.Log) (store.Log, error) {
	start := l.WholeK
	for l.WholeK < l.Tree-1 {
		s, _, err := tx.Segment(l.Row, l.WholeK+1)
		if err != nil {
			return l, err
		}
		h, err := segment.ParseHeader(s.Header)
		if err != nil {
			return l, err
		}
		deps, err := segment.ParseDeps(s.Deps)
		if err != nil {
			return l, err
		}
		sort, whole, err := o.sortOf(&tx.Reader, l, h, deps)
		if err != nil {
			return l, err
		}
		if !whole && o.ms()-s.At < parentLife {
			break
		}
		if err := tx.SetSegmentSort(l.Row, s.K, s.First, s.End, sort); err != nil {
			return l, err
		}
		if err := tx.NoteMessage(l.Room, sort, 0); err != nil {
			return l, err
		}
		l.WholeK++
	}
	if l.WholeK == start {
		return l, nil
	}
	return l, tx.SetWhole(l.Row, l.WholeK)
}
