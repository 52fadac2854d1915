package store

import (
	"cmp"
	"slices"
)

// Digest is a SHA-256: an AccountID, a DeviceID, a room id or a log id, which this package does not tell apart.
type Digest = [32]byte

// States of an account.
const (
	AccountMet      = 0 // in a room, or known by name only
	AccountAsks     = 1 // asks us
	AccountAsked    = 2 // we asked
	AccountContact  = 3
	AccountBlocked  = 4
	AccountDeclined = 5 // asked us, was turned down; it must not be able to tell
)

// States of a device on the newest list of its account.
const (
	DeviceUnlisted = 0
	DeviceValid    = 1
	DeviceRevoked  = 2
)

// Own is the row of our own account.
const Own int64 = 1

// Account is a person, ourselves (row 1) included.
type Account struct {
	Row        int64
	Account    Digest
	Key        []byte // composite public key, nil while known by its hash only
	ListCount  uint64
	List       []byte // as signed
	State      int
	StateAt    int64 // ms
	Invitation []byte
	Petname    string // what we call them
	TheirName  string // what they call themselves
	Verified   int
}

// Name is what we show: the petname, or what they call themselves.
func (a *Account) Name() string {
	if a.Petname != "" {
		return a.Petname
	}
	return a.TheirName
}

const accountColumns = "id, account_id, pk, list_counter, device_list, state, coalesce(state_at, 0), invitation, petname, their_name, verified_how"

func scanAccount(a *Account) func(Row) error {
	return func(r Row) error {
		*a = Account{
			Row: r.Int(0), Account: Digest(r.Bytes(1)), Key: r.Bytes(2), ListCount: r.Uint(3), List: r.Bytes(4), State: int(r.Int(5)),
			StateAt: r.Int(6), Invitation: r.Bytes(7), Petname: r.Text(8), TheirName: r.Text(9), Verified: int(r.Int(10)),
		}
		return nil
	}
}

// Account finds a person by AccountID.
func (r *Reader) Account(id Digest) (a Account, found bool, err error) {
	found, err = r.one("SELECT "+accountColumns+" FROM accounts WHERE account_id = ?", scanAccount(&a), id[:])
	return a, found, err
}

// AccountRow finds a person by row.
func (r *Reader) AccountRow(row int64) (a Account, found bool, err error) {
	found, err = r.one("SELECT "+accountColumns+" FROM accounts WHERE id = ?", scanAccount(&a), row)
	return a, found, err
}

// Accounts lists everybody but ourselves whose state is one of those, in the order of their rows.
func (r *Reader) Accounts(states ...int) (all []Account, err error) {
	for _, s := range states {
		err := r.each("SELECT "+accountColumns+" FROM accounts WHERE state = ? AND id > 1", func(row Row) error {
			var a Account
			err := scanAccount(&a)(row)
			all = append(all, a)
			return err
		}, s)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b Account) int { return cmp.Compare(a.Row, b.Row) })
	return all, nil
}

// CountAccounts counts the accounts in a state.
func (r *Reader) CountAccounts(state int) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM accounts WHERE state = ? AND id > 1", func(row Row) error { n = row.Int(0); return nil }, state)
	return n, err
}

// AddAccount inserts somebody, or returns the row that is there.
func (t *Tx) AddAccount(id Digest, state int, now int64) (Account, error) {
	a, found, err := t.Account(id)
	if err != nil || found {
		return a, err
	}
	row, err := t.insert("INSERT INTO accounts(account_id, state, state_at, created_at) VALUES(?,?,?,?)", id[:], state, now, now)
	return Account{Row: row, Account: id, State: state, StateAt: now}, err
}

// SetAccountKey keeps the public key of an account, whose hash the caller checked.
func (t *Tx) SetAccountKey(row int64, pk []byte) error {
	return t.exec("UPDATE accounts SET pk = ? WHERE id = ?", pk, row)
}

// SetAccountState moves a person to another state.
func (t *Tx) SetAccountState(row int64, state int, now int64) error {
	return t.exec("UPDATE accounts SET state = ?, state_at = ? WHERE id = ?", state, now, row)
}

// SetAccountInvitation keeps the invitation by which we ask, nil erases it.
func (t *Tx) SetAccountInvitation(row int64, link []byte) error {
	return t.exec("UPDATE accounts SET invitation = ? WHERE id = ?", link, row)
}

// SetPetname keeps what we call somebody.
func (t *Tx) SetPetname(row int64, name string) error {
	return t.exec("UPDATE accounts SET petname = ? WHERE id = ?", name, row)
}

