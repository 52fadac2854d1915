package p2p

import (
	"bytes"
	"slices"
	"sync"

	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// maxDialed is how many addresses of one peer are dialled. Of somebody whose word is all there is to it, six.
	maxDialed, maxInvited = 16, 6
)

// table is what SetPeers was told last.
type table struct {
	mu      sync.RWMutex
	rows    map[identity.PeerID]row               // guarded by mu
	devices map[identity.DeviceID]identity.PeerID // guarded by mu
	seqs    map[identity.PeerID]uint64            // guarded by mu: the newest record seen, of peers in rows
}

// row is a row of the table with its record read.
type row struct {
	peer.Known
	seq      uint64         // of the record; 0 without one
	recorded []ma.Multiaddr // addresses in the record
}

func newTable() *table {
	return &table{
		rows: make(map[identity.PeerID]row), devices: make(map[identity.DeviceID]identity.PeerID),
		seqs: make(map[identity.PeerID]uint64),
	}
}

// set replaces the table and returns whose addresses are others than before. Records that have not changed are not read
// again: a signature costs 86 us.
func (t *table) set(known []peer.Known) (moved []identity.PeerID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := make(map[identity.PeerID]row, len(known))
	devices := make(map[identity.DeviceID]identity.PeerID, len(known))
	for _, k := range known {
		r := row{Known: k}
		old, ok := t.rows[k.Peer]
		if same := ok && bytes.Equal(old.Record, k.Record); same {
			r.seq, r.recorded = old.seq, old.recorded
		} else {
			r.read()
		}
		if ok && !sameAddresses(old, r) {
			moved = append(moved, k.Peer)
		}
		rows[k.Peer] = r
		if k.Device != (identity.DeviceID{}) {
			devices[k.Device] = k.Peer
		}
		t.seqs[k.Peer] = max(t.seqs[k.Peer], r.seq)
	}
	for id := range t.seqs {
		if _, ok := rows[id]; !ok {
			delete(t.seqs, id)
		}
	}
	t.rows, t.devices = rows, devices
	return moved
}

// sameAddresses compares where to dial, in whatever order.
func sameAddresses(a, b row) bool {
	as, bs := texts(a.addresses(nil)), texts(b.addresses(nil))
	slices.Sort(as)
	slices.Sort(bs)
	return slices.Equal(as, bs)
}

// read takes sequence number and addresses out of the record. One that is not theirs is as good as none.
func (r *row) read() {
	if len(r.Record) == 0 {
		return
	}
	env, any, err := record.ConsumeEnvelope(r.Record, corepeer.PeerRecordEnvelopeDomain)
	if err != nil {
		return
	}
	rec, ok := any.(*corepeer.PeerRecord)
	if !ok || rec.PeerID != hostID(r.Peer) || !rec.PeerID.MatchesPublicKey(env.PublicKey) {
		return
	}
	r.seq, r.recorded = rec.Seq, rec.Addrs
}

// addresses are where to dial: in the order of the row, then those of the record, then more.
func (r *row) addresses(more []string) (out []ma.Multiaddr) {
	add := func(a ma.Multiaddr) {
		if discovery.Plain(a) && !slices.ContainsFunc(out, a.Equal) {
			out = append(out, a)
		}
	}
	for _, s := range slices.Concat(r.Addresses, more) {
		if a, err := ma.NewMultiaddr(s); err == nil {
			add(a)
		}
	}
	for _, a := range r.recorded {
		add(a)
	}
	limit := maxDialed
	if r.Class == peer.Invited {
		limit = maxInvited
	}
	return out[:min(len(out), limit)]
}

func (t *table) row(id identity.PeerID) (row, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.rows[id]
	return r, ok
}

// class is what a host is to us before it has proven anything.
func (t *table) class(id identity.PeerID) peer.Class {
	r, _ := t.row(id)
	return r.Class
}

func (t *table) blocked(id identity.PeerID) bool { return t.class(id) == peer.Blocked }

// host is where a device is, as far as the table knows.
func (t *table) host(id identity.DeviceID) (identity.PeerID, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.devices[id]
	return p, ok
}

// wanted are the peers to keep links with.
func (t *table) wanted() (out []identity.PeerID) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for id, r := range t.rows {
		if r.Class == peer.Invited || r.Class == peer.Contact {
			out = append(out, id)
		}
	}
	return out
}

// all is a copy of the rows.
func (t *table) all() (out []row) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, r := range t.rows {
		out = append(out, r)
	}
	return out
}

// newer says whether a record of this number is news about somebody in the table, and notes it.
func (t *table) newer(id identity.PeerID, seq uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.rows[id]; !ok || seq <= t.seqs[id] {
		return false
	}
	t.seqs[id] = seq
	return true
}

// hostID and peerID turn the two forms of a PeerID into each other. peerID is false for keys other than Ed25519.
func hostID(id identity.PeerID) corepeer.ID { return corepeer.ID(id[:]) }

func peerID(id corepeer.ID) (out identity.PeerID, ok bool) {
	if len(id) != len(out) {
		return out, false
	}
	copy(out[:], id)
	_, err := out.Key()
	return out, err == nil
}
