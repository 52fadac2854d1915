package store

// States of a room.
const (
	RoomOpen    = 0
	RoomOffered = 1 // somebody asks us; nothing of ours in it yet
)

// Kinds of rooms, as in the genesis.
const (
	RoomDirect = 1
	RoomGroup  = 2
	RoomNotes  = 3
)

// Roles of members.
const (
	RoleOut    = 0
	RoleReader = 1
	RoleMember = 2
	RoleAdmin  = 3
	RoleOwner  = 4
)

// Room is one conversation.
type Room struct {
	Row      int64
	ID       Digest
	Genesis  []byte
	Kind     int
	Policy   int
	State    int
	Title    string
	LastSort int64
	ReadSort int64
	Unread   int64
	Draft    string
}

const roomColumns = "r.id, r.uid, r.genesis, r.kind, r.policy, r.state, r.title, r.last_sort, r.read_sort, r.unread, r.draft"

func scanRoom(m *Room) func(Row) error {
	return func(r Row) error {
		*m = Room{
			Row: r.Int(0), ID: Digest(r.Bytes(1)), Genesis: r.Bytes(2), Kind: int(r.Int(3)), Policy: int(r.Int(4)), State: int(r.Int(5)),
			Title: r.Text(6), LastSort: r.Int(7), ReadSort: r.Int(8), Unread: r.Int(9), Draft: r.Text(10),
		}
		return nil
	}
}

// Room finds a room by its id.
func (r *Reader) Room(id Digest) (m Room, found bool, err error) {
	found, err = r.one("SELECT "+roomColumns+" FROM rooms r WHERE r.uid = ?", scanRoom(&m), id[:])
	return m, found, err
}

// RoomRow finds a room by row.
func (r *Reader) RoomRow(row int64) (m Room, found bool, err error) {
	found, err = r.one("SELECT "+roomColumns+" FROM rooms r WHERE r.id = ?", scanRoom(&m), row)
	return m, found, err
}

// RoomID is the id of a room.
func (r *Reader) RoomID(row int64) (id Digest, err error) {
	_, err = r.one("SELECT uid FROM rooms WHERE id = ?", func(r Row) error { id = Digest(r.Bytes(0)); return nil }, row)
	return id, err
}

// Rooms lists the rooms, the newest message first.
func (r *Reader) Rooms() ([]Room, error) {
	return r.rooms("SELECT " + roomColumns + " FROM rooms r WHERE r.next IS NULL ORDER BY r.pinned DESC, r.last_sort DESC, r.id DESC")
}

// RoomsOf lists the rooms that an account is a member of, in the order of their ids.
func (r *Reader) RoomsOf(account int64) ([]Room, error) {
	return r.rooms("SELECT "+roomColumns+" FROM members m JOIN rooms r ON r.id = m.room WHERE m.account = ? AND m.role > 0 ORDER BY r.uid", account)
}

func (r *Reader) rooms(query string, args ...any) (all []Room, err error) {
	err = r.each(query, func(row Row) error {
		var m Room
		err := scanRoom(&m)(row)
		all = append(all, m)
		return err
	}, args...)
	return all, err
}

// AddRoom inserts a room with its members, who are account rows with roles, or returns the one that is there.
func (t *Tx) AddRoom(m Room, members map[int64]int) (Room, error) {
	old, found, err := t.Room(m.ID)
	if err != nil || found {
		return old, err
	}
	m.Row, err = t.insert("INSERT INTO rooms(uid, genesis, kind, policy, state, title, last_sort) VALUES(?,?,?,?,?,?,?)",
		m.ID[:], m.Genesis, m.Kind, m.Policy, m.State, m.Title, m.LastSort)
	for account, role := range members {
		if err == nil {
			err = t.exec("INSERT INTO members(room, account, role) VALUES(?,?,?)", m.Row, account, role)
		}
	}
	return m, err
}

// SetRoomState opens an offered room.
func (t *Tx) SetRoomState(row int64, state int) error {
	return t.exec("UPDATE rooms SET state = ? WHERE id = ?", state, row)
}

// SetDraft keeps an unsent text.
func (t *Tx) SetDraft(row int64, text string) error {
	return t.exec("UPDATE rooms SET draft = ? WHERE id = ?", text, row)
}

// Member is an account in a room.
type Member struct {
	Account int64
	Role    int
}

// Members lists who is in a room.
func (r *Reader) Members(room int64) (all []Member, err error) {
	err = r.each("SELECT account, role FROM members WHERE room = ? AND role > 0 ORDER BY account", func(row Row) error {
		all = append(all, Member{row.Int(0), int(row.Int(1))})
		return nil
	}, room)
	return all, err
}

// IsMember reports whether an account is in a room.
func (r *Reader) IsMember(room, account int64) (ok bool, err error) {
	return r.one("SELECT 1 FROM members WHERE room = ? AND account = ? AND role > 0", func(Row) error { return nil }, room, account)
}

// RoomDevices lists the valid devices of all members but the one given: to whom everything of ours is owed.
func (r *Reader) RoomDevices(room, except int64) (all []Device, err error) {
	err = r.each("SELECT "+deviceColumns+" FROM members m JOIN devices d ON d.account = m.account WHERE m.room = ? AND m.role > 0 AND d.state = 1 AND d.id <> ? ORDER BY d.id",
		func(row Row) error {
			var d Device
			err := scanDevice(&d)(row)
			all = append(all, d)
			return err
		}, room, except)
	return all, err
}

// Unentered lists the rooms of two that are open and in which we have written nothing yet, although we asked or said yes: the
// power went in between.
func (r *Reader) Unentered() ([]Room, error) {
	return r.rooms("SELECT " + roomColumns + ` FROM rooms r WHERE r.kind = 1 AND r.state = 0
		AND NOT EXISTS(SELECT 1 FROM logs l WHERE l.room = r.id AND l.seed IS NOT NULL)
		AND EXISTS(SELECT 1 FROM members m JOIN accounts a ON a.id = m.account WHERE m.room = r.id AND a.id > 1 AND a.state IN (2, 3)) ORDER BY r.id`)
}

// GateSecret is a room's secret and the membership heads that it goes by.
type GateSecret struct {
	Tag    []byte
	Secret Digest
	Heads  []byte
	MadeAt int64
}

// Gates lists the gate secrets of a room, the lowest tag first.
func (r *Reader) Gates(room int64) (all []GateSecret, err error) {
	err = r.each("SELECT tag, secret, heads, made_at FROM gates WHERE room = ? AND replaced_at IS NULL ORDER BY tag", func(row Row) error {
		all = append(all, GateSecret{row.Bytes(0), Digest(row.Bytes(1)), row.Bytes(2), row.Int(3)})
		return nil
	}, room)
	return all, err
}

// AddGate keeps a gate secret.
func (t *Tx) AddGate(room int64, g GateSecret) error {
	return t.exec("INSERT INTO gates(room, tag, secret, heads, made_at) VALUES(?,?,?,?,?) ON CONFLICT(room, tag) DO NOTHING", room, g.Tag, g.Secret[:], g.Heads, g.MadeAt)
}
