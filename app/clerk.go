package app

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// chores is what waits for the clerk. It is guarded by the mutex of the Service.
type chores struct {
	facts   []peer.Fact // to be written down
	table   bool        // the table of peers changed
	enter   bool        // there may be rooms that we said yes to and have not entered, the power or the disk being out
	shown   *string     // the name under which others nearby see us, nil while it is what the network began with
	named   bool        // the network is to be told
	kept    int64       // when the keeper last looked, ms
	flushed int64       // when refusals were last added to the store, ms
	probed  int64       // when it was last looked whether the disk is still full, ms
}

const (
	keepEvery  = 600_000 // ms between two looks for keys whose life is over
	flushEvery = 30_000  // ms for which refusals are counted in memory only
	maxFacts   = 4096
)

// clerk writes down what the network told, pushes the table of peers when it changed, tells of messages whose wait is over, and
// keeps house. It returns when to come again, in ms.
func (s *Service) clerk(ctx context.Context) int64 {
	s.mu.Lock()
	now := s.ms()
	facts, table, enter, named, shown, net := s.facts, s.table, s.enter, s.named, s.shown, s.net
	s.facts, s.table, s.enter, s.named = nil, false, false, false
	keep := s.since(s.kept) >= keepEvery
	if keep {
		s.kept = now
	}
	flush := s.since(s.flushed) >= flushEvery
	if flush {
		s.flushed = now
	}
	s.mu.Unlock()
	failed := chores{}
	if !s.try("writing down what the network told", s.note(ctx, facts)) {
		failed.facts = facts
	}
	if enter || keep {
		failed.enter = !s.try("entering rooms", s.Rooms.enter(ctx))
	}
	if table && net != nil {
		failed.table = !s.try("reading the table of peers", s.pushTable(ctx, net))
	}
	if n, can := net.(NearbyNetwork); can && named {
		s.try("showing our name nearby", n.SetNearby(*shown))
	}
	if keep {
		s.try("keeping house", s.keep(ctx))
	}
	if flush {
		s.try("counting refusals", s.flush(ctx))
	}
	next := now + flushEvery
	if s.again(failed) {
		next = now + diskPause
	}
	if s.full.Load() {
		next = min(next, s.probe(ctx, now))
	}
	if s.held.Load() {
		at, err := s.unhold(ctx, now)
		s.try("showing what was held back", err)
		if at > 0 {
			next = min(next, at)
		}
	}
	return next
}

// try reports whether something worked. That the disk is full is said once, not by everything that fails on it; what was given up
// because the messenger stops is no failure.
func (s *Service) try(doing string, err error) bool {
	s.damaged(err)
	if err != nil && !errors.Is(err, store.ErrFull) && !errors.Is(err, context.Canceled) {
		s.log.Warn(doing, "err", err)
	}
	return err == nil
}

// again puts back what could not be done, and reports whether there was any.
func (s *Service) again(failed chores) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(failed.facts, s.facts...)
	s.facts = s.facts[max(0, len(s.facts)-maxFacts):]
	s.table = s.table || failed.table
	s.enter = s.enter || failed.enter
	return failed.table || failed.enter || len(failed.facts) > 0
}

// probe looks whether the disk is still full: nobody else may have anything to store. It returns when to look again.
func (s *Service) probe(ctx context.Context, now int64) int64 {
	s.mu.Lock()
	due := s.since(s.probed) >= diskPause
	if due {
		s.probed = now
	}
	s.mu.Unlock()
	if due {
		s.try("looking for room on the disk", s.st.Probe(ctx))
	}
	return now + diskPause
}

func (s *Service) pushTable(ctx context.Context, net Network) error {
	var all []peer.Known
	err := s.st.View(ctx, func(r *store.Reader) (err error) {
		all, err = s.dir.table(r)
		return err
	})
	if err != nil {
		return err
	}
	net.SetPeers(all)
	for _, k := range all {
		s.links.resume(k.Device)
	}
	return nil
}

// keep erases keys whose life is over and signatures that nobody needs, and renews the prekey.
func (s *Service) keep(ctx context.Context) error {
	return s.st.Update(ctx, func(tx *store.Tx) error {
		ms := s.ms()
		for _, err := range []error{
			s.me.renew(tx, ms), tx.AddRunning(keepEvery), tx.DropPrekeys(ms - keyLife), tx.DropOldChains(ms - keyLife), tx.DropOldSessions(ms), tx.DropForgone(ms - closedLife),
		} {
			if err != nil {
				return err
			}
		}
		return tx.DropConfirmed(signatureStep)
	})
}

