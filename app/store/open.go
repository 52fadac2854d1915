package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime/debug"

	"github.com/ncruces/go-sqlite3"

	"github.com/cryptexq/cryptexq/app/store/sealvfs"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// Create makes a vault in cfg.Dir, which password opens. The password is stretched by p, with less memory where this machine
// would else refuse to open the vault again. The database comes first and vault.cqv last, so that a vault is
// whole or not there. It returns ErrExists when there is one.
func Create(ctx context.Context, cfg Config, pw []byte, p vault.Params) (*Store, error) {
	return create(ctx, cfg, password(pw), p)
}

// CreateKey is Create for a vault that only the 32-byte key of the words opens, until it gets a password.
func CreateKey(ctx context.Context, cfg Config, key []byte) (*Store, error) {
	return create(ctx, cfg, words(key), vault.Params{})
}

// Open opens the vault in cfg.Dir with its password. Besides ErrPassword, ErrNone, ErrNewer, *DamagedError, *ForeignError
// and *InUseError it returns a *vault.MemoryError when the password's stretching needs more than half of this machine's
// memory. See Rolled.
func Open(ctx context.Context, cfg Config, pw []byte) (*Store, error) {
	return open(ctx, cfg, password(pw))
}

// OpenKey is Open with the 32-byte key of the words.
func OpenKey(ctx context.Context, cfg Config, key []byte) (*Store, error) {
	return open(ctx, cfg, words(key))
}

