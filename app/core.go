package app

import (
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// core is what every noun of the messenger stands on: the clock, the store, ourselves, and who is told of changes.
type core struct {
	now     func() time.Time
	log     *slog.Logger
	window  int
	st      *store.Store
	me      *account
	hub     *hub
	keys    *keyCache
	notes   *noticeBoard
	refused *tally
	rouse   func() // the clerk is wanted; set once

	held atomic.Bool // messages are held back that nobody has been told of yet
	full atomic.Bool // the disk is
}

// ms is the time of the service's own clock in Unix milliseconds.
func (c *core) ms() int64 { return c.now().UnixMilli() }

func (c *core) at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// since is how long ago something was, in ms. Clocks are set back: what lies ahead of now is taken for as old as can be, so that
// whatever waits for an age never waits longer than that.
func (c *core) since(ms int64) int64 {
	if age := c.ms() - ms; age >= 0 {
		return age
	}
	return 1 << 62
}

// keyCache keeps parsed public keys: unpacking one costs more than a verification with it.
type keyCache struct {
	mu   sync.Mutex
	all  map[[32]byte]*composite.PublicKey   // by SHA-256 of the raw key; guarded by mu
	logs map[segment.ID]*composite.PublicKey // of logs that are stored, whose id is the key's own; guarded by mu
}

// keyCacheSize bounds each half of the cache at about 40 MB: an unpacked key is 36 KiB.
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

// ofLog is the key of a stored log, nil when it was not used lately.
func (k *keyCache) ofLog(id segment.ID) *composite.PublicKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.logs[id]
}

func (k *keyCache) keepLog(id segment.ID, pk *composite.PublicKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.logs == nil || len(k.logs) >= keyCacheSize {
		k.logs = map[segment.ID]*composite.PublicKey{}
	}
	k.logs[id] = pk
}