// closedLife is how long a session that was closed before it came is remembered: its INIT hangs on a prekey that was ours then, is
// replaced within two of its ages, and dies after the key life.
const closedLife = keyLife + 2*prekeyAge

// signatureStep bounds the signatures that go at one time.
const signatureStep = 2000

// flush adds what was refused to the counts of the store.
func (s *Service) flush(ctx context.Context) error {
	counts := s.refused.take()
	if len(counts) == 0 {
		return nil
	}
	err := s.st.Update(ctx, func(tx *store.Tx) error {
		for _, cause := range slices.Sorted(maps.Keys(counts)) {
			if err := tx.CountRefused(cause, counts[cause], s.ms()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for cause, n := range counts {
			s.refused.add(cause, n)
		}
	}
	return err
}

// unhold releases messages that were held back until now, and tells of their rooms. It returns when the next will be, 0 when none
// waits. They are shown even when that cannot be written down.
func (s *Service) unhold(ctx context.Context, now int64) (next int64, err error) {
	s.held.Store(false)
	var rooms []store.Digest
	err = s.st.View(ctx, func(r *store.Reader) error {
		if rooms, err = r.Overdue(now); err != nil {
			return err
		}
		next, err = r.NextHold(now)
		return err
	})
	if err == nil && len(rooms) > 0 {
		err = s.st.Update(ctx, func(tx *store.Tx) error { return tx.Release(now) })
	}
	for _, id := range rooms {
		s.hub.tell(Change{Kind: ChangedRoom, Room: id})
	}
	if err != nil {
		next = now + diskPause
	}
	if next > 0 {
		s.held.Store(true)
	}
	return next, err
}

// note keeps facts that outlive the connection.
func (s *Service) note(ctx context.Context, facts []peer.Fact) error {
	facts = slices.DeleteFunc(facts, func(f peer.Fact) bool { return !kept(f) })
	if len(facts) == 0 {
		return nil
	}
	return s.st.Update(ctx, func(tx *store.Tx) error {
		for _, f := range facts {
			if err := s.write(tx, f); err != nil {
				return err
			}
		}
		return nil
	})
}

func kept(f peer.Fact) bool {
	switch f := f.(type) {
	case peer.PathChanged:
		return f.Addr != "" && f.Path != peer.Relayed
	case peer.RecordLearned, peer.PortChosen:
		return true
	}
	return false
}

// write keeps a fact. Of strangers nothing is kept: whoever connects would fill the table of addresses.
func (s *Service) write(tx *store.Tx, f peer.Fact) error {
	switch f := f.(type) {
	case peer.PathChanged:
		if _, known, err := tx.Device(f.Device); err != nil || !known {
			return err
		}
		return moved(tx, f.Peer, []string{f.Addr}, s.ms())
	case peer.RecordLearned:
		p, err := tx.Place(f.Peer[:])
		if err != nil || f.Seq >= far || f.Seq <= p.Seq && len(p.Record) > 0 {
			return err
		}
		p.Seq, p.Record = f.Seq, f.Record
		return tx.SetPlace(p, s.ms())
	case peer.PortChosen:
		return tx.SetNumber("port", int64(f.Port))
	}
	return nil
}

// HandleFact takes what the node learnt. What a person sees changes at once, what is kept is written down by the clerk.
func (s *Service) HandleFact(f peer.Fact) {
	changed := ChangedStatus
	switch f := f.(type) {
	case peer.PathChanged:
		s.links.set(f)
		changed = ChangedPeople
	case peer.Attempt:
		s.links.attempt(f)
		changed = ChangedPeople
	case peer.Found:
		s.People.nearby.found(f, s.now())
		changed = ChangedNearby
	case peer.Listening:
		s.me.listening(f)
		s.links.setOnline(online(f.Addresses))
	case peer.PortChosen:
		s.me.setPort(f.Port)
	case peer.Refused:
		s.refused.add(f.Cause, f.N)
	}
	if kept(f) {
		s.mu.Lock()
		if len(s.facts) < maxFacts {
			s.facts = append(s.facts, f)
		}
		s.mu.Unlock()
		s.wake()
	}
	s.hub.tell(Change{Kind: changed}, Change{Kind: ChangedStatus})
}

// online reports whether any address of ours is one that others could have a way to.
func online(addrs []string) bool {
	return slices.ContainsFunc(addrs, func(a string) bool {
		parts := strings.Split(a, "/")
		if len(parts) < 3 {
			return false
		}
		ip, err := netip.ParseAddr(parts[2])
		return err == nil && !ip.IsLoopback() && !ip.IsUnspecified()
	})
}
