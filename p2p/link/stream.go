package link

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/record"
)

const (
	// stallDeadline is how long a peer may take for one record of at most 16 KiB, and for taking what we write: 550 bytes a
	// second, less than any modem. A frame of 72 KiB has five of them.
	stallDeadline = 30 * time.Second

	// greetingSize is what a stream begins with: link id 16 | n 8.
	greetingSize = len(ID{}) + 8

	// streamMemory is what a stream holds apart from bodies: a record each way and what stands before them.
	streamMemory = 2*record.MaxRecord + 8<<10
)

// stream is a libp2p stream under the keys of a link. One goroutine reads it, any may write.
type stream struct {
	raw   network.Stream
	in    *bufio.Reader
	rd    *record.Reader
	pen   *pen
	stall time.Duration
}

// newStream takes over raw, whose first bytes are greeting if it is ours, and have been read if not.
func newStream(p *Pool, raw network.Stream, greeting, out, in []byte) (*stream, error) {
	sealer, err := record.NewSealer(out)
	if err != nil {
		return nil, err
	}
	opener, err := record.NewOpener(in)
	if err != nil {
		return nil, err
	}
	s := &stream{raw: raw, in: bufio.NewReader(raw), stall: p.patience.stall}
	s.rd = record.NewReader(s.in, opener)
	s.pen = newPen(p, raw, greeting, sealer)
	return s, nil
}

// await blocks until the first byte of the next frame is there, at most for idle. A frame begins with a record, so that
// nothing of it is inside the record reader yet. A timeout leaves the stream as it was.
func (s *stream) await(idle time.Duration) error {
	_ = s.raw.SetReadDeadline(time.Now().Add(idle))
	_, err := s.in.Peek(1)
	return err
}

// head reads the head of a frame that has begun.
func (s *stream) head() (head, error) {
	var b [headSize]byte
	if err := s.fill(b[:]); err != nil {
		return head{}, err
	}
	return parseHead(b)
}

// fill reads exactly len(b) bytes. Each record that opens in between is progress and renews the deadline; single bytes are
// not, or one byte every half minute would hold a stream and its memory for a month.
func (s *stream) fill(b []byte) error {
	for n := 0; n < len(b); {
		_ = s.raw.SetReadDeadline(time.Now().Add(s.stall))
		m, err := s.rd.Read(b[n:])
		n += m
		if err != nil && n < len(b) {
			if errors.Is(err, io.EOF) && n > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// skip reads n bytes and forgets them.
func (s *stream) skip(n int) error {
	var b [4 << 10]byte
	for n > 0 {
		m := min(n, len(b))
		if err := s.fill(b[:m]); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// body reserves memory for n bytes, reads them, and returns what gives the memory back.
func (s *stream) body(n int) (b []byte, release func(), err error) {
	if n == 0 {
		return nil, func() {}, nil
	}
	scope := s.raw.Scope()
	if err := scope.ReserveMemory(n, network.ReservationPriorityMedium); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errMemory, err)
	}
	release = func() { scope.ReleaseMemory(n) }
	b = make([]byte, n)
	if err := s.fill(b); err != nil {
		release()
		return nil, nil, err
	}
	return b, release, nil
}

var errMemory = errors.New("no memory left for this peer")

func (s *stream) reset(c code) {
	s.pen.stop(errClosed)
	_ = s.raw.ResetWithError(c)
}

// pen writes frames to a stream, in the order of put, from one goroutine that lives while there is something to write.
type pen struct {
	pool *Pool
	raw  network.Stream
	seal *record.Writer
	buf  bytes.Buffer // sealed bytes on their way out; of the writing goroutine

	mu    sync.Mutex
	queue []*letter // guarded by mu; bounded by the tokens that its callers hold
	busy  bool      // guarded by mu: a goroutine is writing
	err   error     // guarded by mu: why nothing can be written any more
}

// letter is a frame on its way out.
type letter struct {
	frame []byte
	sent  chan struct{} // closed when it was written, or never will be
	err   error         // valid once sent is closed
}

func newPen(p *Pool, raw network.Stream, greeting []byte, s *record.Sealer) *pen {
	n := &pen{pool: p, raw: raw}
	n.buf.Write(greeting)
	n.seal = record.NewWriter(&n.buf, s)
	return n
}

// put queues a frame. The frame belongs to the pen from then on.
func (p *pen) put(frame []byte) (*letter, error) {
	l := &letter{frame: frame, sent: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	if !p.busy {
		if !p.pool.spawn(p.write) {
			return nil, errClosed
		}
		p.busy = true
	}
	p.queue = append(p.queue, l)
	return l, nil
}

// write empties the queue. Frames that wait together leave in one write, up to a MaxBody's worth.
func (p *pen) write() {
	for {
		p.mu.Lock()
		if len(p.queue) == 0 || p.err != nil {
			p.busy = false
			p.drop()
			p.mu.Unlock()
			return
		}
		var batch []*letter
		for size := 0; len(p.queue) > 0 && size < 64<<10; {
			batch = append(batch, p.queue[0])
			size += len(p.queue[0].frame)
			p.queue = p.queue[1:]
		}
		p.mu.Unlock()
		err := p.send(batch)
		for _, l := range batch {
			l.err = err
			close(l.sent)
		}
		if err != nil {
			p.stop(err)
			_ = p.raw.ResetWithError(codeBroken) // or its reader would wait on
		}
	}
}

func (p *pen) send(batch []*letter) error {
	for _, l := range batch {
		if _, err := p.seal.Write(l.frame); err != nil {
			return fmt.Errorf("sealing a frame: %w", err)
		}
	}
	records := time.Duration(1 + p.buf.Len()/record.MaxRecord)
	_ = p.raw.SetWriteDeadline(time.Now().Add(records * p.pool.patience.stall))
	_, err := p.raw.Write(p.buf.Bytes())
	p.buf.Reset()
	if p.buf.Cap() > 2*record.MaxRecord {
		p.buf = bytes.Buffer{} // one long frame is no reason to keep its room for ever; seal writes through &p.buf
	}
	return err
}

// finish writes the FIN record, if nobody is writing.
func (p *pen) finish() {
	p.mu.Lock()
	if p.busy || p.err != nil {
		p.mu.Unlock()
		return
	}
	p.err = errClosed
	p.mu.Unlock()
	if p.seal.Close() != nil {
		return
	}
	_ = p.raw.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = p.raw.Write(p.buf.Bytes())
}

// stop refuses what comes and gives up what waits.
func (p *pen) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	if !p.busy {
		p.drop()
	}
}

// drop gives up what waits. The caller holds mu.
func (p *pen) drop() {
	for _, l := range p.queue {
		l.err = p.err
		close(l.sent)
	}
	p.queue = nil
}

// greeting is the beginning of stream n of a link.
func greeting(id ID, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, greetingSize), id[:]...), n)
}

// parseGreeting is the inverse of greeting.
func parseGreeting(b [greetingSize]byte) (ID, uint64) {
	return ID(b[:len(ID{})]), binary.BigEndian.Uint64(b[len(ID{}):])
}
