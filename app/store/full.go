package store

import (
	"context"
	"errors"
)

// messagePages is what a message takes in the log at least, in frames. What takes less, a receipt say, may fit on a disk that
// has no room for messages.
const messagePages = 8

// OnFull has f told when a transaction finds the disk full, and when one of the size of a message is kept again after that. f
// runs before the Update of whoever led the commit returns, and must not call the store. It is set before anybody else uses the
// store.
func (s *Store) OnFull(f func(full bool)) { s.onFull = f }

// tellFull tells whether the disk is full when that has changed.
func (s *Store) tellFull(batch []*job) {
	full, kept := false, false
	for _, j := range batch {
		full = full || errors.Is(j.err, ErrFull)
		kept = kept || j.err == nil || errors.Is(j.err, ErrAnchor)
	}
	if full == s.full || !full && (!kept || s.wrote < messagePages) {
		return
	}
	s.full = full
	if s.onFull != nil {
		s.onFull(full)
	}
}

// Probe looks whether there is room on the disk, by storing as much as a large message takes and erasing it again. When there is
// none the error is ErrFull.
func (s *Store) Probe(ctx context.Context) error {
	err := s.Update(ctx, func(tx *Tx) error {
		return tx.exec("INSERT INTO meta(k, v) VALUES('probe', zeroblob(?)) ON CONFLICT(k) DO UPDATE SET v = excluded.v", probeSize)
	})
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error { return tx.exec("DELETE FROM meta WHERE k = 'probe'") })
}

const probeSize = 52 << 10
