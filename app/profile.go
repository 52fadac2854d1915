package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// Profile is a folder that we hold the lock of. Before unlock there is nothing else: no key, no name, no network.
type Profile struct {
	dir  string
	cfg  Config
	lock *store.Lock
	door *door
}

// NewAccount is what somebody enters at first run.
type NewAccount struct {
	Name     string
	Password []byte
	MinKDF   bool // 64 MiB instead of a calibrated second: for tests
}

// MinPassword is the least length of a password, in characters.
const MinPassword = 10

// PauseError says that too many passwords did not fit.
type PauseError struct {
	Wait time.Duration // 0: none yet
	Left int           // tries before the next pause
}

// Error says how long to wait or how often one may try.
func (e *PauseError) Error() string {
	if e.Wait > 0 {
		return fmt.Sprintf("opening vault: %v; wait %d s before the next try", ErrPassword, int(e.Wait.Seconds()+0.999))
	}
	return fmt.Sprintf("opening vault: %v; %d tries left before a pause", ErrPassword, e.Left)
}

// Unwrap makes errors.Is(err, ErrPassword) true.
func (e *PauseError) Unwrap() error { return ErrPassword }

// OpenProfile takes the lock of a folder, which it makes when it is not there. A second process gets *store.InUseError.
func OpenProfile(dir string, cfg Config) (*Profile, error) {
	cfg = cfg.filled()
	p := &Profile{dir: dir, cfg: cfg, door: newDoor(cfg.Now)}
	if p.cfg.Disk != nil {
		return p, nil // a disk that loses power locks itself
	}
	var err error
	p.lock, err = store.LockProfile(dir)
	return p, err
}

// Exists reports whether there is a vault in the folder.
func (p *Profile) Exists() bool { return store.Exists(p.dir) }

// Close lets go of the folder. A service that was made of the profile closes it itself.
func (p *Profile) Close() error {
	if p.lock == nil {
		return nil
	}
	return p.lock.Close()
}

func (p *Profile) config() store.Config {
	c := store.Config{Dir: p.dir, FS: p.cfg.Disk, Lock: p.lock, Now: p.cfg.Now, Logger: p.cfg.Logger, Single: p.cfg.Single}
	return c
}

// CheckNew says what is wrong with a name and password for a new account, nil when nothing is.
func CheckNew(a NewAccount) error {
	if cleanName(a.Name) == "" {
		return errors.New("a name is needed: others see it when you say hello")
	}
	if utf8.RuneCount(a.Password) < MinPassword {
		return ErrShort
	}
	return nil
}

// Create makes account, device and vault. The vault file is written last: what is cut off before leaves nothing to unlock.
func (p *Profile) Create(ctx context.Context, a NewAccount) (*Service, error) {
	if err := CheckNew(a); err != nil {
		return nil, err
	}
	params := vault.Min
	if !a.MinKDF {
		params = calibrated(a.Password)
	}
	seed, err := identity.NewSeed()
	if err != nil {
		return nil, err
	}
	cfg := p.config()
	cfg.Fill, cfg.WordsKey = p.fill(seed, a.Name), seed.VaultKey()
	st, err := store.Create(ctx, cfg, a.Password, params)
	return p.opened(ctx, st, err)
}

// CreateUnderWords makes an account whose vault only the 24 words open, which it returns: for machines, which forget nothing.
func (p *Profile) CreateUnderWords(ctx context.Context, name string) (*Service, string, error) {
	seed, err := identity.NewSeed()
	if err != nil {
		return nil, "", err
	}
	cfg := p.config()
	cfg.Fill = p.fill(seed, name)
	st, err := store.CreateKey(ctx, cfg, seed.VaultKey())
	s, err := p.opened(ctx, st, err)
	return s, seed.Words(), err
}

// calibrated finds what one second of this machine pays for.
func calibrated(password []byte) vault.Params {
	return vault.Calibrate(func(v vault.Params) float64 {
		start := time.Now()
		_, _ = vault.SealSlot(vault.KindPassword, vault.Normalize(password), v, vault.NewKey(), nil)
		debug.FreeOSMemory()
		return time.Since(start).Seconds()
	}, 1)
}

// fill writes account, device and notes into a new store.
func (p *Profile) fill(seed identity.Seed, name string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		ms := p.cfg.Now().UnixMilli()
		if err := mint(tx, seed, cleanName(name), ms); err != nil {
			return err
		}
		own, _, err := tx.AccountRow(store.Own)
		if err != nil {
			return err
		}
		if err := openNotes(tx, own.Account, ms); err != nil {
			return err
		}
		return tx.Audit(auditCreated, nil, "")
	}
}

// Unlock opens the vault with the password. Wrong ones slow down from the fifth on and destroy nothing.
func (p *Profile) Unlock(ctx context.Context, password []byte) (*Service, error) {
	var st *store.Store
	err := p.door.try(ctx, func() (err error) {
		st, err = store.Open(ctx, p.config(), password)
		return err
	})
	return p.opened(ctx, st, err)
}

// UnlockWords opens the vault with the 24 words.
func (p *Profile) UnlockWords(ctx context.Context, words string) (*Service, error) {
	seed, err := identity.ParseWords(strings.TrimSpace(words))
	if err != nil {
		return nil, err
	}
	st, err := store.OpenKey(ctx, p.config(), seed.VaultKey())
	if errors.Is(err, store.ErrPassword) {
		return nil, fmt.Errorf("opening vault: these words do not fit: %w", ErrPassword)
	}
	return p.opened(ctx, st, err)
}

func (p *Profile) opened(ctx context.Context, st *store.Store, err error) (*Service, error) {
	if err != nil {
		return nil, err
	}
	p.lock = nil
	s, err := newService(ctx, p.cfg, st)
	if err != nil {
		return nil, err
	}
	s.Owner.door = p.door
	return s, nil
}
