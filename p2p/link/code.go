package link

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/record"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// code tells the other end why a stream was reset. It is a hint, worth as much as the connection it came over: it ends
// waiting early and chooses words, and never counts as an answer.
type code = network.StreamErrorCode

// The codes lie above those of libp2p, which end at 0x10ff.
const (
	codeUnknown code = 0x4351_0000 + iota // no such link any more: shake hands again
	codeRefused                           // turned away for good
	codeLater                             // busy
	codeBroken                            // this does not parse, or does not open
	codeLeaving                           // this host is stopping
)

var (
	// ErrGone says that a link ended before a request could be handled; another link may carry it.
	ErrGone = errors.New("the link has ended")

	// ErrBroken says that the other end does not speak our protocol, or badly.
	ErrBroken = errors.New("the peer does not speak our protocol")

	// ErrIdentity says that somebody else than the account asked for answered.
	ErrIdentity = errors.New("somebody else answered")

	errClosed  = fmt.Errorf("closed here: %w", ErrGone)
	errUnknown = fmt.Errorf("it is not known at the other end: %w", ErrGone)

	// ErrLeaving says that the other end is stopping: the link has ended, and another one can be had when it is back.
	ErrLeaving = fmt.Errorf("the peer is stopping: %w", ErrGone)

	// errStream says that a stream ended before a request was on it; the link may have others.
	errStream = errors.New("the stream has ended")
)

// remote turns the error of a stream into what the other end meant by it.
func remote(err error) error {
	var se *network.StreamError
	if !errors.As(err, &se) || !se.Remote {
		return fmt.Errorf("%w: %w", peer.ErrUnreachable, err)
	}
	switch se.ErrorCode {
	case codeUnknown:
		return fmt.Errorf("%w: %w", errUnknown, err)
	case codeLeaving:
		return fmt.Errorf("%w: %w", ErrLeaving, err)
	case codeRefused:
		return fmt.Errorf("%w: %w", peer.ErrRefused, err)
	case codeLater, network.StreamResourceLimitExceeded, network.StreamRateLimited:
		return fmt.Errorf("%w: %w", peer.ErrLater, err)
	case codeBroken:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return fmt.Errorf("%w: %w", peer.ErrUnreachable, err)
}

// causeOf names what was wrong with the bytes of a stream, for the count of refusals; empty when nothing was: the other end
// went away, or we did.
func causeOf(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, network.ErrReset), errors.Is(err, ErrGone):
		return ""
	case timedOut(err):
		return "slow"
	case errors.Is(err, errOversize):
		return "oversize"
	case errors.Is(err, errReplay):
		return "replay"
	case errors.Is(err, record.ErrAuth):
		return "forged"
	case errors.Is(err, errMemory):
		return "limit"
	}
	return "garbage"
}

// timedOut says whether err is a deadline that passed; yamux and quic-go have errors of their own for it.
func timedOut(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
