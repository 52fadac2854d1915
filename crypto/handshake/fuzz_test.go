package handshake

import (
	"bytes"
	"testing"
)

// fuzzParser holds a parser to: what it takes, marshals to the same bytes, and nothing panics.
func fuzzParser(f *testing.F, parse func([]byte) ([]byte, error)) {
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		again, err := parse(b)
		if err == nil && !bytes.Equal(again, before) {
			t.Errorf("marshals to other bytes than were parsed")
		}
		if !bytes.Equal(b, before) {
			t.Errorf("the parser changes its input")
		}
	})
}

func FuzzParseM1(f *testing.F) {
	v := readVector(f)
	f.Add(v.M1)
	f.Add(append(bytes.Clone(v.M1), 0))
	f.Add([]byte{2, 0, 1, 0})
	fuzzParser(f, func(b []byte) ([]byte, error) {
		m, err := parseFirst(b)
		if err != nil {
			return nil, err
		}
		return m.marshal(), nil
	})
}

func FuzzParseM2(f *testing.F) {
	v := readVector(f)
	f.Add(v.M2)
	f.Add(v.M2[:len(v.M2)-1])
	f.Add([]byte{1, 0, 1, 1})
	fuzzParser(f, func(b []byte) ([]byte, error) {
		m, err := parseSecond(b)
		if err != nil {
			return nil, err
		}
		return m.marshal(), nil
	})
}

func FuzzParseM3(f *testing.F) {
	v := readVector(f)
	f.Add(v.M3)
	f.Add(v.M3[:boxSize])
	f.Add(append(bytes.Clone(v.M3), v.M3[boxSize:]...))
	fuzzParser(f, func(b []byte) ([]byte, error) {
		m, err := parseThird(b)
		if err != nil {
			return nil, err
		}
		return m.marshal(), nil
	})
}

func FuzzParseProof(f *testing.F) {
	f.Add(make([]byte, proofSize))
	f.Add(make([]byte, idSize))
	fuzzParser(f, func(b []byte) ([]byte, error) {
		p, err := parseProof(b)
		if err != nil {
			return nil, err
		}
		d, err := parseID(p.id)
		if err != nil {
			return nil, err
		}
		p.id = d.marshal()
		return p.marshal(), nil
	})
}

// FuzzNext gives any bytes to all three steps. None of them may be taken but the real messages, which only the corpus has.
func FuzzNext(f *testing.F) {
	si, m1 := initiate(f, alice().config(bob()))
	first := respond(f, bob().config(alice()))
	waiting := *first
	m2, _ := next(f, &waiting, m1)
	second := *si
	m3, _ := next(f, si, m2)
	for _, m := range [][]byte{m1, m2, m3, nil, m1[:4], append(bytes.Clone(m3), m3[boxSize:]...)} {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, row := range []struct {
			name string
			s    State
			real []byte
		}{{"M1", *first, m1}, {"M2", second, m2}, {"M3", waiting, m3}} {
			if bytes.Equal(b, row.real) {
				continue
			}
			if row.name == "M1" && CheckFilter(b, *first.c) {
				continue // a real M1 too: every process of the fuzzer has made one
			}
			refuse(t, &row.s, b, nil)
		}
	})
}
