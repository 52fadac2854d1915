package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Hello is the protocol by which those who show themselves nearby say who they are:
//
//	the asker opens the stream and closes its side; answer = account 32 | name, UTF-8, 1 to 64 bytes, and end of file
//
// It is bare: nothing in it is proven.
const (
	Hello        protocol.ID = "/cryptexq/hello/1"
	HelloService string      = "cryptexq.hello"
)

const (
	maxName       = 64
	maxAnswer     = len(identity.AccountID{}) + maxName
	helloDeadline = 5 * time.Second
)

// Card is what somebody nearby claims to be.
type Card struct {
	Account identity.AccountID
	Name    string
}

// marshal is the answer that carries c. A name that is too long is cut behind a whole character.
func (c Card) marshal() []byte { return append(append([]byte{}, c.Account[:]...), Clip(c.Name)...) }

// Clip cuts a name to what an answer can carry, behind a whole character, and takes out what cannot be shown.
func Clip(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name))
	for len(name) > maxName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return strings.TrimSpace(name)
}

// parseCard reads an answer. It refuses names that Clip would change: control characters, line breaks, blanks around.
func parseCard(b []byte) (Card, error) {
	n := len(identity.AccountID{})
	if len(b) <= n || len(b) > maxAnswer {
		return Card{}, errors.New("reading hello: an answer has 33 to 96 bytes")
	}
	c := Card{Account: identity.AccountID(b[:n]), Name: string(b[n:])}
	if c.Name != Clip(c.Name) {
		return Card{}, errors.New("reading hello: the name cannot be shown")
	}
	return c, nil
}

// ask asks a host that is connected who it is.
func ask(ctx context.Context, h host.Host, to corepeer.ID) (Card, error) {
	ctx, cancel := context.WithTimeout(network.WithNoDial(ctx, "hello"), helloDeadline)
	defer cancel()
	s, err := h.NewStream(ctx, to, Hello)
	if err != nil {
		return Card{}, fmt.Errorf("asking hello: %w", err)
	}
	defer func() { _ = s.Reset() }() // after the end of file there is nothing to lose
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	if err := s.Scope().SetService(HelloService); err != nil {
		return Card{}, fmt.Errorf("asking hello: %w", err)
	}
	_ = s.SetDeadline(time.Now().Add(helloDeadline))
	if err := s.CloseWrite(); err != nil {
		return Card{}, fmt.Errorf("asking hello: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(s, int64(maxAnswer)+1))
	if err != nil {
		return Card{}, fmt.Errorf("asking hello: %w", err)
	}
	return parseCard(b)
}

// answer sends our card.
func answer(s network.Stream, c Card) error {
	_ = s.SetDeadline(time.Now().Add(helloDeadline))
	if _, err := s.Write(c.marshal()); err != nil {
		_ = s.Reset()
		return err
	}
	return s.Close()
}
