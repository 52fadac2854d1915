package store

// Prekey is a signed prekey of ours.
type Prekey struct {
	Row        int64
	Digest     Digest // of the bundle
	Seed       []byte
	Raw        []byte // the bundle as signed
	MadeAt     int64
	ReplacedAt int64
}

const prekeyColumns = "id, digest, seed, raw, made_at, coalesce(replaced_at, 0)"

func scanPrekey(p *Prekey) func(Row) error {
	return func(r Row) error {
		*p = Prekey{r.Int(0), Digest(r.Bytes(1)), r.Bytes(2), r.Bytes(3), r.Int(4), r.Int(5)}
		return nil
	}
}

// NewestPrekey is the one that we hand out.
func (r *Reader) NewestPrekey() (p Prekey, found bool, err error) {
	found, err = r.one("SELECT "+prekeyColumns+" FROM prekeys ORDER BY id DESC LIMIT 1", scanPrekey(&p))
	return p, found, err
}

// Prekey finds one by the digest of its bundle.
func (r *Reader) Prekey(digest Digest) (p Prekey, found bool, err error) {
	found, err = r.one("SELECT "+prekeyColumns+" FROM prekeys WHERE digest = ?", scanPrekey(&p), digest[:])
	return p, found, err
}

// AddPrekey keeps a new one; the others are replaced from now on.
func (t *Tx) AddPrekey(p Prekey) error {
	if err := t.exec("UPDATE prekeys SET replaced_at = ? WHERE replaced_at IS NULL", p.MadeAt); err != nil {
		return err
	}
	return t.exec("INSERT INTO prekeys(digest, seed, raw, made_at) VALUES(?,?,?,?)", p.Digest[:], p.Seed, p.Raw, p.MadeAt)
}

// DropPrekeys erases those whose key life is over: replaced before a time, and since then every mailbox of ours was
// emptied that answered within 30 days of our running.
func (t *Tx) DropPrekeys(replacedBefore int64) error {
	return t.exec(`DELETE FROM prekeys WHERE replaced_at <= ?1 AND NOT EXISTS(SELECT 1 FROM helpers WHERE account = 1 AND role = 3
		AND heard > (SELECT v FROM meta WHERE k = 'ran') - 2592000000 AND coalesce(emptied_at, 0) < replaced_at + 3888000000)`, replacedBefore)
}

// SawInit reports whether an INIT to a prekey was taken before.
func (r *Reader) SawInit(prekey int64, digest Digest) (ok bool, err error) {
	return r.one("SELECT 1 FROM init_seen WHERE prekey = ? AND digest = ?", func(Row) error { return nil }, prekey, digest[:])
}

// SeeInit keeps the digest of an INIT while the private half lives.
func (t *Tx) SeeInit(prekey int64, digest Digest) error {
	return t.exec("INSERT INTO init_seen(prekey, digest) VALUES(?,?) ON CONFLICT DO NOTHING", prekey, digest[:])
}

// Chain is a sender chain of a log.
type Chain struct {
	Log         int64
	Generation  uint32
	Key         Digest // ck of Next
	Next        uint32
	Heads       []byte
	Given       uint32
	GivenDigest []byte // others': SHA-256 of ck as it came at index Given
	BeganAt     int64  // ours: its first entry, 0 none yet
	Echo        bool   // ours: made only because the other had made one
	MadeAt      int64
	ReplacedAt  int64
}

const chainColumns = "log, gen, ck, next, heads, given, given_digest, coalesce(began_at, 0), echo, made_at, coalesce(replaced_at, 0)"

func scanChain(c *Chain) func(Row) error {
	return func(r Row) error {
		*c = Chain{
			Log: r.Int(0), Generation: uint32(r.Int(1)), Key: Digest(r.Bytes(2)), Next: uint32(r.Int(3)), Heads: r.Bytes(4), Given: uint32(r.Int(5)),
			GivenDigest: r.Bytes(6), BeganAt: r.Int(7), Echo: r.Bool(8), MadeAt: r.Int(9), ReplacedAt: r.Int(10),
		}
		return nil
	}
}