// begin is a Store with nothing but its lock.
func begin(ctx context.Context, cfg Config) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg.withDefaults(), checkpointAt: checkpointPages, checkpointEvery: checkpointPages}
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return nil, err
	}
	s.cfg.Dir, s.lock = dir, s.cfg.Lock
	if s.lock == nil {
		if s.lock, err = lockProfile(s.cfg.FS, dir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// give returns s, or frees what it took when there is an error.
func (s *Store) give(err error) (*Store, error) {
	if err == nil {
		return s, nil
	}
	if s.writer.conn != nil {
		s.writer.close()
	}
	s.unregister()
	if s.keys != nil {
		s.wipe()
	}
	if s.cfg.Lock == nil {
		s.lock.Close()
	}
	return nil, err
}

// take sets what depends on the data key.
func (s *Store) take(h *vault.Header, data [vault.KeySize]byte) {
	s.header, s.keys = h, newKeys(data)
	s.anchor = &anchorFile{disk: s.cfg.FS, path: filepath.Join(s.cfg.Dir, anchorName), key: s.keys.anchor}
}

func create(ctx context.Context, cfg Config, with secret, p vault.Params) (*Store, error) {
	s, err := begin(ctx, cfg)
	if err != nil {
		return nil, err
	}
	err = s.create(ctx, with, p)
	debug.FreeOSMemory()
	made, err := s.give(s.diagnoseIn("creating vault", err))
	if err != nil && s.header != nil && !exists(s.cfg.FS, s.cfg.Dir) {
		for _, suffix := range []string{"", "-wal"} { // nobody has the key of these
			s.cfg.FS.Remove(filepath.Join(s.cfg.Dir, s.header.Live) + suffix)
		}
	}
	return made, err
}

func (s *Store) create(ctx context.Context, with secret, p vault.Params) (err error) {
	if exists(s.cfg.FS, s.cfg.Dir) {
		return ErrExists
	}
	h := &vault.Header{Epoch: 1, Live: "data-" + randomName() + ".db"}
	rand.Read(h.Vault[:])
	rand.Read(h.File[:])
	s.take(h, vault.NewKey())
	slot, err := with.seal(p, s.keys.data, h.Vault)
	if err != nil {
		return err
	}
	h.Slots = [][]byte{slot}
	if s.cfg.WordsKey != nil {
		if slot, err = words(s.cfg.WordsKey).seal(vault.Params{}, s.keys.data, h.Vault); err != nil {
			return err
		}
		h.Slots = append(h.Slots, slot)
	}
	s.fresh = sealvfs.NewFresh(h.Epoch, nil)
	s.register(sealvfs.New(s.cfg.FS.VFS(), s.keys.page, h.File, s.fresh))
	defer s.guard(&err, &s.writer)
	if s.writer.conn, err = s.dial(making); err != nil {
		return err
	}
	if err := migrate(s.writer.conn.Conn, migrations()); err != nil {
		return err
	}
	if err := s.checkpoint(sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return err
	}
	a := anchor{vault: h.Vault, file: h.File, epoch: h.Epoch}
	if a.commits, err = commits(s.writer.conn); err != nil {
		return err
	}
	s.anchor.set(a)
	if err := s.anchor.write(s.cfg.Now()); err != nil {
		return err
	}
	if s.cfg.Fill != nil {
		if err := s.UpdateOwn(ctx, s.cfg.Fill); err != nil {
			return err
		}
	}
	if err := s.writeHeader(h); err != nil {
		return err
	}
	s.openReaders()
	return nil
}

func open(ctx context.Context, cfg Config, with secret) (*Store, error) {
	s, err := begin(ctx, cfg)
	if err != nil {
		return nil, err
	}
	err = s.open(ctx, with)
	return s.give(s.diagnoseIn("opening vault", err))
}

// diagnoseIn is diagnose with what was being done, for errors that do not say it.
func (s *Store) diagnoseIn(doing string, err error) error {
	if err == nil {
		return nil
	}
	if s.header != nil {
		err = s.diagnose(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (s *Store) open(ctx context.Context, with secret) error {
	h, data, rewrite, err := unlock(s.cfg.FS, s.cfg.Dir, with)
	if with.kind == vault.KindPassword {
		debug.FreeOSMemory()
	}
	if err != nil {
		return err
	}
	s.take(h, data)
	if err := s.checkFile(); err != nil {
		return err
	}
	known, err := s.readPast()
	if err != nil {
		return err
	}
	if known, err = s.connectFirst(known); err != nil {
		return err
	}
	if err := s.settle(ctx, known); err != nil {
		return err
	}
	if rewrite {
		if err := s.changeSlots(func(slots [][]byte) ([][]byte, error) { return slots, nil }); err != nil {
			s.cfg.Logger.Warn("second copy of the header not written", "component", "store", "err", err)
		}
	}
	return nil
}

// checkFile looks at the main file before SQLite does: of an empty file it deletes the log, and of a plain one it would
// make nothing good.
func (s *Store) checkFile() error {
	r, size, closed, err := s.cfg.FS.Read(filepath.Join(s.cfg.Dir, s.header.Live))
	if errors.Is(err, fs.ErrNotExist) {
		return &DamagedError{s.header.Live, RemedyRestore, err}
	}
	if err != nil {
		return err
	}
	defer closed()
	magic := []byte("SQLite format 3\x00")
	b := make([]byte, len(magic))
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return err
	}
	if bytes.Equal(b, magic) {
		return &ForeignError{s.header.Live, RemedyMove}
	}
	if size < sealvfs.PageSize {
		return &DamagedError{s.header.Live, RemedyRestore, fmt.Errorf("%d bytes", size)}
	}
	return nil
}

// openReaders makes room for the reading connections, which are opened when they are first needed.
func (s *Store) openReaders() {
	s.readers = make(chan *place, numReaders)
	for range numReaders {
		s.readers <- &place{}
	}
}

// commits is how many transactions were committed.
func commits(c *conn) (n uint64, err error) {
	r := Reader{c: c}
	found, err := r.one("SELECT v FROM meta WHERE k = 'commits'", func(row Row) error {
		n = row.Uint(0)
		return nil
	})
	if err == nil && !found {
		err = sqlite3.CORRUPT
	}
	return n, err
}

// randomName is eight hexadecimal digits.
func randomName() string {
	var b [4]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
