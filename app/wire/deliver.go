package wire

import (
	"fmt"
	"math"

	"github.com/cryptexq/cryptexq/crypto/segment"
)

// Deliver brings one segment: the body of the frame DELIVER. Behind a gate of 16 bytes it is what a topic carries whole.
type Deliver struct {
	Room    RoomID
	Segment []byte // segment.Marshal, at most 52 KiB
}

// Marshal returns room id 32 | segment.
func (d Deliver) Marshal() []byte {
	return append(append(make([]byte, 0, 32+len(d.Segment)), d.Room[:]...), d.Segment...)
}

// ParseDeliver splits the body; segment.Parse judges the rest of it.
func ParseDeliver(b []byte) (Deliver, error) {
	if len(b) <= 32 || len(b) > 32+segment.MaxSegment {
		return Deliver{}, fmt.Errorf("reading DELIVER of %d bytes: %w", len(b), ErrFormat)
	}
	return Deliver{RoomID(b[:32]), b[32:]}, nil
}

// Codes of an Answer.
const (
	AnswerHave    uint8 = 0
	AnswerLater   uint8 = 1 // not stored: try again
	AnswerRefused uint8 = 2 // show it and stop
)

// Reasons for AnswerLater.
const (
	LaterAsked   uint8 = 1 // a request that waits for a person
	LaterFull    uint8 = 2 // too many requests
	LaterQuota   uint8 = 3
	LaterDisk    uint8 = 4 // disk full
	LaterUnknown uint8 = 5 // log or author not known yet, and no more is kept undecided
	LaterOrder   uint8 = 6 // what it stands on is missing
)

// Reasons for AnswerRefused.
const (
	RefusedMalformed uint8 = 1
	RefusedSignature uint8 = 2
	RefusedFork      uint8 = 3 // beyond a fork point
	RefusedMember    uint8 = 4 // not entitled to write here
)

// Answer is the reply to DELIVER. A reason that is not listed here comes from a newer version and means no more than its code.
type Answer struct {
	Code   uint8
	Have   *Have // iff AnswerHave
	Reason uint8 // not 0 iff later or refused
}

// Marshal returns 0 | HAVE, or code | reason.
func (a Answer) Marshal() []byte {
	var w writer
	w.AddUint8(a.Code)
	if a.Code == AnswerHave {
		a.Have.write(&w)
	} else {
		w.AddUint8(a.Reason)
	}
	return w.done()
}

// ParseAnswer reads a reply to DELIVER.
func ParseAnswer(b []byte) (Answer, error) {
	r := read(b)
	a := Answer{Code: r.u8()}
	if a.Code == AnswerHave {
		h := readHave(r)
		a.Have = &h
	} else {
		a.Reason = r.u8()
		r.need(a.Code <= AnswerRefused && a.Reason != 0)
	}
	if err := r.end("an answer"); err != nil {
		return Answer{}, err
	}
	return a, nil
}

// NoHead stands for the number of the newest header of a log that has none yet.
const NoHead uint64 = math.MaxUint64

const haveSize = 96

// Have is acknowledgement, receipt and frontier item in one: what a device holds of one log. It is never signed and counts only
// inside a link or in mail under a session's keys.
type Have struct {
	Log        segment.ID
	Stored     uint64 // absolute index of the first entry missing; the base is where one came in
	Opened     uint64 // the same of the first that is not opened, skipping what one is not entitled to
	Read       uint64 // the same of the first unread; 0 unless both opted in
	HeadK      uint64 // number of the newest header held, or NoHead
	HeadDigest [32]byte
}

func (h *Have) write(w *writer) {
	w.AddBytes(h.Log[:])
	w.AddUint64(h.Stored)
	w.AddUint64(h.Opened)
	w.AddUint64(h.Read)
	w.AddUint64(h.HeadK)
	w.AddBytes(h.HeadDigest[:])
}

func readHave(r *reader) Have {
	h := Have{Log: segment.ID(r.hash()), Stored: r.index(), Opened: r.index(), Read: r.index(), HeadK: r.u64(), HeadDigest: r.hash()}
	r.need(h.HeadK < segment.MaxK || h.HeadK == NoHead && h.HeadDigest == [32]byte{})
	return h
}

// Marshal returns log id 32 | stored 8 | opened 8 | read 8 | head k 8 | head digest 32.
func (h Have) Marshal() []byte {
	var w writer
	h.write(&w)
	return w.done()
}

// ParseHave reads one item of 96 bytes.
func ParseHave(b []byte) (Have, error) {
	r := read(b)
	h := readHave(r)
	return h, r.end("HAVE")
}

// MaxHaves is what fits the 4 KiB of a HAVE frame; SYNC and mail take longer lists.
const MaxHaves = 42

// Haves is the body of the frame HAVE: what was committed within 50 ms. The reply is empty.
type Haves []Have

// Marshal returns a list of HAVE.
func (hs Haves) Marshal() []byte {
	var w writer
	hs.write(&w)
	return w.done()
}

func (hs Haves) write(w *writer) {
	w.count(len(hs))
	for i := range hs {
		hs[i].write(w)
	}
}

// ParseHaves reads a frame of 1 to 42 items.
func ParseHaves(b []byte) (Haves, error) {
	r := read(b)
	hs := readHaves(r, MaxHaves)
	r.need(len(hs) > 0)
	if err := r.end("HAVE"); err != nil {
		return nil, err
	}
	return hs, nil
}

func readHaves(r *reader, limit int) Haves {
	n := r.count(limit, haveSize)
	if n == 0 {
		return nil
	}
	hs := make(Haves, n)
	for i := range hs {
		hs[i] = readHave(r)
	}
	return hs
}
