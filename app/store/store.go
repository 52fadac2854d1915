// Package store keeps everything that is on disk: one encrypted SQLite file, and nothing is acknowledged before it is in
// it and synced.
//
// A profile's folder holds
//
//	lock               the number of the process that has it
//	vault.cqv          which file is the database, and the slots that open it (crypto/vault); .bak is a second copy
//	data-XXXXXXXX.db   the database, sealed page by page (sealvfs), with its -wal and -shm
//	anchor.cqv         how far it had come, so that a database that went back in time is noticed
//	pages-XXXXXXXX.cqv the newest version of every page, as of the last clean close
//
// Create and Open return a Store; View reads, Update writes. One connection writes, two read. Whoever calls Update while
// nobody else does commits at once; those who call meanwhile are committed together by one of them, so the store owns no
// goroutine. Upkeep is done in small steps by whoever calls Maintain, at least every few seconds.
//
// Nothing is ever deleted or made anew because of an error, but for a second copy of the header that would open with what was
// replaced. Errors of a file name it and what can be done: ErrPassword,
// ErrNewer, *DamagedError, *ForeignError, *InUseError; ErrFull leaves the store as it was and usable.
package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/cryptexq/cryptexq/app/store/sealvfs"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// Config says where a store is and what it uses. Zero fields mean the documented default.
type Config struct {
	Dir    string           // the profile's folder
	FS     Disk             // nil: OS
	Lock   *Lock            // of the folder, released by Close; nil: taken by Create and Open
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged

	// Fill writes what a new vault begins with, for Create only: it runs before vault.cqv is written, so that a vault which
	// can be unlocked is never without it. WordsKey, if not nil, opens the new vault too.
	Fill     func(tx *Tx) error
	WordsKey []byte

	// Single means one connection, for reading too, and no shared index of the log: for simulators, and for file systems
	// that cannot map memory.
	Single bool
}

func (c Config) withDefaults() Config {
	if c.FS == nil {
		c.FS = OS{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// numReaders is how many Views run at once.
const numReaders = 2

// Store is an open vault. Its methods may be called by any goroutine.
type Store struct {
	cfg      Config
	lock     *Lock
	keys     *keys
	vfs      *sealvfs.VFS
	vfsName  string
	fresh    *sealvfs.Fresh
	anchor   *anchorFile
	anchored head // of the audit log, as the anchor knew it when the store was opened

	headerMu sync.Mutex
	header   *vault.Header // its fields guarded by headerMu; Live and File are set once

	queue   queue
	readers chan *place // those that are free
	onFull  func(full bool)
	full    bool         // the last commits found the disk full; the queue's leader only, as the next
	wrote   int          // frames that the last commit put into the log
	gate    sync.RWMutex // held for writing from the commit of an own segment until its anchor is on disk

	connMu          sync.Mutex
	writer          place // guarded by connMu, as all below
	ended           bool
	logPages        int  // frames in the log
	checkpointEvery int  // frames, checkpointPages
	checkpointAt    int  // frames from which it is written back
	cut             bool // the log is to be cut off: something was erased

	upkeepMu sync.Mutex
	upkeep   upkeep // guarded by upkeepMu

	closed atomic.Bool
}

// dial opens a connection to the database.
func (s *Store) dial(r role) (*conn, error) {
	c, err := connect(filepath.Join(s.cfg.Dir, s.header.Live), s.vfsName, r, s.cfg.Single)
	if err != nil {
		return nil, err
	}
	if r != reading {
		c.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
			if pages < s.logPages {
				s.checkpointAt = s.checkpointEvery // the log began anew
			}
			s.logPages = pages
			return nil
		})
	}
	return c, nil
}

// register makes the VFS known to SQLite under a name that nobody else uses.
func (s *Store) register(v *sealvfs.VFS) {
	s.unregister()
	s.vfs, s.vfsName = v, "cqx-"+randomName()
	vfs.Register(s.vfsName, v)
}

func (s *Store) unregister() {
	if s.vfsName != "" {
		vfs.Unregister(s.vfsName)
		s.vfsName = ""
	}
}

// Rolled reports whether the database, as it was opened, had gone back in time, or whether nobody can say: it is behind
// its anchor, or the anchor is gone or false. What a peer was told may then be unknown here, so a new inc and new logs are
// due; the transaction that writes those calls Tx.Acknowledge. Until then Rolled stays true, over restarts too.
func (s *Store) Rolled() bool { return s.anchor.get().alarm }

// keys are those that come from the data key, and the data key itself, for new slots.
type keys struct {
	data, page, audit, header, anchor, pages [vault.KeySize]byte
}

func newKeys(data [vault.KeySize]byte) *keys {
	return &keys{
		data:   data,
		page:   vault.Subkey(data, "page"),
		audit:  vault.Subkey(data, "audit"),
		header: vault.Subkey(data, "header"),
		anchor: vault.Subkey(data, "anchor"),
		pages:  vault.Subkey(data, "map"),
	}
}

func (k *keys) wipe() { *k = keys{} }

// wipe overwrites the keys when nobody uses them any more, a change of the slots in particular. Those inside of ciphers, and
// what Go has copied, it can only let go of.
func (s *Store) wipe() {
	s.headerMu.Lock()
	defer s.headerMu.Unlock()
	s.keys.wipe()
	s.anchor.wipe()
	s.vfs = nil
}

// Close ends the store: what waits is committed, the log is written back, page versions and anchor are saved, keys are
// wiped as far as Go allows, the lock is released. After an error the store is closed all the same, and the next Open finds an
// unclean end. It may be called again.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.drain()
	if !s.cfg.Single {
		for range numReaders {
			p := <-s.readers
			p.broken = true
			p.mend()
		}
		close(s.readers)
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.ended = true
	err := s.closeWriter()
	s.unregister()
	s.wipe()
	if e := s.lock.Close(); err == nil {
		err = e
	}
	return err
}

// drain lets the updates that wait finish, and lets none in after them.
func (s *Store) drain() {
	s.submit(&job{ctx: context.Background(), fn: func(*Tx) error { return ErrClosed }, last: true})
}

// closeWriter writes back the log and leaves a clean end, if it can.
func (s *Store) closeWriter() (err error) {
	p := &s.writer
	p.broken = true
	if p.conn == nil {
		return nil // an error before; the log is whole
	}
	func() {
		defer s.guard(&err, p)
		err = s.checkpoint(sqlite3.CHECKPOINT_TRUNCATE)
	}()
	p.broken = true
	if e := p.close(); err == nil {
		err = e
	}
	if err == nil {
		err = s.saveEnd()
	}
	return s.diagnose(err)
}

func (p *place) close() error {
	c := p.conn
	p.conn = nil
	return c.close()
}
