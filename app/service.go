package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Service is an unlocked account: the door to everything behind it. People and Rooms are what a person deals with; the
// handler methods are what the network calls. It does its own sending only inside Run.
type Service struct {
	*core
	People *People
	Rooms  *Rooms
	Owner  *Owner

	dir      *directory
	sessions *sessions
	desk     *desk
	ledger   *ledger
	archive  *archive
	herald   *herald
	links    *links
	started  time.Time

	mu      sync.Mutex
	net     Network     // nil before Run or Attach; guarded by mu
	facts   []peer.Fact // to be written down; guarded by mu
	dirty   bool        // the table of peers changed; guarded by mu
	kept    int64       // when the keeper last looked, ms; guarded by mu
	stirred chan struct{}
	ready   bool // guarded by mu
}

// newService joins the nouns. Where one tells another something, it is given the method, so that each can be read alone.
func newService(ctx context.Context, cfg Config, st *store.Store) (*Service, error) {
	me, err := load(ctx, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	c := &core{now: cfg.Now, log: cfg.Logger, window: cfg.Window, st: st, me: me, hub: &hub{}, keys: &keyCache{}, notes: &noticeBoard{}}
	s := &Service{core: c, links: newLinks(), started: cfg.Now(), stirred: make(chan struct{}, 1)}
	s.links.changed = s.wake
	s.dir = &directory{core: c}
	s.sessions = &sessions{core: c, dir: s.dir, hurry: s.links.hurry}
	reader := &opener{core: c, dir: s.dir}
	order := &sorter{core: c}
	s.ledger = &ledger{core: c, stir: s.links.hurry}
	s.archive = &archive{core: c, reader: reader, sorter: order}
	s.desk = &desk{core: c, reader: reader, sorter: order, ledger: s.ledger, stir: s.links.hurry, links: s.links}
	s.herald = &herald{core: c, dir: s.dir, sessions: s.sessions, reader: reader, sorter: order, stir: s.links.hurry, push: s.push}
	s.dir.reset = s.sessions.restart
	s.sessions.state, s.sessions.apply, s.sessions.request = s.herald.state, s.herald.apply, s.herald.request
	reader.joined = s.herald.joined
	s.Rooms = &Rooms{core: c, sessions: s.sessions, herald: s.herald, links: s.links}
	s.People = &People{core: c, dir: s.dir, rooms: s.Rooms, links: s.links, push: s.push}
	s.Owner = &Owner{core: c, service: s}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return s, nil
}

// begin does what a fresh start asks for: a new life of volatile state when the store went back in time, and a prekey.
func (s *Service) begin(ctx context.Context) error {
	rolled := s.st.Rolled()
	err := s.st.Update(ctx, func(tx *store.Tx) error {
		if rolled {
			if err := s.beginAnew(tx); err != nil {
				return err
			}
		}
		if err := s.me.renew(tx, s.ms()); err != nil {
			return err
		}
		return tx.Audit(auditUnlocked, nil, "")
	})
	if err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	return nil
}

// beginAnew ends every log of ours and tells the person: this store is older than the last one that was seen here.
func (s *Service) beginAnew(tx *store.Tx) error {
	if err := s.me.beginAnew(tx, s.ms()); err != nil {
		return err
	}
	if err := tx.CloseOwnLogs(); err != nil {
		return err
	}
	tx.Acknowledge()
	return s.notice(tx, auditRolledBack, "rolled_back", "")
}

// Self is what the node needs of us.
func (s *Service) Self() peer.Self {
	s.me.mu.Lock()
	defer s.me.mu.Unlock()
	return peer.Self{Account: s.me.key, Device: s.me.device, Host: s.me.host, List: s.me.list.Head(), Port: s.me.port}
}

// Watch tells what changes from now on.
func (s *Service) Watch() *Watcher { return s.hub.watch() }

// Close closes the store. Run must have returned.
func (s *Service) Close() error { return s.st.Close() }

// Attach joins the network without running: the simulator steps by itself.
func (s *Service) Attach(n Network) {
	s.mu.Lock()
	s.net, s.dirty, s.ready = n, true, true
	s.mu.Unlock()
	s.wake()
}

// push has the table of peers sent down again.
func (s *Service) push() {
	s.mu.Lock()
	s.dirty = true
	s.mu.Unlock()
	s.wake()
}

func (s *Service) wake() {
	select {
	case s.stirred <- struct{}{}:
	default:
	}
}

// Run sends what is owed, keeps house, and blocks until ctx ends and everything that it started has returned.
func (s *Service) Run(ctx context.Context, n Network) error {
	s.Attach(n)
	s.hub.tell(Change{Kind: ChangedStatus})
	g, ctx := errgroup.WithContext(ctx)
	running := map[*link]bool{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	g.Go(func() error { return s.maintain(ctx) })
	for {
		for _, k := range s.links.list() {
			if !running[k] {
				running[k] = true
				c := s.courier(k)
				g.Go(func() error { return c.run(ctx) })
			}
		}
		for k := range running {
			select {
			case <-k.ended:
				delete(running, k)
			default:
			}
		}
		next := s.clerk(ctx)
		timer.Reset(max(0, time.Duration(next-s.ms())*time.Millisecond))
		select {
		case <-ctx.Done():
			err := g.Wait()
			s.detach()
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-s.stirred:
		case <-timer.C:
		}
	}
}

func (s *Service) detach() {
	s.mu.Lock()
	s.net, s.ready = nil, false
	s.mu.Unlock()
	for _, k := range s.links.list() {
		s.links.set(peer.PathChanged{Device: k.device, Peer: k.peer, Path: peer.None})
	}
}

func (s *Service) courier(k *link) *courier {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &courier{core: s.core, net: s.net, links: s.links, dir: s.dir, sessions: s.sessions, ledger: s.ledger, archive: s.archive, herald: s.herald, link: k}
}

// run steps until the link ends. After an error it rests a moment: the link may have died without anybody having said so.
func (c *courier) run(ctx context.Context) error {
	rest := 200 * time.Millisecond
	for ctx.Err() == nil && !c.link.gone() {
		done, next, err := c.step(ctx)
		wait := max(0, time.Duration(next-c.ms())*time.Millisecond)
		switch {
		case err != nil:
			c.core.log.Debug("serving a device", "device", c.link.device.Short(), "err", err)
			wait, rest = rest, min(2*rest, 30*time.Second)
		case done:
			rest = 200 * time.Millisecond
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.link.ended:
			timer.Stop()
			return nil
		case <-c.link.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Step does one thing that is due, in an order that depends on nothing but the state, and returns whether there was one and
// when to look again. It is Run for a simulator, which has one thread.
func (s *Service) Step(ctx context.Context) (done bool, next time.Time, err error) {
	at := s.clerk(ctx)
	for _, k := range s.links.list() {
		did, soon, err := s.courier(k).step(ctx)
		if did || err != nil {
			return did, s.now(), err
		}
		at = min(at, soon)
	}
	return false, time.UnixMilli(at), nil
}

// keepEvery is how often the keeper looks for keys whose life is over.
const keepEvery = 600_000

// clerk writes down what the network told, pushes the table of peers when it changed, and keeps house. It returns when to
// come again, in ms.
func (s *Service) clerk(ctx context.Context) int64 {
	s.mu.Lock()
	facts, dirty, net := s.facts, s.dirty, s.net
	s.facts, s.dirty = nil, false
	due := s.ms()-s.kept >= keepEvery
	if due {
		s.kept = s.ms()
	}
	s.mu.Unlock()
	for _, f := range facts {
		if err := s.write(ctx, f); err != nil {
			s.core.log.Warn("writing down a fact", "err", err)
		}
	}
	if dirty && net != nil {
		s.pushTable(ctx, net)
	}
	if due {
		if err := s.keep(ctx); err != nil {
			s.core.log.Warn("keeping house", "err", err)
		}
	}
	return s.ms() + keepEvery
}

func (s *Service) pushTable(ctx context.Context, net Network) {
	var all []peer.Known
	err := s.st.View(ctx, func(r *store.Reader) (err error) {
		all, err = s.dir.table(r)
		return err
	})
	if err != nil {
		s.core.log.Warn("reading the table of peers", "err", err)
		return
	}
	net.SetPeers(all)
	for _, k := range all {
		s.links.resume(k.Device)
	}
}

// keep erases keys whose life is over, renews the prekey and shows what was held back for too long.
func (s *Service) keep(ctx context.Context) error {
	return s.st.Update(ctx, func(tx *store.Tx) error {
		ms := s.ms()
		if err := s.me.renew(tx, ms); err != nil {
			return err
		}
		return errors.Join(tx.AddRunning(keepEvery), tx.DropPrekeys(ms-keyLife), tx.DropOldChains(ms-keyLife), tx.DropOldSessions(ms))
	})
}

// maintain lets the store keep itself: search index, space, checks. It rests when there is nothing to do.
func (s *Service) maintain(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := s.st.Maintain(ctx)
		if err != nil && ctx.Err() == nil {
			s.core.log.Warn("keeping the store", "err", err)
		}
		wait := time.Second
		if more {
			wait = time.Millisecond
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// write keeps a fact that outlives the connection.
func (s *Service) write(ctx context.Context, f peer.Fact) error {
	return s.st.Update(ctx, func(tx *store.Tx) error {
		switch f := f.(type) {
		case peer.PathChanged:
			if f.Addr == "" || f.Path == peer.Relayed {
				return nil
			}
			return moved(tx, f.Peer, []string{f.Addr}, s.ms())
		case peer.RecordLearned:
			p, err := tx.Place(f.Peer[:])
			if err != nil || f.Seq <= p.Seq && len(p.Record) > 0 {
				return err
			}
			p.Seq, p.Record = f.Seq, f.Record
			return tx.SetPlace(p, s.ms())
		case peer.PortChosen:
			return tx.SetNumber("port", int64(f.Port))
		case peer.Refused:
			return tx.CountRefused(f.Cause, f.N, s.ms())
		}
		return nil
	})
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
	}
	s.mu.Lock()
	if len(s.facts) < 4096 {
		s.facts = append(s.facts, f)
	}
	s.mu.Unlock()
	s.wake()
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
