package app

import (
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// judge deals with two stories under one key: of others, whose log is frozen with a proof, and of our own, which say that this
// profile was put back or runs twice.
type judge struct {
	*core
	sorter *sorter
	claim  func(d [32]byte, log, k int64) // has somebody asked for a header that they say to hold
}

const evidenceFork = 1

func sideOf(s *segment.Segment) segment.Side {
	return segment.Side{Header: s.RawHeader, Signature: s.Signature}
}

// conflict keeps the proof that a device signed two headers for one place, and freezes its log from there on. ours is what we
// hold there, side what came.
func (j *judge) conflict(tx *store.Tx, room store.Room, l store.Log, key *composite.PublicKey, ours store.Segment, side segment.Side) error {
	if l.ForkK >= 0 && l.ForkK <= ours.K {
		return nil
	}
	if err := j.prove(tx, room, l, key, ours, side); err != nil {
		return err
	}
	if err := j.sorter.freeze(tx, &l, ours.K); err != nil {
		return err
	}
	tx.OnCommit(func() { j.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}) })
	return tx.SaveLog(l)
}

// errUnproven says that what would prove a fork is not here: the freeze stands, the proof is for who has it.
var errUnproven = errors.New("no signature here covers what was signed twice")

func (j *judge) prove(tx *store.Tx, room store.Room, l store.Log, key *composite.PublicKey, ours store.Segment, side segment.Side) error {
	own, err := j.ourSide(&tx.Reader, l, ours)
	if errors.Is(err, errUnproven) {
		return nil
	}
	if err != nil {
		return err
	}
	fork, err := segment.NewFork(room.ID, key, uint64(ours.K), own, side)
	if err != nil {
		return fmt.Errorf("proving a fork: %w", err)
	}
	id := fork.ID()
	_, err = tx.AddEvidence(store.Evidence{ID: id[:], Kind: evidenceFork, Room: room.Row, Accused: l.ID, Raw: fork.Marshal(), At: j.ms()})
	return err
}

// ourSide is a signed header that covers a segment of ours: its own, or the nearest later one under which it can be shown to
// stand.
func (j *judge) ourSide(r *store.Reader, l store.Log, ours store.Segment) (side segment.Side, err error) {
	at, sig, err := r.SignatureFrom(l.Row, ours.K)
	if err != nil {
		return side, err
	}
	if at == ours.K {
		return segment.Side{Header: ours.Header, Signature: sig}, nil
	}
	if at < 0 || at > l.Tree { // or headers before it are missing
		return side, errUnproven
	}
	signed, found, err := r.Segment(l.Row, at)
	if err != nil || !found {
		return side, either(err, errUnproven)
	}
	side = segment.Side{Header: signed.Header, Signature: sig, Leaf: segment.LeafHash(ours.Header)}
	side.Path, err = segment.ProveInclusion(uint64(at), uint64(ours.K), sourceOf(r, l))
	return side, err
}

// sourceOf gives a log's headers to the functions that prove.
func sourceOf(r *store.Reader, l store.Log) segment.Source {
	return segment.Source{
		Leaf: func(i uint64) ([32]byte, error) {
			s, found, err := r.Segment(l.Row, int64(i))
			if err != nil || !found {
				return [32]byte{}, either(err, errors.New("a header is missing"))
			}
			return segment.LeafHash(s.Header), nil
		},
		Block: func(n uint64) (root [32]byte, ok bool) {
			raw, err := r.TreeBlock(l.Row, int64(n))
			if err != nil || len(raw) != len(root) {
				return root, false
			}
			return [32]byte(raw), true
		},
	}
}

// ours is called with a log of ours of which something is proven to exist, signed by its key, that we did not write. The log is
// frozen by that, so that it is dealt with once.
func (j *judge) ours(tx *store.Tx, l store.Log) error {
	if l.State == store.LogFrozen {
		return nil
	}
	if err := j.twin(tx); err != nil {
		return err
	}
	l.State = store.LogFrozen
	return tx.SaveLog(l)
}

// twin is called when it is proven, by a signature of our own, that we wrote what is not here: this profile was put back, or
// runs twice. Volatile state begins anew, and the person is told.
func (j *judge) twin(tx *store.Tx) error {
	j.count("copied")
	if err := j.me.beginAnew(tx, j.ms()); err != nil {
		return err
	}
	return j.notice(tx, auditCopied, "copied", "")
}
