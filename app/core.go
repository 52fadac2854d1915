package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/composite"
)

// core is what every noun of the messenger stands on: the clock, the store, ourselves, and who is told of changes.
type core struct {
	now    func() time.Time
	log    *slog.Logger
	window int
	st     *store.Store
	me     *account
	hub    *hub
	keys   *keyCache
	notes  *noticeBoard
}

// ms is the time of the service's own clock in Unix milliseconds.
func (c *core) ms() int64 { return c.now().UnixMilli() }

func (c *core) at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// count adds one to what was refused for a cause.
func (c *core) count(tx *store.Tx, cause string) error { return tx.CountRefused(cause, 1, c.ms()) }

// refuse counts one refusal in a transaction of its own: the one in which it was found leaves nothing behind.
func (c *core) refuse(ctx context.Context, cause string) {
	err := c.st.Update(ctx, func(tx *store.Tx) error { return c.count(tx, cause) })
	if err != nil && !errors.Is(err, context.Canceled) {
		c.log.Warn("counting a refusal", "cause", cause, "err", err)
	}
	c.hub.tell(Change{Kind: ChangedStatus})
}

// keyCache keeps parsed public keys: unpacking one costs more than a verification with it.
type keyCache struct {
	mu  sync.Mutex
	all map[[32]byte]*composite.PublicKey // by SHA-256 of the raw key; guarded by mu
}

// keyCacheSize bounds the cache at about 40 MB: an unpacked key is 36 KiB.
const keyCacheSize = 1024

func (k *keyCache) parse(raw []byte) (*composite.PublicKey, error) {
	id := sha256.Sum256(raw)
	k.mu.Lock()
	pk := k.all[id]
	k.mu.Unlock()
	if pk != nil {
		return pk, nil
	}
	pk, err := composite.ParsePublicKey(raw)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= keyCacheSize {
		k.all = map[[32]byte]*composite.PublicKey{}
	}
	k.all[id] = pk
	return pk, nil
}

// noticeBoard holds what a person must know until it is dealt with. It is remembered in the settings.
type noticeBoard struct {
	mu  sync.Mutex
	all []Notice // guarded by mu
}

func (b *noticeBoard) list() []Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Notice(nil), b.all...)
}

func (b *noticeBoard) add(n Notice) (isNew bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.all {
		if o.Code == n.Code && o.Subject == n.Subject {
			b.all[i].At = n.At
			return false
		}
	}
	b.all = append(b.all, n)
	return true
}

func (b *noticeBoard) drop(code, subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.all {
		if o.Code == code && o.Subject == subject {
			b.all = append(b.all[:i], b.all[i+1:]...)
			return
		}
	}
}

// Security events of the audit log.
const (
	auditCreated    = 1
	auditUnlocked   = 2
	auditRolledBack = 3
	auditCopied     = 4
	auditForked     = 5
	auditNewDevice  = 6
	auditReset      = 7
	auditPassword   = 8
	auditWords      = 9
	auditBlocked    = 10
	auditCompared   = 11
	auditOldList    = 12
)

// notice tells the person, and writes it down, in the transaction in which it was found.
func (c *core) notice(tx *store.Tx, audit int, code, subject string) error {
	if err := tx.Audit(audit, nil, code+" "+strconv.Quote(subject)); err != nil {
		return err
	}
	tx.OnCommit(func() {
		if c.notes.add(Notice{Code: code, Subject: subject, At: c.now()}) {
			c.log.Warn("notice", "code", code)
		}
		c.hub.tell(Change{Kind: ChangedStatus})
	})
	return nil
}