// SetTheirName keeps what somebody calls themselves.
func (t *Tx) SetTheirName(row int64, name string) error {
	return t.exec("UPDATE accounts SET their_name = ? WHERE id = ?", name, row)
}

// SetVerified keeps how we compared: 0 not, 1 link, 2 QR, 3 safety number.
func (t *Tx) SetVerified(row int64, how int, now int64) error {
	return t.exec("UPDATE accounts SET verified_how = ?, verified_at = ? WHERE id = ?", how, now, row)
}

// SetList keeps a newer signed device list of an account.
func (t *Tx) SetList(row int64, counter uint64, raw []byte) error {
	return t.exec("UPDATE accounts SET list_counter = ?, device_list = ? WHERE id = ?", counter, raw, row)
}

// Device is one device of somebody. Its certificate is read by Certificate: 5.5 KB that few want.
type Device struct {
	Row, Account int64
	Index        uint32
	Digest       Digest // its DeviceID
	Peer         []byte
	State        int
	Approved     bool
	Inc          uint64
	Flags        int64 // of its last card
}

// Trusted reports whether a device may be given keys: it is on the newest list, and not new without the person's yes.
func (d *Device) Trusted() bool { return d.State == DeviceValid && d.Approved }

const deviceColumns = "d.id, d.account, d.idx, d.digest, d.peer_id, d.state, d.approved, d.inc, d.card_flags"

func scanDevice(d *Device) func(Row) error {
	return func(r Row) error {
		*d = Device{
			Row: r.Int(0), Account: r.Int(1), Index: uint32(r.Int(2)), Digest: Digest(r.Bytes(3)), Peer: r.Bytes(4), State: int(r.Int(5)),
			Approved: r.Bool(6), Inc: r.Uint(7), Flags: r.Int(8),
		}
		return nil
	}
}

// Device finds a device by DeviceID.
func (r *Reader) Device(id Digest) (d Device, found bool, err error) {
	found, err = r.one("SELECT "+deviceColumns+" FROM devices d WHERE d.digest = ?", scanDevice(&d), id[:])
	return d, found, err
}

// DeviceRow finds a device by row.
func (r *Reader) DeviceRow(row int64) (d Device, found bool, err error) {
	found, err = r.one("SELECT "+deviceColumns+" FROM devices d WHERE d.id = ?", scanDevice(&d), row)
	return d, found, err
}

// Devices lists the devices of an account.
func (r *Reader) Devices(account int64) (all []Device, err error) {
	err = r.each("SELECT "+deviceColumns+" FROM devices d WHERE d.account = ? ORDER BY d.id", func(row Row) error {
		var d Device
		err := scanDevice(&d)(row)
		all = append(all, d)
		return err
	}, account)
	return all, err
}

// Relation is the state of the account of a device.
func (r *Reader) Relation(account int64) (state int, err error) {
	_, err = r.one("SELECT state FROM accounts WHERE id = ?", func(row Row) error { state = int(row.Int(0)); return nil }, account)
	return state, err
}

// Certificate returns the certificate of a device as it was signed.
func (r *Reader) Certificate(device int64) (raw []byte, err error) {
	_, err = r.one("SELECT cert FROM devices WHERE id = ?", func(row Row) error { raw = row.Bytes(0); return nil }, device)
	return raw, err
}

// CountDevices counts the devices of an account.
func (r *Reader) CountDevices(account int64) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM devices WHERE account = ?", func(row Row) error { n = row.Int(0); return nil }, account)
	return n, err
}

// AddDevice inserts a device with its public key and certificate, or returns the row that is there.
func (t *Tx) AddDevice(d Device, key, cert []byte) (Device, error) {
	old, found, err := t.Device(d.Digest)
	if err != nil || found {
		return old, err
	}
	d.Row, err = t.insert("INSERT INTO devices(account, idx, digest, peer_id, pk, cert, state, approved, inc) VALUES(?,?,?,?,?,?,?,?,?)",
		d.Account, d.Index, d.Digest[:], d.Peer, key, cert, d.State, d.Approved, d.Inc)
	return d, err
}

// SetDeviceState keeps what the newest list says of a device.
func (t *Tx) SetDeviceState(row int64, state int, since int64) error {
	return t.exec("UPDATE devices SET state = ?, since = ? WHERE id = ?", state, since, row)
}

// ApproveDevice is the person's yes to a new device of somebody known.
func (t *Tx) ApproveDevice(row int64) error {
	return t.exec("UPDATE devices SET approved = 1 WHERE id = ?", row)
}

// SetDeviceInc pins the highest inc seen.
func (t *Tx) SetDeviceInc(row int64, inc uint64) error {
	return t.exec("UPDATE devices SET inc = ? WHERE id = ?", inc, row)
}

