package store

import (
	_ "embed" // the schema
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

//go:embed schema.sql
var schema string

//go:embed schema2.sql
var schema2 string

// applicationID is 'CQX1' in the database's header.
const applicationID = 0x43515831

// migrations are the steps from an empty file; user_version is how many were made. One is never changed after a release.
func migrations() []string { return []string{schema, schema2} }

// migrate brings the database up to date, each step in one transaction, and reports a database of a later version as
// ErrNewer: it is never touched.
func migrate(c *sqlite3.Conn, steps []string) error {
	version, err := pragma(c, "user_version")
	if err != nil {
		return err
	}
	if version > int64(len(steps)) {
		return ErrNewer
	}
	for n := version; n < int64(len(steps)); n++ {
		sql := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA user_version=%d; UPDATE meta SET v = v + 1 WHERE k = 'commits'; COMMIT", steps[n], n+1)
		if err := c.Exec(sql); err != nil {
			c.Exec("ROLLBACK")
			return fmt.Errorf("migrating to version %d: %w", n+1, err)
		}
	}
	return nil
}

// pragma returns a number.
func pragma(c *sqlite3.Conn, name string) (n int64, err error) {
	st, _, err := c.Prepare("PRAGMA " + name)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	if st.Step() {
		n = st.ColumnInt64(0)
	}
	return n, st.Err()
}
