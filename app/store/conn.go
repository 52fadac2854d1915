package store

import (
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"github.com/cryptexq/cryptexq/app/store/sealvfs"
)

// Sizes of a connection.
const (
	cacheKiB  = 16_000
	maxCached = 512 // prepared statements; a guard against queries that are made up
	// busy is how long a connection waits for a lock of another one. There is one writer, so only a checkpoint that wants
	// all readers gone ever waits.
	busy = 5 * time.Second
)

// conn is a connection with its prepared statements. One goroutine at a time.
type conn struct {
	*sqlite3.Conn
	idle map[string]*sqlite3.Stmt
}

// role is what a connection is for.
type role uint8

const (
	writing role = iota
	reading      // query_only, rather than mode=ro, which could not recover a log
	making       // writing to a file that is made now
)

// connect opens a connection through the VFS that is registered under name.
func connect(path, name string, r role, single bool) (*conn, error) {
	flags := sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI
	if r == making {
		flags |= sqlite3.OPEN_CREATE
	}
	c, err := sqlite3.OpenFlags(uri(path, name), flags)
	if err != nil {
		return nil, err
	}
	if err := prepare(c, r, single); err != nil {
		c.Close()
		return nil, err
	}
	return &conn{c, map[string]*sqlite3.Stmt{}}, nil
}

func uri(path, name string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a drive
	}
	u := url.URL{Scheme: "file", Path: p, OmitHost: true, RawQuery: "vfs=" + name}
	return u.String()
}

func prepare(c *sqlite3.Conn, r role, single bool) error {
	if err := c.BusyTimeout(busy); err != nil {
		return err
	}
	if single { // no shared index of the log: it is in this connection's memory
		if err := c.Exec("PRAGMA locking_mode=EXCLUSIVE"); err != nil {
			return err
		}
	}
	if err := sealvfs.Setup(c); err != nil {
		return err
	}
	if err := fts5.Register(c); err != nil {
		return err
	}
	// The log is checkpointed by us, after the commits that wait have been answered.
	sql := fmt.Sprintf("PRAGMA cache_size=-%d; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=FAST", cacheKiB)
	if r == reading {
		sql += "; PRAGMA query_only=ON"
	}
	return c.Exec(sql)
}

// take returns a prepared statement, which is given back by put.
func (c *conn) take(query string) (*sqlite3.Stmt, error) {
	if st := c.idle[query]; st != nil {
		delete(c.idle, query)
		return st, nil
	}
	st, tail, err := c.PrepareFlags(query, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, fmt.Errorf("preparing %q: %w", query, err)
	}
	if st == nil || strings.TrimSpace(tail) != "" {
		st.Close()
		return nil, fmt.Errorf("preparing %q: not one statement", query)
	}
	return st, nil
}

func (c *conn) put(query string, st *sqlite3.Stmt) {
	st.Reset()
	if c.idle[query] != nil || len(c.idle) >= maxCached { // taken twice at once, or too many
		st.Close()
		return
	}
	c.idle[query] = st
}

// run executes a statement without a result.
func (c *conn) run(query string, args ...any) error {
	st, err := c.take(query)
	if err != nil {
		return err
	}
	defer c.put(query, st)
	if err := bind(st, args); err != nil {
		return err
	}
	return st.Exec()
}

// close frees the connection and its statements. On one that the driver gave up it may panic again, which is no news.
func (c *conn) close() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("closing connection: %v", r)
		}
	}()
	for _, st := range c.idle {
		st.Close()
	}
	c.idle = nil
	return c.Conn.Close()
}

func bind(st *sqlite3.Stmt, args []any) error {
	for i, a := range args {
		if err := bindOne(st, i+1, a); err != nil {
			return fmt.Errorf("argument %d of %q: %w", i+1, st.SQL(), err)
		}
	}
	return nil
}

func bindOne(st *sqlite3.Stmt, n int, a any) error {
	switch v := a.(type) {
	case nil:
		return st.BindNull(n)
	case int:
		return st.BindInt64(n, int64(v))
	case int64:
		return st.BindInt64(n, v)
	case uint64:
		if v > math.MaxInt64 {
			return fmt.Errorf("%d is beyond 63 bits", v)
		}
		return st.BindInt64(n, int64(v))
	case uint32:
		return st.BindInt64(n, int64(v))
	case uint8:
		return st.BindInt64(n, int64(v))
	case bool:
		return st.BindBool(n, v)
	case string:
		return st.BindText(n, v)
	case []byte:
		return st.BindBlob(n, v)
	}
	return fmt.Errorf("no binding for %T", a)
}
