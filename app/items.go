package app

import (
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// item is an opened record of an entry, with where it came from.
type item struct {
	entry store.Entry
	sort  int64
	ms    int64 // of the header
	hold  int64 // not shown before, 0 at once
	body  []byte
}

// take hands an opened entry to its kind. What an entry says wrongly is counted, and shown as something that cannot be read:
// its author was told that we have opened it.
func (p *pass) take(e store.Entry, plain []byte) error {
	p.opened++
	if err := p.turnTo(e.K); err != nil {
		return err
	}
	i := item{entry: e, sort: p.segment.Sort, ms: p.millis}
	if p.log.WholeK < e.K {
		i.hold = p.segment.At + holdBack
	}
	records, err := wire.ParseRecords(plain)
	if err != nil || len(records) != 1 {
		p.count("entry_records")
		return p.show(i, kindUnknown, "", plain)
	}
	i.body = records[0].Body
	k, ok := kinds(records[0].Kind)
	if !ok {
		return p.show(i, kindUnknown, "", i.body)
	}
	return p.excuse(k.handle(p, i))
}

// turnTo puts the segment of an entry into hand.
func (p *pass) turnTo(k int64) error {
	if p.segment.K == k {
		return nil
	}
	s, _, err := p.tx.Segment(p.log.Row, k)
	if err != nil {
		return err
	}
	h, err := segment.ParseHeader(s.Header)
	if err != nil {
		return err
	}
	p.segment, p.millis = s, int64(h.Millis)
	return nil
}

// takeOpen is how somebody enters a room: who they are, in their own words and signatures. It also says whose log it is of which
// we know no more than that somebody has it.
func (p *pass) takeOpen(i item) error {
	open, err := wire.ParseOpen(i.body)
	if err != nil {
		return flawed("open", err)
	}
	if string(open.Genesis) != string(p.room.Genesis) {
		return badly("open")
	}
	if p.log.Device == 0 {
		if err := p.decide(open); err != nil {
			return err
		}
	}
	return p.joined(p.tx, p.room, p.author)
}

// decide names the author of a log by what its first entry says.
func (p *pass) decide(open wire.Open) error {
	key, err := p.keys.parse(open.AccountKey)
	if err != nil {
		return flawed("open", err)
	}
	cert, err := identity.VerifyCertificate(open.DeviceCertificate, key)
	if err != nil {
		return flawed("open", err)
	}
	a, found, err := p.tx.Account(cert.Account)
	if err != nil {
		return err
	}
	if found {
		found, err = p.tx.IsMember(p.room.Row, a.Row)
	}
	if err != nil || !found {
		return either(err, badly("open_stranger"))
	}
	d, err := p.dir.addDevice(p.tx, a, cert)
	if err != nil {
		return err
	}
	l, err := p.certify(p.tx, p.room, d, p.log.ID, open.LogCertificate)
	if err != nil {
		return err
	}
	p.author, p.log.Device = d, l.Device
	p.tx.OnCommit(p.stir)
	if d.Row == p.me.row {
		return p.twin(p.tx) // a log of ours that we know nothing of
	}
	return nil
}

func (p *pass) takeCard(i item) error {
	c, err := wire.ParseCard(i.body)
	if err != nil {
		return flawed("card", err)
	}
	if p.author.Row == 0 || p.author.Account == store.Own {
		return nil
	}
	return p.dir.takeCard(p.tx, p.author, c)
}

func (p *pass) takeText(i item) error {
	t, err := wire.ParseText(i.body)
	if err != nil {
		p.count("text")
		return p.show(i, kindUnknown, "", i.body)
	}
	return p.show(i, int(wire.ItemText), cleanText(t.Body), nil)
}

// errNobody is a message of an author whom we do not know: what opens a log comes first.
var errNobody = errors.New("a message of nobody")

func (p *pass) show(i item, kind int, body string, payload []byte) error {
	if p.author.Row == 0 {
		return &flaw{"message_stranger", errNobody}
	}
	m := store.Message{
		Row: i.entry.Row, Room: p.room.Row, Sort: i.sort, Tie: tieOf(p.log.ID), Index: i.entry.Index, Sender: p.author.Account,
		Kind: kind, SentAt: i.ms, ReceiveAt: p.ms(), Body: body, Payload: payload, Hold: i.hold, Seen: p.number,
	}
	if err := p.tx.AddMessage(m); err != nil {
		return err
	}
	p.holds = p.holds || i.hold > 0
	p.newest = max(p.newest, i.sort)
	if p.author.Account != store.Own {
		p.unread++
	}
	return nil
}
