package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Service is an unlocked account: the door to everything behind it. People and Rooms are what a person deals with; the handler
// methods are what the network calls. It does its own sending only inside Run.
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
	judge    *judge
	links    *links
	started  time.Time
	stirred  chan struct{} // holds one: the clerk is wanted

	mu    sync.Mutex
	net   Network // nil before Run or Attach; guarded by mu
	ready bool    // guarded by mu
	chores
}

// newService joins the nouns. Where one tells another something, it is given the method, so that each can be read alone.
func newService(ctx context.Context, cfg Config, st *store.Store) (*Service, error) {
	me, err := load(ctx, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	c := &core{
		now: cfg.Now, log: cfg.Logger, window: cfg.Window, st: st, me: me, hub: &hub{}, keys: &keyCache{}, notes: &noticeBoard{}, refused: &tally{},
	}
	s := &Service{core: c, links: newLinks(), started: cfg.Now(), stirred: make(chan struct{}, 1)}
	s.links.changed, c.rouse = s.wake, s.wake
	s.dir = &directory{core: c}
	s.sessions = &sessions{core: c, dir: s.dir, hurry: s.links.hurry}
	s.ledger = &ledger{core: c, links: s.links}
	order := &sorter{core: c}
	s.judge = &judge{core: c, sorter: order, claim: s.links.claim}
	reader := &opener{core: c, dir: s.dir, twin: s.judge.twin, stir: s.links.hurryAll}
	shelf := &shelf{core: c, reader: reader, sorter: order}
	s.archive = &archive{core: c, shelf: shelf, judge: s.judge}
	s.desk = &desk{core: c, shelf: shelf, judge: s.judge, ledger: s.ledger, links: s.links}
	s.herald = &herald{core: c, dir: s.dir, sessions: s.sessions, reader: reader, stir: s.links.hurry, push: s.push}
	reader.joined, reader.certify = s.herald.joined, s.herald.author
	s.dir.reset, s.dir.push = s.sessions.restart, s.push
	s.sessions.state, s.sessions.apply, s.sessions.admit = s.herald.state, s.herald.apply, s.herald.admit
	s.Rooms = &Rooms{core: c, sessions: s.sessions, links: s.links}
	s.People = &People{core: c, rooms: s.Rooms, sessions: s.sessions, links: s.links, push: s.push}
	s.Owner = &Owner{core: c, service: s}
	st.OnFull(s.room)
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return s, nil
}

// begin does what a fresh start asks for: a new life of volatile state when the store went back in time, and a prekey.
func (s *Service) begin(ctx context.Context) error {
	if err := s.notes.load(ctx, s.core); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	rolled := s.st.Rolled()
	err := s.st.Update(ctx, func(tx *store.Tx) error {
		renew := s.me.renew
		if rolled {
			renew = s.me.beginAnew
			tx.Acknowledge()
			if err := s.notice(tx, auditRolledBack, "rolled_back", ""); err != nil {
				return err
			}
		}
		return errors.Join(renew(tx, s.ms()), tx.Audit(auditUnlocked, nil, ""))
	})
	if err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	s.held.Store(true)
	return nil
}

// Self is what the node needs of us.
func (s *Service) Self() peer.Self {
	s.me.mu.Lock()
	defer s.me.mu.Unlock()
	return peer.Self{Account: s.me.key, Device: s.me.device, Host: s.me.host, List: s.me.list.Head(), Port: s.me.port}
}

// Watch tells what changes from now on.
func (s *Service) Watch() *Watcher { return s.hub.watch() }

// room is told by the store whether there is any left: what waited for it goes on at once.
func (s *Service) room(full bool) {
	if full {
		s.diskFull()
	} else {
		s.hasRoom()
		s.links.hurryAll()
	}
	s.wake()
}

// Close closes the store. Run must have returned.
func (s *Service) Close() error {
	_ = s.flush(context.Background()) // what was refused is a count, and no reason not to close
	return s.st.Close()
}

// Attach joins the network without running: the simulator steps by itself.
func (s *Service) Attach(n Network) {
	s.mu.Lock()
	s.net, s.ready = n, true
	s.table, s.enter, s.named = true, true, s.shown != nil
	s.mu.Unlock()
	s.wake()
}

// push has the table of peers sent down again.
func (s *Service) push() {
	s.mu.Lock()
	s.table = true
	s.mu.Unlock()
	s.wake()
}

// show has the network told under which name we are seen nearby.
func (s *Service) show(name string) {
	s.mu.Lock()
	s.shown, s.named = &name, true
	s.mu.Unlock()
	s.wake()
}

func (s *Service) wake() {
	select {
	case s.stirred <- struct{}{}:
	default:
	}
}

// Step does one thing that is due, in an order that depends on nothing but the state, and returns whether there was one and
// when to look again. It is Run for a simulator, which has one thread.
func (s *Service) Step(ctx context.Context) (done bool, next time.Time, err error) {
	at := s.clerk(ctx)
	for _, k := range s.links.list() {
		did, soon, failed := s.courier(k).step(ctx)
		if did {
			return true, s.now(), failed
		}
		at, err = min(at, soon), either(err, failed) // who cannot be reached holds up nobody behind them
	}
	if err != nil {
		return false, s.now(), err
	}
	return false, time.UnixMilli(at), nil
}

func (s *Service) courier(k *link) *courier {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &courier{
		core: s.core, net: carrier{s.core, s.net}, links: s.links, dir: s.dir, sessions: s.sessions, ledger: s.ledger, archive: s.archive, herald: s.herald,
		judge: s.judge, link: k,
	}
}