// Chain finds the chain of a generation.
func (r *Reader) Chain(log int64, generation uint32) (c Chain, found bool, err error) {
	found, err = r.one("SELECT "+chainColumns+" FROM chains WHERE log = ? AND gen = ?", scanChain(&c), log, generation)
	return c, found, err
}

// NewestChain is that of the highest generation.
func (r *Reader) NewestChain(log int64) (c Chain, found bool, err error) {
	found, err = r.one("SELECT "+chainColumns+" FROM chains WHERE log = ? ORDER BY gen DESC LIMIT 1", scanChain(&c), log)
	return c, found, err
}

// SaveChain inserts or replaces a chain.
func (t *Tx) SaveChain(c Chain) error {
	var began, replaced any
	if c.BeganAt > 0 {
		began = c.BeganAt
	}
	if c.ReplacedAt > 0 {
		replaced = c.ReplacedAt
	}
	return t.exec("INSERT INTO chains(log, gen, ck, next, heads, given, given_digest, began_at, echo, made_at, replaced_at) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(log, gen) DO UPDATE SET ck=excluded.ck, next=excluded.next, began_at=excluded.began_at, replaced_at=excluded.replaced_at",
		c.Log, c.Generation, c.Key[:], c.Next, c.Heads, c.Given, c.GivenDigest, began, c.Echo, c.MadeAt, replaced)
}

// DropChains erases the chains of a log below a generation.
func (t *Tx) DropChains(log int64, below uint32) error {
	return t.exec("DELETE FROM chains WHERE log = ? AND gen < ?", log, below)
}

// CountChains counts the chains of a log.
func (r *Reader) CountChains(log int64) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM chains WHERE log = ?", func(row Row) error { n = row.Int(0); return nil }, log)
	return n, err
}

// DropOldChains erases the chains that were replaced before a time.
func (t *Tx) DropOldChains(before int64) error {
	return t.exec("DELETE FROM chains WHERE replaced_at <= ?", before)
}

// GapKey takes a key that a chain went over, nil when there is none.
func (r *Reader) GapKey(log int64, generation, index uint32) (mk []byte, err error) {
	_, err = r.one("SELECT mk FROM gap_keys WHERE log = ? AND gen = ? AND i = ?", func(row Row) error { mk = row.Bytes(0); return nil }, log, generation, index)
	return mk, err
}

// AddGapKey keeps a key that a chain went over, while the gap is open.
func (t *Tx) AddGapKey(log int64, generation, index uint32, mk Digest) error {
	return t.exec("INSERT INTO gap_keys(log, gen, i, mk) VALUES(?,?,?,?) ON CONFLICT DO NOTHING", log, generation, index, mk[:])
}

// DropGapKey erases it.
func (t *Tx) DropGapKey(log int64, generation, index uint32) error {
	return t.exec("DELETE FROM gap_keys WHERE log = ? AND gen = ? AND i = ?", log, generation, index)
}

// earlyKeys bounds the keys of a log that came before their entries.
const earlyKeys = 2048

// KeepKey keeps the opening of an entry that has not come yet, or waits for it.
func (t *Tx) KeepKey(log, index int64, prk Digest) error {
	return t.exec(`INSERT INTO early_keys(log, idx, prk) SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM early_keys WHERE log = ?1) < ?4
		AND NOT EXISTS(SELECT 1 FROM entries WHERE log = ?1 AND idx = ?2 AND state <> 1) ON CONFLICT(log, idx) DO UPDATE SET prk = excluded.prk`, log, index, prk[:], earlyKeys)
}

// HasEarlyKeys reports whether there are such keys of a log.
func (r *Reader) HasEarlyKeys(log int64) (has bool, err error) {
	return r.one("SELECT 1 FROM early_keys WHERE log = ? LIMIT 1", func(Row) error { return nil }, log)
}

// TakeKey takes such a key out.
func (t *Tx) TakeKey(log, index int64) (prk Digest, found bool, err error) {
	found, err = t.one("SELECT prk FROM early_keys WHERE log = ? AND idx = ?", func(row Row) error { prk = Digest(row.Bytes(0)); return nil }, log, index)
	if err == nil && found {
		err = t.exec("DELETE FROM early_keys WHERE log = ? AND idx = ?", log, index)
	}
	return prk, found, err
}
