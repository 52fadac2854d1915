package record

import (
	"errors"
	"fmt"
	"io"
)

// Writer turns what is written to it into records on an io.Writer. Each record goes out with one Write. It holds at most
// MaxRecord bytes.
type Writer struct {
	w   io.Writer
	s   *Sealer
	buf []byte // the last record; reused
	err error  // of w; a half-written record cannot be taken back, so it stays
}

// NewWriter returns a Writer that owns s.
func NewWriter(w io.Writer, s *Sealer) *Writer { return &Writer{w: w, s: s} }

// Write seals p, in as many records as it needs, and returns when w has taken them. Nothing is kept back. After an error every
// later call fails with the same one; after Close it is ErrClosed.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), MaxData)]
		if err := w.put(Data, part); err != nil {
			return n, err
		}
		n += len(part)
		p = p[len(part):]
	}
	return n, w.err
}

// Close writes the FIN record and leaves the writer below open. A second Close does nothing.
func (w *Writer) Close() error {
	if errors.Is(w.err, ErrClosed) {
		return nil
	}
	if err := w.put(FIN, nil); err != nil {
		return err
	}
	w.err, w.buf = ErrClosed, nil
	return nil
}

func (w *Writer) put(typ uint8, data []byte) error {
	if w.err != nil {
		return w.err
	}
	rec, err := w.s.Seal(w.buf[:0], typ, data)
	if err != nil {
		w.err = err
		return err
	}
	w.buf = rec
	n, err := w.w.Write(rec)
	if err == nil && n != len(rec) {
		err = io.ErrShortWrite
	}
	w.err = err
	return err
}

// Reader gives back what the Writer at the other end was given. It holds at most MaxRecord bytes, and hands out nothing that
// has not been authenticated.
type Reader struct {
	r    io.Reader
	o    *Opener
	head [lengthSize]byte
	buf  []byte // the current record; reused, as large as the largest record so far
	rest []byte // of buf: data that has not been read yet
	err  error
}

// NewReader returns a Reader that owns o. It reads r in two steps a record and never beyond the FIN record.
func NewReader(r io.Reader, o *Opener) *Reader { return &Reader{r: r, o: o} }

// Read returns io.EOF after the FIN record only. An end of file before it is io.ErrUnexpectedEOF, a record that does not open
// ErrAuth, and errors of the reader below are returned as they are. Each of them is final.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.rest) == 0 && r.err == nil {
		r.rest, r.err = r.next()
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next reads one record and returns its data, at least one byte.
func (r *Reader) next() ([]byte, error) {
	if err := r.fill(r.head[:]); err != nil {
		return nil, err
	}
	n, err := parseLength(r.head[:])
	if err != nil {
		return nil, err
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, min(MaxRecord, max(2*cap(r.buf), n)))
	}
	b := r.buf[:n]
	if err := r.fill(b); err != nil {
		return nil, err
	}
	typ, data, err := r.o.Open(b[:0], b)
	if err != nil {
		return nil, err
	}
	if typ == FIN {
		r.buf = nil
		return nil, io.EOF
	}
	return data, nil
}

func (r *Reader) fill(b []byte) error {
	_, err := io.ReadFull(r.r, b)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Format prints "[secret]" whatever the verb: the buffer may hold what was read.
func (*Reader) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText returns "[secret]".
func (*Reader) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb.
func (*Writer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText returns "[secret]".
func (*Writer) MarshalText() ([]byte, error) { return []byte(secret), nil }
