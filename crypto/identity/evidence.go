package identity

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// evidenceMagic stands for "evidence, lists".
const evidenceMagic = "CQEL"

// ListEvidence proves to anybody that an account signed two different lists under one counter, which an honest owner
// never does: two copies of the words are in use, or one is a thief's.
//
//	"CQEL" | suite 2 | account key 1984 | list | list
//
// The list with the smaller digest is first, so that two who find the same pair make the same object, but for signatures.
type ListEvidence struct {
	Account *composite.PublicKey
	A, B    *List
}

// NewListEvidence makes evidence of two lists, if that is what they are: it returns what Check does.
func NewListEvidence(account *composite.PublicKey, a, b *List) (*ListEvidence, error) {
	x, y := a.Head().Digest, b.Head().Digest
	if bytes.Compare(x[:], y[:]) > 0 {
		a, b = b, a
	}
	e := &ListEvidence{Account: account, A: a, B: b}
	if err := e.Check(); err != nil {
		return nil, err
	}
	return e, nil
}

// ParseListEvidence reads what Marshal writes. It checks the structure only; nothing is proven before Check.
func ParseListEvidence(raw []byte) (*ListEvidence, error) {
	e, err := parseListEvidence(raw)
	if err != nil {
		return nil, fmt.Errorf("reading evidence of two lists: %w", err)
	}
	return e, nil
}

// Marshal writes the evidence, at most 34 KB.
func (e *ListEvidence) Marshal() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddBytes([]byte(evidenceMagic))
	b.AddUint16(Suite)
	b.AddBytes(e.Account.Bytes())
	b.AddBytes(e.A.Raw)
	b.AddBytes(e.B.Raw)
	return b.BytesOrPanic()
}

// Check says whether the evidence proves what it claims: two different lists, one counter, both signed by the account.
// ErrAccount, ErrSignature.
func (e *ListEvidence) Check() error {
	a, b := e.A.Head(), e.B.Head()
	if a.Counter != b.Counter || bytes.Compare(a.Digest[:], b.Digest[:]) >= 0 {
		return errors.New("checking evidence of two lists: they do not contradict each other")
	}
	for _, l := range []*List{e.A, e.B} {
		if err := l.verify(e.Account); err != nil {
			return fmt.Errorf("checking evidence of two lists: %w", err)
		}
	}
	return nil
}

func parseListEvidence(raw []byte) (*ListEvidence, error) {
	s := cryptobyte.String(raw)
	if err := readHead(&s, evidenceMagic); err != nil {
		return nil, err
	}
	var key []byte
	if !s.ReadBytes(&key, composite.PublicKeySize) {
		return nil, ErrMalformed
	}
	account, err := composite.ParsePublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	e := &ListEvidence{Account: account}
	for _, l := range []**List{&e.A, &e.B} {
		if *l, err = readList(&s); err != nil {
			return nil, err
		}
	}
	if !s.Empty() {
		return nil, ErrMalformed
	}
	return e, nil
}
