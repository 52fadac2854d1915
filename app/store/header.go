package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/cryptexq/cryptexq/crypto/vault"
)

// Names of the header's two copies. The second is of the same generation and written after the first; an older one would
// keep an old password alive.
const (
	headerName = "vault.cqv"
	backupName = "vault.cqv.bak"
)

// secret is what opens a vault: a password or the key of the words.
type secret struct {
	kind uint8
	key  []byte
}

func password(p []byte) secret { return secret{vault.KindPassword, vault.Normalize(p)} }

func words(key []byte) secret { return secret{vault.KindWords, key} }

// memoryLimit is how much of this machine's memory stretching a password may take.
func memoryLimit() uint64 { return machineMemory() / 2 }

// defaultMemory is what a machine is taken to have that does not say.
const defaultMemory = 4 << 30

// Exists reports whether there is a vault in dir.
func Exists(dir string) bool { return exists(OS{}, dir) }

func exists(d Disk, dir string) bool {
	for _, name := range []string{headerName, backupName} {
		if _, _, closed, err := d.Read(filepath.Join(dir, name)); err == nil {
			closed()
			return true
		}
	}
	return false
}

// readWhole returns the content of a small file.
func readWhole(d Disk, name string) ([]byte, error) {
	r, size, closed, err := d.Read(name)
	if err != nil {
		return nil, err
	}
	defer closed()
	return io.ReadAll(io.NewSectionReader(r, 0, size))
}

// copyOf is one copy of the header.
type copyOf struct {
	raw    []byte
	header *vault.Header
	err    error
}

func readHeader(d Disk, name string) (c copyOf) {
	r, size, closed, err := d.Read(name)
	if err != nil {
		c.err = err
		return c
	}
	defer closed()
	c.raw, c.err = io.ReadAll(io.NewSectionReader(r, 0, min(size, vault.MaxHeader+1)))
	if c.err == nil {
		c.header, c.err = vault.ParseHeader(c.raw)
	}
	return c
}

// unlock reads both copies, opens the one with the higher generation and returns the header with the data key, and
// whether the other copy has to be written anew.
func unlock(d Disk, dir string, with secret) (h *vault.Header, data [vault.KeySize]byte, rewrite bool, err error) {
	first, second := readHeader(d, filepath.Join(dir, headerName)), readHeader(d, filepath.Join(dir, backupName))
	copies := []copyOf{first, second}
	slices.SortStableFunc(copies, func(a, b copyOf) int { return cmp.Compare(b.generation(), a.generation()) })
	rewrite = string(first.raw) != string(second.raw)
	err = headerError(first.err, second.err)
	for _, c := range copies {
		if c.header == nil {
			continue
		}
		data, err = c.header.Open(with.kind, with.key, memoryLimit())
		if err == nil && !vault.Verify(c.raw, vault.Subkey(data, "header")) {
			err = vault.ErrDamaged
		}
		switch {
		case err == nil:
			return c.header, data, rewrite, nil
		case errors.Is(err, vault.ErrDamaged):
			err = &DamagedError{headerName, RemedyCopy, err} // the other copy may be whole
		default:
			return nil, data, false, fmt.Errorf("opening %s: %w", headerName, err)
		}
	}
	return nil, data, false, err
}

func (c copyOf) generation() uint64 {
	if c.header == nil {
		return 0
	}
	return c.header.Generation
}

// headerError is what to say when neither copy can be read: the first one's error, unless it is only missing.
func headerError(first, second error) error {
	if errors.Is(first, fs.ErrNotExist) {
		first = second
	}
	switch {
	case errors.Is(first, fs.ErrNotExist):
		return ErrNone
	case errors.Is(first, vault.ErrForeign):
		return &ForeignError{headerName, RemedyMove}
	case errors.Is(first, vault.ErrNewer):
		return fmt.Errorf("opening %s: %w", headerName, ErrNewer)
	case errors.Is(first, vault.ErrDamaged):
		return &DamagedError{headerName, RemedyCopy, nil}
	}
	return first
}

// writeHeader writes both copies of the header in its next generation. headerMu is held, or the store not yet shared.
func (s *Store) writeHeader(h *vault.Header) error {
	h.Generation++
	raw, err := h.Marshal(s.keys.header)
	if err != nil {
		return fmt.Errorf("writing %s: %w", headerName, err)
	}
	for _, name := range []string{headerName, backupName} {
		if err := s.cfg.FS.Replace(filepath.Join(s.cfg.Dir, name), raw); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// changeSlots writes a header with other slots and takes it over.
func (s *Store) changeSlots(change func(slots [][]byte) ([][]byte, error)) error {
	s.headerMu.Lock()
	defer s.headerMu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	slots, err := change(slices.Clone(s.header.Slots))
	if err != nil {
		return err
	}
	next := *s.header
	next.Slots, next.Epoch = slots, s.anchor.get().epoch
	// What was written may be there, so a later try must be of a later generation.
	err = s.writeHeader(&next)
	s.header.Generation = next.Generation
	if err == nil {
		s.header.Slots, s.header.Epoch = next.Slots, next.Epoch
	}
	return err
}

// CheckPassword returns ErrPassword when password does not open the vault. It takes as long as unlocking.
func (s *Store) CheckPassword(pw []byte) error {
	s.headerMu.Lock()
	defer s.headerMu.Unlock()
	defer debug.FreeOSMemory()
	_, err := s.header.Open(vault.KindPassword, password(pw).key, memoryLimit())
	return err
}

// ChangePassword replaces the password old, or returns ErrPassword when that does not fit. The data key stays: somebody
// who has an old copy of vault.cqv and the old password can still open the vault.
func (s *Store) ChangePassword(old, next []byte, p vault.Params) error {
	defer debug.FreeOSMemory()
	return s.changeSlots(func(slots [][]byte) ([][]byte, error) {
		h := vault.Header{Vault: s.header.Vault}
		for i, slot := range slots {
			h.Slots = [][]byte{slot}
			_, err := h.Open(vault.KindPassword, password(old).key, memoryLimit())
			if errors.Is(err, vault.ErrPassword) {
				continue
			}
			if err != nil {
				return nil, err
			}
			slots[i], err = vault.SealSlot(vault.KindPassword, password(next).key, p, s.keys.data, s.header.Vault[:])
			return slots, err
		}
		return nil, ErrPassword
	})
}

// AddPasswordSlot lets password open the vault besides what does already: after it was opened by the words, in place of
// every former password when replace is set.
func (s *Store) AddPasswordSlot(pw []byte, p vault.Params, replace bool) error {
	defer debug.FreeOSMemory()
	slot, err := vault.SealSlot(vault.KindPassword, password(pw).key, p, s.keys.data, s.header.Vault[:])
	if err != nil {
		return err
	}
	return s.putSlot(slot, replace)
}

// AddWordsSlot lets the 32-byte key of the words open the vault, in place of a former one.
func (s *Store) AddWordsSlot(key []byte) error {
	slot, err := vault.SealSlot(vault.KindWords, key, vault.Params{}, s.keys.data, s.header.Vault[:])
	if err != nil {
		return err
	}
	return s.putSlot(slot, true)
}

// putSlot adds slot, in place of those of its kind when replace is set.
func (s *Store) putSlot(slot []byte, replace bool) error {
	return s.changeSlots(func(slots [][]byte) ([][]byte, error) {
		if replace {
			slots = slices.DeleteFunc(slots, func(other []byte) bool { return other[0] == slot[0] })
		}
		return append(slots, slot), nil
	})
}
