package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestWhatWasReadIsAnchoredIfTheStoreSaysSoAfterwards(t *testing.T) {
	g := newRig(t, seed(), false)
	s := mustOpen(t, g.cfg)
	defer mustClose(t, s)
	insert := func(id int64) error {
		return s.UpdateOwn(context.Background(), func(tx *Tx) error { return insertRow(tx, id, []byte("own")) })
	}
	if err := insert(1); err != nil || !s.Anchored() {
		t.Fatalf("a first segment: %v, anchored %v", err, s.Anchored())
	}
	g.fs.FailSyncs(1, "/profile/"+anchorName)
	var readers sync.WaitGroup
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				rows, err := readRows(s)
				if err == nil && len(rows) > 1 && s.Anchored() {
					t.Errorf("%d segments can be read, the anchor knows one, and the store says that it is well", len(rows))
					return
				}
			}
		})
	}
	for id := int64(2); id < 40; id++ {
		if err := insert(id); !errors.Is(err, ErrAnchor) {
			t.Errorf("without an anchor: %v", err)
		}
		if err := s.Update(context.Background(), func(*Tx) error { return nil }); err != nil || s.Anchored() {
			t.Errorf("another commit meanwhile: %v, anchored %v", err, s.Anchored())
		}
	}
	stop()
	readers.Wait()
	g.fs.FailSyncs(0)
	if err := s.UpdateOwn(context.Background(), func(*Tx) error { return nil }); err != nil || !s.Anchored() {
		t.Errorf("with an anchor again: %v, anchored %v", err, s.Anchored())
	}
}

func TestTheDiskIsSaidToBeFullOnceAndToHaveRoomOnce(t *testing.T) {
	g := newRig(t, seed(), true)
	s := mustOpen(t, g.cfg)
	defer mustClose(t, s)
	var told []bool
	s.OnFull(func(full bool) { told = append(told, full) })
	insert := func(id int64, size int) error {
		return s.Update(context.Background(), func(tx *Tx) error { return insertRow(tx, id, make([]byte, size)) })
	}
	g.fs.SetFull(1)
	for id := range int64(3) {
		if err := errors.Join(insert(id, 40_000), s.Probe(context.Background())); !errors.Is(err, ErrFull) {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	if err := s.Update(context.Background(), func(*Tx) error { return errGivenUp }); !errors.Is(err, errGivenUp) {
		t.Fatal(err)
	}
	if len(told) != 1 || !told[0] {
		t.Errorf("told %v, want that it is full, once", told)
	}
	g.fs.SetFull(0)
	if err := insert(10, 100); err != nil || len(told) != 1 {
		t.Errorf("with something small stored: told %v, %v", told, err)
	}
	for id := range int64(3) {
		if err := errors.Join(insert(id, 40_000), s.Probe(context.Background())); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	if len(told) != 2 || told[1] {
		t.Errorf("told %v, want that there is room, once", told)
	}
}
