package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// draft reads all that the next segment stands on.
func (p *pen) draft(ctx context.Context) (d *draft, err error) {
	d = &draft{pen: p, ms: p.ms()}
	err = p.st.View(ctx, func(r *store.Reader) error { return d.read(r) })
	if err != nil {
		return nil, fmt.Errorf("reading the own log: %w", err)
	}
	return d, nil
}

func (d *draft) read(r *store.Reader) (err error) {
	var found bool
	if d.room, found, err = r.RoomRow(d.pen.room); err != nil || !found {
		return either(err, errors.New("the room is gone"))
	}
	if err := d.readLog(r); err != nil {
		return err
	}
	logs, err := r.Logs(d.room.Row)
	if err != nil {
		return err
	}
	if err := d.readPast(r, logs); err != nil {
		return err
	}
	members, err := r.Members(d.room.Row)
	if err != nil {
		return err
	}
	d.members = len(members)
	if d.devices, err = r.RoomDevices(d.room.Row, d.pen.me.row); err != nil {
		return err
	}
	if d.gate, err = gateOf(r, d.room.Row); err != nil {
		return err
	}
	return d.readChain(r, logs)
}

// gateOf is the gate secret with the lowest tag. A room has one from its first day.
func gateOf(r *store.Reader, room int64) (group.GateSecret, error) {
	all, err := r.Gates(room)
	if err != nil || len(all) == 0 {
		return group.GateSecret{}, either(err, errors.New("a room without a gate secret"))
	}
	return all[0].Secret, nil
}

// readLog finds the open log of ours, or makes a new one that names the last: the first time, after a rollback, and when ours was
// ended because somebody else holds more of it than we do.
func (d *draft) readLog(r *store.Reader) (err error) {
	var found bool
	if d.log, found, err = r.OwnLog(d.room.Row); err != nil {
		return err
	}
	if !found {
		return d.beginLog(r)
	}
	if d.key = d.pen.key; d.key == nil || d.pen.keyOf != d.log.ID {
		if d.key, err = composite.NewPrivateKey(d.log.Seed); err != nil {
			return err
		}
	}
	d.past, err = segment.ParseTree(d.log.Edge)
	return err
}

func (d *draft) beginLog(r *store.Reader) (err error) {
	if d.key, err = composite.GenerateKey(); err != nil {
		return err
	}
	t := segment.LogCertificate{Device: d.pen.me.deviceID(), Room: d.room.ID}
	former, err := r.OwnLogs(d.room.Row)
	if err != nil {
		return err
	}
	if n := len(former); n > 0 && former[n-1].HeadK >= 0 {
		last := former[n-1]
		t.PrevLog, t.PrevK, t.PrevDigest = last.ID, uint64(last.HeadK), [32]byte(last.HeadDigest)
	}
	cert, err := segment.SignLogCertificate(d.pen.me.device.Key, d.key, t)
	if err != nil {
		return err
	}
	d.fresh, d.cert = true, cert.Raw
	d.log = store.Log{
		Room: d.room.Row, ID: cert.Log(), Device: d.pen.me.row, Key: cert.Key, Seed: d.key.Seed(), ForkK: -1, HeadK: -1, WholeK: -1, CitedK: -1,
	}
	if t.PrevLog != (segment.ID{}) {
		d.log.Previous = t.PrevLog[:]
	}
	d.past = &segment.Tree{}
	return nil
}

// readPast collects the heads of other logs that changed since our last segment and whose whole past is here.
func (d *draft) readPast(r *store.Reader, logs []store.Log) error {
	if d.log.HeadK >= 0 {
		prev, _, err := r.Segment(d.log.Row, d.log.HeadK)
		if err != nil {
			return err
		}
		d.sort = prev.Sort + 1
	}
	for _, l := range logs {
		if l.ID == d.log.ID || l.WholeK < 0 || l.ForkK >= 0 && l.WholeK >= l.ForkK || !d.fresh && l.WholeK <= l.CitedK || len(d.deps) >= segment.MaxDeps {
			continue
		}
		s, found, err := r.Segment(l.Row, l.WholeK)
		if err != nil || !found {
			return either(err, errors.New("a head without its segment"))
		}
		d.deps = append(d.deps, segment.Dep{Log: l.ID, K: uint64(l.WholeK), Digest: s.Digest})
		l.CitedK = l.WholeK
		d.cited = append(d.cited, l)
		d.sort = max(d.sort, s.Sort+1)
	}
	d.sort = max(d.sort, d.ms)
	return nil
}

// readChain finds the chain that the next entry takes its key from, and in a room of two whether the other side has begun one
// after ours, so that we do too.
func (d *draft) readChain(r *store.Reader, logs []store.Log) (err error) {
	if !d.fresh {
		if d.chain, d.has, err = r.NewestChain(d.log.Row); err != nil {
			return err
		}
	}
	if d.room.Kind != store.RoomDirect || !d.has {
		return nil
	}
	for _, l := range logs {
		if l.Seed != nil {
			continue
		}
		c, found, err := r.NewestChain(l.Row)
		if err != nil {
			return err
		}
		if found && c.MadeAt > d.theirs.MadeAt {
			d.theirs = c
		}
	}
	d.echo = d.theirs.MadeAt > d.chain.MadeAt && !d.theirs.Echo && d.pen.since(d.chain.MadeAt) >= echoPause
	return nil
}
