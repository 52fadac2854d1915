package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// maxGroup is how many waiting updates become one SQLite transaction: beyond it the fsync is no longer what counts.
const maxGroup = 64

// checkpointPages is the length of the log, in frames, from which it is written back to the main file: 16 MB. A commit of 64
// received messages of as many rooms takes 400, and many of its pages are those of the commit before.
const checkpointPages = 4000

// job is one waiting update.
type job struct {
	ctx          context.Context
	fn           func(tx *Tx) error
	own          bool // holds an own segment: the anchor follows before it returns
	erases       bool
	acknowledges bool
	last         bool // no other enters after it
	hooks        []func()
	err          error

	wake  chan struct{} // closed when the job is done, or is to lead
	leads bool          // guarded by queue.mu, and fixed when wake is closed
}

// queue is where updates wait for their turn. Whoever finds no leader becomes it, commits what waits with its own, and
// hands on. So the store owns no goroutine, and one caller alone makes one commit for each update.
type queue struct {
	mu      sync.Mutex
	waiting []*job // guarded by mu
	led     bool   // guarded by mu
	closed  bool   // guarded by mu
}

// enter adds j and reports whether it leads.
func (q *queue) enter(j *job) (leads bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	q.closed = j.last
	q.waiting = append(q.waiting, j)
	leads, q.led = !q.led, true
	return leads, nil
}

// withdraw takes j back, unless it is being committed or is to lead.
func (q *queue) withdraw(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, j)
	if i < 0 || j.leads {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// batch takes what is to be committed now.
func (q *queue) batch() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxGroup)
	b := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return b
}

// handOn makes the first that waits lead.
func (q *queue) handOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.led = false
		return
	}
	q.waiting[0].leads = true
	close(q.waiting[0].wake)
}

// Update calls fn in a transaction and returns when that is committed and on disk, with its error otherwise. Updates that
// wait at the same time are committed together, up to 64, each in a savepoint: an error of fn undoes what fn did, and
// nothing else. fn may run on another caller's goroutine; it runs at most once and must not call the store. When ctx ends
// before its turn, fn does not run.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	return s.submit(&job{ctx: ctx, fn: fn})
}

// UpdateOwn is Update for a transaction that holds an own segment: the anchor is written and synced before it returns and
// before any View sees the segment. An error for which errors.Is(err, ErrAnchor) holds says that the transaction is
// durable and only the anchor is not.
func (s *Store) UpdateOwn(ctx context.Context, fn func(tx *Tx) error) error {
	return s.submit(&job{ctx: ctx, fn: fn, own: true})
}

// Erase is Update for a transaction that erases what a person wants gone: what it deletes is overwritten in the file, and
// the log, which may hold it too, is written back and cut off, at the latest by a later Maintain. Old log frames and flash
// memory may keep ciphertext that the data key opens.
func (s *Store) Erase(ctx context.Context, fn func(tx *Tx) error) error {
	return s.submit(&job{ctx: ctx, fn: fn, erases: true})
}

// Anchored reports whether the anchor knows every transaction that UpdateOwn made. While it does not, nothing may leave this
// machine of what was read or written here; asked after the reading, a yes covers all that was read. The next UpdateOwn, and
// Maintain within seconds, try to write it.
func (s *Store) Anchored() bool { return s.anchor.settled() }

func (s *Store) submit(j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	j.wake = make(chan struct{})
	leads, err := s.queue.enter(j)
	if err != nil {
		return err
	}
	if !leads {
		select {
		case <-j.wake:
		case <-j.ctx.Done():
			if s.queue.withdraw(j) {
				return j.ctx.Err()
			}
			<-j.wake
		}
		if !j.leads {
			return j.err
		}
	}
	s.lead(j)
	return j.err
}

// lead commits one batch, j's, answers it, and hands on. A panic of somebody's fn leaves the others with an error.
func (s *Store) lead(j *job) {
	defer s.queue.handOn()
	batch := s.queue.batch()
	for _, b := range batch {
		b.err = errGivenUp
	}
	defer s.checkpointIfLong()
	defer func() {
		for _, b := range batch {
			if b != j {
				close(b.wake)
			}
		}
	}()
	s.commit(batch)
	s.tellFull(batch)
}

var errGivenUp = errors.New("another update of the same commit panicked")

// commit runs and commits a batch, and sets the error of each job.
func (s *Store) commit(batch []*job) {
	run := batch[:0:0]
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err == nil {
			j.err = errGivenUp
			run = append(run, j)
		}
	}
	if len(run) == 0 {
		return
	}
	done, err := s.commitLocked(run)
	if err != nil {
		err = s.diagnose(err)
		for _, j := range run {
			if j.err == nil || j.err == errGivenUp {
				j.err = err
			}
			j.err = s.diagnose(j.err) // that of a statement with which the whole transaction went
		}
		return
	}
	for _, j := range done {
		for _, f := range j.hooks {
			f()
		}
	}
}

