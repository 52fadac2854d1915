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

// affordable is p with no more memory than limit, in bytes: a slot that asks for more could not be opened again where it was
// made. A machine that has not even the least there may be gets a *vault.MemoryError.
func affordable(p vault.Params, limit uint64) (vault.Params, error) {
	if least := uint64(vault.Min.Memory) << 10; least > limit {
		return p, &vault.MemoryError{Need: least, Limit: limit}
	}
	p.Memory = uint32(min(uint64(p.Memory), limit>>10))
	return p, nil
}

// seal makes a slot that the secret opens; p is for a password.
func (with secret) seal(p vault.Params, data [vault.KeySize]byte, id [16]byte) (slot []byte, err error) {
	if with.kind == vault.KindPassword {
		if p, err = affordable(p, memoryLimit()); err != nil {
			return nil, err
		}
	}
	return vault.SealSlot(with.kind, with.key, p, data, id[:])
}

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

// writeHeader writes both copies of the header in its next generation. headerMu is held, or the store not yet shared. After an
// error the header is the one before. A second copy that cannot be written is taken away, because what it holds is worse than
// none: it would open with what was replaced. The next opening writes it anew.
func (s *Store) writeHeader(h *vault.Header) error {
	h.Generation++
	raw, err := h.Marshal(s.keys.header)
	if err != nil {
		return fmt.Errorf("writing %s: %w", headerName, err)
	}
	if err := s.cfg.FS.Replace(filepath.Join(s.cfg.Dir, headerName), raw); err != nil {
		return fmt.Errorf("writing %s: %w", headerName, err)
	}
	second := filepath.Join(s.cfg.Dir, backupName)
	if err := s.cfg.FS.Replace(second, raw); err != nil {
		gone := s.cfg.FS.Remove(second)
		s.cfg.Logger.Warn("second copy of the header not written", "component", "store", "err", err, "removed", gone == nil)
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
	if s.closed.Load() { // while a password was stretched: Close waits for headerMu, and then wipes the keys
		return ErrClosed
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

// passwordSlot is a new slot for a password. It is stretched at least as much as those that are there, as far as this machine
// has the memory: the cheapest slot is the one that a thief tries. headerMu is held.
func (s *Store) passwordSlot(pw []byte, p vault.Params, slots [][]byte) ([]byte, error) {
	for _, slot := range slots {
		kind, q, err := vault.ParseSlot(slot)
		if err == nil && kind == vault.KindPassword && uint64(q.Memory)<<10 <= memoryLimit() {
			p = p.AtLeast(q)
		}
	}
	return password(pw).seal(p, s.keys.data, s.header.Vault)
}

// ChangePassword replaces the password old, or returns ErrPassword when that does not fit. The new one is stretched by p, or
// as much as the old one if that is more. The data key stays: somebody who has an old copy of vault.cqv and the old password
// can still open the vault.
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
			slots[i], err = s.passwordSlot(next, p, slots)
			return slots, err
		}
		return nil, ErrPassword
	})
}

// ResetPassword puts next in place of every password, for who has the 32-byte key of the words; with another key it returns
// ErrPassword. The new one is stretched by p, or as much as the dearest of those that were there.
func (s *Store) ResetPassword(key, next []byte, p vault.Params) error {
	defer debug.FreeOSMemory()
	return s.changeSlots(func(slots [][]byte) ([][]byte, error) {
		h := vault.Header{Vault: s.header.Vault, Slots: slots}
		if _, err := h.Open(vault.KindWords, key, memoryLimit()); err != nil {
			return nil, err
		}
		slot, err := s.passwordSlot(next, p, slots)
		return append(slices.DeleteFunc(slots, ofKind(vault.KindPassword)), slot), err
	})
}

// AddWordsSlot lets the 32-byte key of the words open the vault, in place of a former one.
func (s *Store) AddWordsSlot(key []byte) error {
	return s.changeSlots(func(slots [][]byte) ([][]byte, error) {
		slot, err := words(key).seal(vault.Params{}, s.keys.data, s.header.Vault)
		return append(slices.DeleteFunc(slots, ofKind(vault.KindWords)), slot), err
	})
}

func ofKind(kind uint8) func(slot []byte) bool {
	return func(slot []byte) bool { return slot[0] == kind }
}
