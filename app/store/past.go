package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/cryptexq/cryptexq/app/store/sealvfs"
)

// past is what is known of the database from outside when it is opened.
type past struct {
	anchor anchor
	found  bool     // the anchor is there and of this file
	pages  []uint64 // lower bounds of the page versions
	rolled bool     // it has gone back, or nobody can say
}

// readPast reads the anchor and the saved map of page versions. When one of them is gone or false, that is an alarm, and
// the versions are taken from the file.
func (s *Store) readPast() (p past, err error) {
	p.anchor, p.found, err = s.anchor.read(s.header.Vault, s.header.File)
	if err != nil {
		return p, fmt.Errorf("reading %s: %w", anchorName, err)
	}
	if p.found && p.anchor.clean {
		if err := s.checkNoLog(); err != nil {
			return p, err
		}
	}
	if p.found && p.anchor.pages != ([32]byte{}) {
		var ok bool
		if p.pages, ok = s.readPages(p.anchor.pages); ok {
			return p, nil
		}
		p.rolled = true
	}
	if !p.found {
		p.rolled = true
		p.anchor = anchor{vault: s.header.Vault, file: s.header.File, epoch: s.header.Epoch}
	}
	if p.rolled {
		if p.pages, err = s.scan(); err != nil {
			return p, err
		}
		p.anchor.epoch = max(p.anchor.epoch, newestEpoch(p.pages))
	}
	return p, nil
}

