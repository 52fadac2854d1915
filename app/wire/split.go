package wire

import (
	"errors"
	"slices"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// ErrTooLarge says that one entry with its proofs does not fit a part of a WELCOME.
var ErrTooLarge = errors.New("an entry does not fit a part of a WELCOME")

const welcomeHead = 32 + 2 + 2 + 2 // room, part, of, number of logs

// Split makes parts of at most 48 KiB of a welcome of any size, whose Part and Of are ignored. A log's head stands in every part that
// has a segment of it; a segment that is too long comes several times, each time with other entries whole.
func (c Welcome) Split() ([]Welcome, error) {
	first := c
	first.Part, first.Of, first.Logs = 0, 1, nil
	p := packer{parts: []Welcome{first}, left: MaxWelcome - len(first.Marshal())}
	if p.left < 0 {
		return nil, ErrTooLarge
	}
	for _, l := range c.Logs {
		if err := p.log(l); err != nil {
			return nil, err
		}
	}
	for i := range p.parts {
		p.parts[i].Part, p.parts[i].Of = uint16(i), uint16(len(p.parts))
	}
	return p.parts, nil
}

// packer fills the last of its parts and knows how many bytes are left in it.
type packer struct {
	parts []Welcome
	left  int
}

func (p *packer) next() {
	p.parts = append(p.parts, Welcome{Room: p.parts[0].Room, Part: uint16(len(p.parts))})
	p.left = MaxWelcome - welcomeHead
}

// open puts the head of a log into the last part, or into a new one if the head and what must follow it do not fit.
func (p *packer) open(l WelcomeLog, follow int) {
	last := &p.parts[len(p.parts)-1]
	fresh := last.Part > 0 && len(last.Logs) == 0
	if !fresh && p.left < l.headSize()+follow {
		p.next()
		last = &p.parts[len(p.parts)-1]
	}
	l.Segments = nil
	last.Logs = append(last.Logs, l)
	p.left -= l.headSize()
}

func (p *packer) log(l WelcomeLog) error {
	most := MaxWelcome - welcomeHead - l.headSize()
	if len(l.Segments) == 0 {
		p.open(l, 0)
		return nil
	}
	p.open(l, min(most, l.Segments[0].size()))
	for _, s := range l.Segments {
		for rest := &s; rest != nil; {
			if rest.size() > p.left && len(p.last().Segments) > 0 {
				p.open(l, most)
			}
			var fits *WelcomeSegment
			if fits, rest = rest.cut(p.left); fits == nil {
				return ErrTooLarge
			}
			p.last().Segments = append(p.last().Segments, *fits)
			p.left -= fits.size()
		}
	}
	return nil
}

func (p *packer) last() *WelcomeLog {
	logs := p.parts[len(p.parts)-1].Logs
	return &logs[len(logs)-1]
}

func (l *WelcomeLog) headSize() int {
	return composite.PublicKeySize + segment.HeaderSize + composite.SignatureSize + 2 + len(l.Past.Marshal()) + 2
}

func (s *WelcomeSegment) size() int {
	return s.FetchedSegment.Size() + 2 + 32*len(s.Inclusion) + 32*len(s.PRKs)
}

// cut takes as many whole entries as fit limit, at least one, and makes leaf hashes of the others; rest is the segment the other way
// round, or nil if everything fits.
func (s *WelcomeSegment) cut(limit int) (fits, rest *WelcomeSegment) {
	if s.size() <= limit {
		return s, nil
	}
	fits, rest = s.bare(), s.bare()
	opened, taken := 0, 0
	for i, e := range s.Entries {
		if IsLeaf(e) {
			continue
		}
		to := rest
		if fits.size()+len(e) <= limit { // a prk takes the place of the leaf hash
			to, taken = fits, taken+1
		}
		to.Entries[i] = e
		to.PRKs = append(to.PRKs, s.PRKs[opened])
		opened++
	}
	if taken == 0 {
		return nil, nil
	}
	return fits, rest
}

// bare is the segment with leaf hashes only.
func (s *WelcomeSegment) bare() *WelcomeSegment {
	b := &WelcomeSegment{FetchedSegment: s.FetchedSegment, Inclusion: s.Inclusion}
	b.Entries = slices.Clone(s.Entries)
	for i, h := range s.Leaves() {
		b.Entries[i] = h[:]
	}
	return b
}
