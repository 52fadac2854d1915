package app

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/cryptexq/cryptexq/app/store"
)

// noticeBoard holds what a person must know until they have dealt with it. The store remembers it, but for what there was no
// room for.
type noticeBoard struct {
	mu  sync.Mutex
	all []Notice // guarded by mu
}

func (b *noticeBoard) list() []Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.all)
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

func (b *noticeBoard) drop(code, subject string) (had bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.all)
	b.all = slices.DeleteFunc(b.all, func(o Notice) bool { return o.Code == code && o.Subject == subject })
	return len(b.all) < n
}

// maxNotices bounds what is up about others: somebody who makes trouble under ever new names fills no more than this. What is
// about ourselves, which has no subject, is taken all the same, so that nobody can crowd it out.
const maxNotices = 200

// has reports whether a notice is up already, or no more are taken.
func (b *noticeBoard) has(code, subject string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return subject != "" && len(b.all) >= maxNotices || slices.ContainsFunc(b.all, func(o Notice) bool { return o.Code == code && o.Subject == subject })
}

// load puts up what the store remembers.
func (b *noticeBoard) load(ctx context.Context, c *core) error {
	return c.st.View(ctx, func(r *store.Reader) error {
		all, err := r.Notices()
		for _, n := range all {
			b.add(Notice{Code: n.Code, Subject: n.Subject, At: c.at(n.At)})
		}
		return err
	})
}

// Security events of the audit log. 1 is the store's own.
const (
	auditCreated    = 2
	auditUnlocked   = 3
	auditRolledBack = 4
	auditCopied     = 5
	auditForked     = 6
	auditNewDevice  = 7
	auditReset      = 8
	auditPassword   = 9
	auditWords      = 10
	auditBlocked    = 11
	auditCompared   = 12
)

// notice tells the person, and writes it down, in the transaction in which it was found. What is up already is not said again.
func (c *core) notice(tx *store.Tx, audit int, code, subject string) error {
	if c.notes.has(code, subject) {
		return nil
	}
	if err := tx.Audit(audit, nil, code+" "+strconv.Quote(subject)); err != nil {
		return err
	}
	if err := tx.AddNotice(store.Notice{Code: code, Subject: subject, At: c.ms()}); err != nil {
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

const (
	noticeFull    = "disk_full" // up while the disk is full
	noticeDamaged = "damaged"   // the file that is
)

// diskFull says that the disk is full, where nothing can be written down; hasRoom takes that back.
func (c *core) diskFull() {
	c.full.Store(true)
	c.notes.add(Notice{Code: noticeFull, At: c.now()})
	c.log.Error("the disk is full: what was accepted is kept, nothing more is taken")
	c.hub.tell(Change{Kind: ChangedStatus})
}

func (c *core) hasRoom() {
	c.full.Store(false)
	c.notes.drop(noticeFull, "")
	c.log.Info("there is room on the disk again")
	c.hub.tell(Change{Kind: ChangedStatus})
}

// damaged says that a file of the vault is, if that is what an error means. It is found again at every start, and not written down.
func (c *core) damaged(err error) {
	var d *store.DamagedError
	if !errors.As(err, &d) || !c.notes.add(Notice{Code: noticeDamaged, Subject: d.File, At: c.now()}) {
		return
	}
	c.log.Error("the vault is damaged", "file", d.File, "err", err)
	c.hub.tell(Change{Kind: ChangedStatus})
}