// commitLocked is commit with the connection in hand: it returns the jobs that are durable, with the error that those
// have all the same, and an error when none is.
func (s *Store) commitLocked(run []*job) (done []*job, err error) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	defer s.writer.mend()
	defer s.guard(&err, &s.writer)
	if s.writer.conn == nil {
		if s.writer.conn, err = s.dial(writing); err != nil {
			return nil, err
		}
	}
	own := slices.ContainsFunc(run, func(j *job) bool { return j.own })
	if own { // no reader begins between commit and anchor
		s.gate.Lock()
		defer s.gate.Unlock()
	}
	c, before := s.writer.conn, s.logPages
	done, commits, audit, err := s.transact(c, run)
	if err != nil {
		// The connection is kept, if it can roll back. Another one would recover the log from what the system still
		// holds of it, with the commit of which the sync failed: one that was reported as failed, that may never reach
		// the disk, and after which nothing would be found there.
		s.writer.broken = !c.GetAutocommit() && c.run("ROLLBACK") != nil
		return nil, err
	}
	if len(done) > 0 {
		if s.wrote = s.logPages - before; s.wrote < 0 { // the log began anew
			s.wrote = s.logPages
		}
		s.committed(done, commits, audit)
	}
	return done, nil
}

// transact runs the jobs in one transaction and commits those whose fn returned nil; the others have their error. An
// error is one of the whole transaction.
func (s *Store) transact(c *conn, run []*job) (done []*job, commits uint64, audit head, err error) {
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return nil, 0, audit, err
	}
	tx := &Tx{Reader: Reader{s, c}, audit: s.anchor.head()}
	for _, j := range run {
		tx.j = j
		if err := tx.within(len(run) > 1); err != nil {
			return nil, 0, audit, err
		}
		if j.err == nil {
			done = append(done, j)
		}
	}
	if len(done) == 0 {
		return nil, 0, audit, c.run("ROLLBACK")
	}
	_, err = tx.one("UPDATE meta SET v = v + 1 WHERE k = 'commits' RETURNING v", func(r Row) error {
		commits = r.Uint(0)
		return nil
	})
	if err != nil {
		return nil, 0, audit, err
	}
	return done, commits, tx.audit, c.run("COMMIT")
}

// within runs the job of t, in a savepoint when others are in the same transaction. An error is one of the whole
// transaction: after it nothing can be committed.
func (t *Tx) within(savepoint bool) error {
	j, before := t.j, t.audit
	if savepoint {
		if err := t.c.run("SAVEPOINT one"); err != nil {
			return err
		}
	}
	if err := t.call(); err != nil {
		return err
	}
	if t.c.GetAutocommit() { // SQLite has rolled back everything: disk full, I/O error
		if j.err == nil {
			return errors.New("the transaction was rolled back")
		}
		return j.err
	}
	if j.err != nil {
		j.err, t.audit = t.s.diagnose(j.err), before
		if !savepoint {
			return nil // nothing else is in the transaction, which is rolled back
		}
		if err := t.c.run("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	if savepoint {
		return t.c.run("RELEASE one")
	}
	return nil
}

// call runs the job's fn. A pragma acts when it is prepared, so it cannot be one of the prepared statements.
func (t *Tx) call() error {
	if !t.j.erases {
		t.j.err = t.j.fn(t)
		return nil
	}
	if err := t.c.Exec("PRAGMA secure_delete=ON"); err != nil {
		return err
	}
	t.j.err = t.j.fn(t)
	return t.c.Exec("PRAGMA secure_delete=FAST")
}

// committed does what follows a commit that is durable: memory, and the anchor when it is due. connMu is held.
func (s *Store) committed(done []*job, commits uint64, audit head) {
	must := false
	for _, j := range done {
		must = must || j.own || j.acknowledges
		s.cut = s.cut || j.erases
		if j.acknowledges {
			s.anchor.acknowledge()
		}
	}
	s.anchor.advance(commits, audit)
	if !must && !s.anchor.due(s.cfg.Now()) {
		return
	}
	if err := s.anchor.write(s.cfg.Now()); err != nil {
		s.cfg.Logger.Warn("anchor not written", "component", "store", "err", err)
		if must {
			s.anchor.owe()
		}
		for _, j := range done {
			if j.own || j.acknowledges {
				j.err = fmt.Errorf("%w: %w", ErrAnchor, err)
			}
		}
	}
}

// checkpointIfLong writes the log back when it has grown long. An error is of no consequence: the log stays as it is.
func (s *Store) checkpointIfLong() {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.writer.conn == nil || s.logPages < s.checkpointAt && !s.cut {
		return
	}
	var err error
	defer s.writer.mend()
	defer s.guard(&err, &s.writer)
	mode := sqlite3.CHECKPOINT_PASSIVE
	if s.cut {
		mode = sqlite3.CHECKPOINT_TRUNCATE
	}
	s.checkpoint(mode)
}

// checkpoint writes the log back to the main file; CHECKPOINT_TRUNCATE also cuts it off, when no reader needs it. connMu
// is held.
func (s *Store) checkpoint(mode sqlite3.CheckpointMode) error {
	c := s.writer.conn
	if mode == sqlite3.CHECKPOINT_TRUNCATE {
		c.BusyTimeout(0) // a reader may take long: it is tried again
		defer c.BusyTimeout(busy)
	}
	_, _, err := c.WALCheckpoint("main", mode)
	s.checkpointAt = s.logPages + s.checkpointEvery // not at every commit, when a reader holds it up
	if err == nil && mode == sqlite3.CHECKPOINT_TRUNCATE {
		s.cut, s.logPages, s.checkpointAt = false, 0, s.checkpointEvery
	}
	return err
}
