package sealvfs

import "github.com/ncruces/go-sqlite3"

// Setup is the first thing to run on every connection. This build of SQLite opens each further connection to a WAL
// database with synchronous=NORMAL, which loses acknowledged commits in a power cut, so FULL has to be said each time. The
// first connection to a new file makes it: a database file is created without a log, its journal in memory.
func Setup(c *sqlite3.Conn) error {
	if err := c.Exec("PRAGMA temp_store=MEMORY"); err != nil {
		return err
	}
	mode, err := journalMode(c)
	if err != nil {
		return err
	}
	if mode != "wal" {
		if err := c.Exec("PRAGMA journal_mode=MEMORY"); err != nil {
			return err
		}
	}
	return c.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON;
PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON`)
}

func journalMode(c *sqlite3.Conn) (string, error) {
	st, _, err := c.Prepare("PRAGMA journal_mode")
	if err != nil {
		return "", err
	}
	var mode string
	if st.Step() {
		mode = st.ColumnText(0)
	}
	err = st.Err()
	if e := st.Close(); err == nil {
		err = e
	}
	return mode, err
}
