package link

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// headSize is kind 1 | request 4 | length 4.
const headSize = 9

// kindPing is the link's own frame, without a body; the node never hears of it.
const kindPing peer.Kind = 0

// head is what a frame begins with.
type head struct {
	kind    peer.Kind
	request uint32 // 0 wants no reply
	length  int
}

var errOversize = errors.New("frame is longer than any frame may be")

// parseHead reads the nine bytes before a body. It refuses lengths over peer.MaxBody; caps by kind come later.
func parseHead(b [headSize]byte) (head, error) {
	n := binary.BigEndian.Uint32(b[5:])
	if n > peer.MaxBody {
		return head{}, errOversize
	}
	return head{kind: peer.Kind(b[0]), request: binary.BigEndian.Uint32(b[1:5]), length: int(n)}, nil
}

// appendHead is the inverse of parseHead.
func appendHead(dst []byte, h head) []byte {
	dst = append(dst, byte(h.kind))
	dst = binary.BigEndian.AppendUint32(dst, h.request)
	return binary.BigEndian.AppendUint32(dst, uint32(h.length))
}

// request builds a whole frame. It copies body, which the caller may change as soon as the call is back.
func request(k peer.Kind, number uint32, body []byte) []byte {
	f := appendHead(make([]byte, 0, headSize+len(body)), head{k, number, len(body)})
	return append(f, body...)
}

// status is the first byte of a reply's body.
type status uint8

const (
	statusDone    status = 0
	statusLater   status = 1
	statusRefused status = 2
	statusUnknown status = 3 // the kind, or something in the body, is of a version that we do not know
)

// reply builds the frame that answers h.
func reply(h head, st status, body []byte) []byte {
	f := appendHead(make([]byte, 0, headSize+1+len(body)), head{h.kind | peer.ReplyBit, h.request, 1 + len(body)})
	return append(append(f, byte(st)), body...)
}

// statusOf is what the handler's error becomes on the wire. An error that says nothing to a peer, a full disk say, is
// "later": the request was in order, and nothing was stored.
func statusOf(err error) status {
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, peer.ErrRefused):
		return statusRefused
	case errors.Is(err, peer.ErrNewer):
		return statusUnknown
	}
	return statusLater
}

// parseReply splits the body of a reply and turns its status back into an error.
func parseReply(k peer.Kind, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, errors.New("reply without a status")
	}
	switch rest := body[1:]; status(body[0]) {
	case statusDone:
		return rest, nil
	case statusLater:
		return nil, fmt.Errorf("%s: %w", k, peer.ErrLater)
	case statusRefused:
		return nil, fmt.Errorf("%s: %w", k, peer.ErrRefused)
	default:
		return nil, fmt.Errorf("%s is not known there: %w", k, peer.ErrNewer)
	}
}