// checkNoLog looks for a log where a clean end has left none. SQLite would write its pages, of whatever time, over newer ones.
func (s *Store) checkNoLog() error {
	name := s.header.Live + "-wal"
	_, size, closed, err := s.cfg.FS.Read(filepath.Join(s.cfg.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	closed()
	if size > 0 {
		return &ForeignError{name, RemedyMove}
	}
	return nil
}

// scan reads the versions of all pages of the main file, about a second a gigabyte.
func (s *Store) scan() ([]uint64, error) {
	r, size, closed, err := s.cfg.FS.Read(filepath.Join(s.cfg.Dir, s.header.Live))
	if err != nil {
		return nil, err
	}
	defer closed()
	return sealvfs.New(s.cfg.FS.VFS(), s.keys.page, s.header.File, nil).Versions(r, size)
}

// connectFirst opens the writing connection and compares the database with its past.
func (s *Store) connectFirst(p past) (past, error) {
	err := s.tryFirst(&p)
	if s.fresh.Ahead() {
		return s.connectAhead(p)
	}
	broken, stale := s.vfs.Refused()
	if !errors.Is(err, sealvfs.ErrDamaged) || stale == 0 || broken > 0 {
		return p, err
	}
	// A page is older than it was. Is it one page, or the whole file?
	found, e := s.scan()
	if e != nil {
		return p, e
	}
	if !sealvfs.Older(p.pages, found) {
		return p, err
	}
	older := p
	older.pages, older.rolled = found, true
	if e := s.tryFirst(&older); e != nil {
		return p, e
	}
	if older.anchor.commits >= p.anchor.commits {
		return p, err // as many commits, and yet an old page
	}
	return older, nil
}

// connectAhead is connectFirst for an anchor that is older than the file, as if it had been put back: its epoch was used
// since, and used again would make page versions repeat.
func (s *Store) connectAhead(p past) (past, error) {
	found, err := s.scan()
	if err != nil {
		return p, err
	}
	p.pages, p.rolled = found, true
	p.anchor.epoch = max(p.anchor.epoch, newestEpoch(found))
	return p, s.tryFirst(&p)
}

// newestEpoch is that of the newest page.
func newestEpoch(versions []uint64) (epoch uint32) {
	for _, v := range versions {
		epoch = max(epoch, uint32(v>>32))
	}
	return epoch
}

func (s *Store) tryFirst(p *past) (err error) {
	if s.writer.conn != nil {
		s.writer.close()
	}
	s.fresh = sealvfs.NewFresh(p.anchor.epoch+1, p.pages)
	s.register(sealvfs.New(s.cfg.FS.VFS(), s.keys.page, s.header.File, s.fresh))
	defer s.guard(&err, &s.writer)
	if s.writer.conn, err = s.dial(writing); err != nil {
		return err
	}
	return s.judge(p)
}

// judge compares the database with its anchor. Nothing has been written yet.
func (s *Store) judge(p *past) error {
	c := s.writer.conn
	id, err := pragma(c.Conn, "application_id")
	if err != nil {
		return err
	}
	version, err := pragma(c.Conn, "user_version")
	switch {
	case err != nil:
		return err
	case id != applicationID:
		return &ForeignError{s.header.Live, RemedyMove}
	case version > int64(len(migrations())):
		return ErrNewer
	}
	n, err := commits(c)
	if err != nil {
		return err
	}
	if n < p.anchor.commits {
		p.rolled = true
	}
	// The audit log as the anchor knew it must be there.
	s.anchored = p.anchor.audit
	if s.anchored.n > 0 {
		h, err := s.lastAudit(s.anchored.n)
		if err != nil {
			return err
		}
		p.rolled = p.rolled || h != s.anchored
	}
	now := p.anchor
	now.commits = n
	now.audit, err = s.lastAudit(1<<63 - 1)
	p.anchor = now
	return err
}

// lastAudit is the newest row of the audit log up to n.
func (s *Store) lastAudit(n uint64) (h head, err error) {
	r := Reader{s, s.writer.conn}
	_, err = r.one("SELECT n, mac FROM audit_log WHERE n <= ? ORDER BY n DESC LIMIT 1", func(row Row) error {
		h.n = row.Uint(0)
		copy(h.mac[:], row.Bytes(1))
		return nil
	}, n)
	return h, err
}

// settle begins the new epoch, which is on disk before the first write, and does the first writes: log, migrations, and
// the record of an alarm.
func (s *Store) settle(ctx context.Context, p past) error {
	a := p.anchor
	a.epoch++
	s.upkeep.check = !a.clean || p.rolled
	alarm := p.rolled && !a.alarm
	if p.rolled { // what the anchor knew is gone with the rest; what there is has to hang together
		s.anchored = a.audit
	}
	a.clean, a.alarm = false, a.alarm || p.rolled
	if p.rolled {
		a.pages = [32]byte{} // of another time
	}
	s.anchor.set(a)
	if err := s.anchor.write(s.cfg.Now()); err != nil {
		return fmt.Errorf("writing %s: %w", anchorName, err)
	}
	if err := s.firstWrites(); err != nil {
		return err
	}
	s.openReaders()
	s.removePages(a.pages)
	if !alarm {
		return nil
	}
	s.cfg.Logger.Warn("the database has gone back in time", "component", "store")
	return s.Update(ctx, func(tx *Tx) error { return tx.Audit(AuditRolled, nil, "") })
}

func (s *Store) firstWrites() (err error) {
	defer s.guard(&err, &s.writer)
	err = s.checkpoint(sqlite3.CHECKPOINT_TRUNCATE)
	if errors.Is(err, sqlite3.FULL) {
		err = nil // the log is as good; what can be read can be read
	}
	if err != nil {
		return err
	}
	if err := migrate(s.writer.conn.Conn, migrations()); err != nil {
		return err
	}
	n, err := commits(s.writer.conn)
	s.anchor.advance(n, s.anchor.head())
	return err
}

// Page versions are saved under a name of their own each time, which the anchor's digest makes known: whenever the power
// goes, the one that the anchor names is there.
func pagesName(digest [32]byte) string { return "pages-" + hex.EncodeToString(digest[:4]) + ".cqv" }

// readPages reads the map of page versions that has digest; ok is false when it is gone or false.
func (s *Store) readPages(digest [32]byte) (pages []uint64, ok bool) {
	raw, err := readWhole(s.cfg.FS, filepath.Join(s.cfg.Dir, pagesName(digest)))
	if err != nil || sha256.Sum256(raw) != digest || len(raw) < chacha20poly1305.NonceSizeX {
		return nil, false
	}
	aead, err := chacha20poly1305.NewX(s.keys.pages[:])
	if err != nil {
		return nil, false
	}
	nonce, sealed := raw[:aead.NonceSize()], raw[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, s.header.File[:])
	if err != nil {
		return nil, false
	}
	return sealvfs.ParseVersions(plain)
}

// saveEnd leaves a clean end: the page versions, and an anchor that names them. The database is closed.
func (s *Store) saveEnd() error {
	_, size, closed, err := s.cfg.FS.Read(filepath.Join(s.cfg.Dir, s.header.Live))
	if err != nil {
		return err
	}
	closed()
	pages := s.fresh.Pages()
	pages = pages[:min(int64(len(pages)), size/sealvfs.PageSize)]
	aead, err := chacha20poly1305.NewX(s.keys.pages[:])
	if err != nil {
		return err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	raw := aead.Seal(nonce, nonce, sealvfs.MarshalVersions(pages), s.header.File[:])
	digest := sha256.Sum256(raw)
	if err := s.cfg.FS.Replace(filepath.Join(s.cfg.Dir, pagesName(digest)), raw); err != nil {
		return err
	}
	a := s.anchor.get()
	a.pages, a.clean = digest, true
	s.anchor.set(a)
	if err := s.anchor.write(s.cfg.Now()); err != nil {
		return err
	}
	s.removePages(digest)
	return nil
}

// removePages removes the maps that the anchor does not name. One that stays does no harm.
func (s *Store) removePages(keep [32]byte) {
	names, err := s.cfg.FS.List(s.cfg.Dir)
	if err != nil {
		return
	}
	for _, name := range names {
		if strings.HasPrefix(name, "pages-") && strings.HasSuffix(name, ".cqv") && name != pagesName(keep) {
			s.cfg.FS.Remove(filepath.Join(s.cfg.Dir, name))
		}
	}
}