// SetDeviceFlags keeps the flags of the device's newest card.
func (t *Tx) SetDeviceFlags(row int64, flags int64) error {
	return t.exec("UPDATE devices SET card_flags = ? WHERE id = ?", flags, row)
}

// SeeDevice notes when a device was last linked.
func (t *Tx) SeeDevice(row, now int64) error {
	return t.exec("UPDATE devices SET seen_at = ? WHERE id = ?", now, row)
}

// SeenAt is when any device of an account was last linked, in ms, 0 never.
func (r *Reader) SeenAt(account int64) (at int64, err error) {
	_, err = r.one("SELECT coalesce(max(seen_at), 0) FROM devices WHERE account = ?", func(row Row) error { at = row.Int(0); return nil }, account)
	return at, err
}

// Bundle returns the newest signed prekey of a device as it came, nil without one.
func (r *Reader) Bundle(device int64) (raw []byte, err error) {
	_, err = r.one("SELECT raw FROM bundles WHERE device = ?", func(row Row) error { raw = row.Bytes(0); return nil }, device)
	return raw, err
}

// BundleMade is when the signed prekey of a device was made, by its own clock, 0 without one.
func (r *Reader) BundleMade(device int64) (at int64, err error) {
	_, err = r.one("SELECT made FROM bundles WHERE device = ?", func(row Row) error { at = row.Int(0); return nil }, device)
	return at, err
}

// SetBundle keeps a newer signed prekey.
func (t *Tx) SetBundle(device int64, inc, made uint64, spk, raw []byte) error {
	return t.exec("INSERT INTO bundles(device, inc, made, spk, raw) VALUES(?,?,?,?,?) ON CONFLICT(device) DO UPDATE SET inc = excluded.inc, made = excluded.made, spk = excluded.spk, raw = excluded.raw",
		device, inc, made, spk, raw)
}

// DropBundle forgets the signed prekey of a device: it began anew, and whoever names this one is not heard.
func (t *Tx) DropBundle(device int64) error {
	return t.exec("DELETE FROM bundles WHERE device = ?", device)
}

// Place is how a PeerID was last reached, and its signed record.
type Place struct {
	Peer   []byte
	Seq    uint64
	Record []byte
	Addrs  string // multiaddresses, one a line, the last good one first
}

// Place returns what is known of a PeerID's addresses.
func (r *Reader) Place(peer []byte) (p Place, err error) {
	p.Peer = peer
	_, err = r.one("SELECT seq, record, coalesce(addrs, '') FROM addresses WHERE peer_id = ?", func(row Row) error {
		p.Seq, p.Record, p.Addrs = row.Uint(0), row.Bytes(1), row.Text(2)
		return nil
	}, peer)
	return p, err
}

// SetPlace keeps addresses of a PeerID.
func (t *Tx) SetPlace(p Place, now int64) error {
	if p.Record == nil {
		p.Record = []byte{}
	}
	return t.exec("INSERT INTO addresses(peer_id, seq, record, addrs, last_ok) VALUES(?,?,?,?,?) ON CONFLICT(peer_id) DO UPDATE SET seq = excluded.seq, record = excluded.record, addrs = excluded.addrs, last_ok = excluded.last_ok",
		p.Peer, p.Seq, p.Record, p.Addrs, now)
}

// AddInvitation keeps the hash of a token of ours.
func (t *Tx) AddInvitation(tokenHash Digest, now, expires int64) error {
	return t.exec("INSERT INTO invitations(token_hash, made_at, expires_at) VALUES(?,?,?)", tokenHash[:], now, expires)
}

// UseInvitation counts a token for the first account that brings it before it expires, and for the same one again.
func (t *Tx) UseInvitation(tokenHash Digest, account, now int64) (ok bool, err error) {
	err = t.exec("UPDATE invitations SET used_by = ?1 WHERE token_hash = ?2 AND (used_by = ?1 OR used_by IS NULL AND expires_at > ?3)", account, tokenHash[:], now)
	return t.changes() > 0, err
}

// Welcome reports whether a token of ours may still be used, by somebody who has not used it before.
func (r *Reader) Welcome(tokenHash Digest, now int64) (ok bool, err error) {
	return r.one("SELECT 1 FROM invitations WHERE token_hash = ? AND used_by IS NULL AND expires_at > ?", func(Row) error { return nil }, tokenHash[:], now)
}

// Invited reports whether somebody brought a token of ours.
func (r *Reader) Invited(account int64) (ok bool, err error) {
	ok, err = r.one("SELECT 1 FROM invitations WHERE used_by = ?", func(Row) error { return nil }, account)
	return ok, err
}
