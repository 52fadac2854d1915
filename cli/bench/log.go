package bench

import (
	"errors"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// log is a log in a room as its author has it and as a reader has it.
type log struct {
	key   *composite.PrivateKey
	room  [32]byte
	id    segment.ID
	past  *segment.Tree
	prev  [32]byte
	first uint64
}

func newLog() (*log, error) {
	key, err := composite.GenerateKey()
	if err != nil {
		return nil, err
	}
	l := &log{key: key, room: [32]byte{1}, past: &segment.Tree{}}
	l.id = segment.LogID(l.room, key.Public())
	return l, nil
}

// write seals texts of n bytes into one signed segment, as it travels, and goes on behind it.
func (l *log) write(c group.Chain, texts, n int) (raw []byte, err error) {
	entries := make([][]byte, texts)
	for i := range entries {
		next, mk, err := c.Step()
		if err != nil {
			return nil, err
		}
		c = next
		if entries[i], _, err = group.Seal(mk, l.room, l.id, 1, make([]byte, n)); err != nil {
			return nil, err
		}
	}
	s, err := segment.Build(segment.BuildParams{
		Key: l.key, Room: l.room, Log: l.id, K: l.past.Size(), First: l.first, Prev: l.prev, Past: l.past, Entries: entries,
	})
	if err != nil {
		return nil, err
	}
	l.prev, l.past, l.first = segment.Digest(s.RawHeader), l.past.Append(s.RawHeader), l.first+uint64(texts)
	return s.Marshal(), nil
}

var errSignature = errors.New("the signature does not verify")

// read checks a segment and opens its entries, as whoever gets it does.
func (l *log) read(c group.Chain, raw []byte) error {
	s, err := segment.Parse(raw)
	if err != nil {
		return err
	}
	if !s.Verify(l.key.Public()) {
		return errSignature
	}
	for _, r := range s.Entries {
		e, err := group.ParseEntry(r)
		if err != nil {
			return err
		}
		next, mk, err := c.Step()
		if err != nil {
			return err
		}
		c = next
		if _, _, err := group.Open(mk, l.room, l.id, e); err != nil {
			return err
		}
	}
	return nil
}

// exchange writes and reads a segment.
func (l *log) exchange(c group.Chain, texts, n int) error {
	raw, err := l.write(c, texts, n)
	if err != nil {
		return err
	}
	return l.read(c, raw)
}
