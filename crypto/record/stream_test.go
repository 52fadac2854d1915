package record

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// sealed is what a Writer makes of parts, with FIN if it is closed.
func sealed(t testing.TB, closed bool, parts ...[]byte) []byte {
	t.Helper()
	s, _ := pair(t)
	var wire bytes.Buffer
	w := NewWriter(&wire, s)
	for _, p := range parts {
		if n, err := w.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if closed {
		if err := w.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	return wire.Bytes()
}

func reader(t testing.TB, r io.Reader) *Reader {
	t.Helper()
	_, o := pair(t)
	return NewReader(r, o)
}

func TestReaderGivesBackWhatWriterTook(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var parts [][]byte
	for _, n := range []int{0, 1, 17, MaxData - 1, MaxData, MaxData + 1, 3*MaxData + 5, 72 << 10, 0} {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(rnd.Uint32())
		}
		parts = append(parts, p)
	}
	want := bytes.Join(parts, nil)
	wire := sealed(t, true, parts...)
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(wire), "bytewise": iotest.OneByteReader(bytes.NewReader(wire)),
		"halved": iotest.HalfReader(bytes.NewReader(wire)), "end with data": iotest.DataErrReader(bytes.NewReader(wire)),
	} {
		if got, err := io.ReadAll(reader(t, r)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: read %d of %d bytes, %v", name, len(got), len(want), err)
		}
	}
	if err := iotest.TestReader(reader(t, bytes.NewReader(wire)), want); err != nil {
		t.Errorf("Reader is no proper io.Reader: %v", err)
	}
}

func TestEndWithoutFINIsUnexpected(t *testing.T) {
	whole := sealed(t, true, []byte("first"), []byte("second"))
	for n := range len(whole) {
		r := reader(t, bytes.NewReader(whole[:n]))
		got, err := io.ReadAll(r)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: read %q, %v", n, len(whole), got, err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: a second Read = %v", n, len(whole), err)
		}
	}
}

func TestReaderStopsAtFIN(t *testing.T) {
	wire := bytes.NewReader(append(sealed(t, true, []byte("x")), "after"...))
	r := reader(t, wire)
	if got, err := io.ReadAll(r); err != nil || string(got) != "x" {
		t.Errorf("read %q, %v", got, err)
	}
	if n, err := r.Read(make([]byte, 9)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read after the end = %d, %v", n, err)
	}
	if wire.Len() != len("after") {
		t.Errorf("the reader took %d bytes behind FIN", len("after")-wire.Len())
	}
}

func TestReaderHandsOutNothingForged(t *testing.T) {
	wire := sealed(t, true, []byte("first"), []byte("second"))
	for at := range wire {
		bad := bytes.Clone(wire)
		bad[at] ^= 0x10
		got, err := io.ReadAll(reader(t, bytes.NewReader(bad)))
		if err == nil || !errors.Is(err, ErrAuth) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("byte %d changed: %v", at, err)
		}
		if !bytes.HasPrefix([]byte("firstsecond"), got) {
			t.Errorf("byte %d changed: read %q", at, got)
		}
	}
}

func TestReaderRefusesImpossibleLengthsBeforeReading(t *testing.T) {
	for _, n := range []int{0, 1, minCiphertext - 1, maxCiphertext + 1, 0xffff} {
		body := bytes.NewReader(make([]byte, 70_000))
		r := reader(t, io.MultiReader(bytes.NewReader([]byte{byte(n >> 8), byte(n)}), body))
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrAuth) {
			t.Errorf("length %d: %v, want %v", n, err, ErrAuth)
		}
		if body.Len() != 70_000 || r.buf != nil {
			t.Errorf("length %d: %d bytes were read all the same", n, 70_000-body.Len())
		}
	}
}

func TestReaderAndWriterHoldOneRecord(t *testing.T) {
	s, _ := pair(t)
	var wire bytes.Buffer
	w := NewWriter(&wire, s)
	for n := 1; n < 200_000; n *= 3 {
		if _, err := w.Write(make([]byte, n)); err != nil {
			t.Fatalf("Write: %v", err)
		}
	}
	if cap(w.buf) > MaxRecord {
		t.Errorf("the writer holds %d bytes, want at most %d", cap(w.buf), MaxRecord)
	}
	r := reader(t, &wire)
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("Copy: %v", err)
	}
	if cap(r.buf) > MaxRecord {
		t.Errorf("the reader holds %d bytes, want at most %d", cap(r.buf), MaxRecord)
	}
}

func TestSmallRecordsNeedSmallBuffers(t *testing.T) {
	r := reader(t, bytes.NewReader(sealed(t, true, []byte("hello"))))
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if cap(r.buf) > 64 {
		t.Errorf("the reader holds %d bytes for a record of 24", cap(r.buf))
	}
}

func TestClosedWriterTakesNothing(t *testing.T) {
	s, _ := pair(t)
	var wire bytes.Buffer
	w := NewWriter(&wire, s)
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if wire.Len() != Overhead {
		t.Errorf("closing wrote %d bytes, want one record of %d", wire.Len(), Overhead)
	}
	for _, p := range [][]byte{[]byte("x"), nil} {
		if n, err := w.Write(p); n != 0 || !errors.Is(err, ErrClosed) {
			t.Errorf("Write(%q) after Close = %d, %v", p, n, err)
		}
	}
}

// failing takes so many bytes and then fails, or writes short without an error.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left >= len(p) {
		f.left -= len(p)
		return len(p), nil
	}
	return f.left, f.err
}

func TestWriterFailsForGood(t *testing.T) {
	broken := errors.New("broken")
	for _, row := range []struct {
		name      string
		err, want error
	}{{"an error", broken, broken}, {"a short write", nil, io.ErrShortWrite}} {
		s, _ := pair(t)
		w := NewWriter(&failing{left: MaxRecord + 10, err: row.err}, s)
		n, err := w.Write(make([]byte, 3*MaxData))
		if n != MaxData || !errors.Is(err, row.want) {
			t.Errorf("%s: Write = %d, %v, want %d, %v", row.name, n, err, MaxData, row.want)
		}
		if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, row.want) {
			t.Errorf("%s: the next Write = %d, %v", row.name, n, err)
		}
		if err := w.Close(); !errors.Is(err, row.want) {
			t.Errorf("%s: Close = %v", row.name, err)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	wire := sealed(t, true, []byte("hello"))
	for _, n := range []int{0, 1, 2, 10} {
		r := reader(t, io.MultiReader(bytes.NewReader(wire[:n]), iotest.ErrReader(broken)))
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want %v", n, err, broken)
		}
	}
}

func TestStreamsAllocateNothingPerRecord(t *testing.T) {
	s, o := pair(t)
	var wire bytes.Buffer
	wire.Grow(8 * MaxRecord)
	w, r := NewWriter(&wire, s), NewReader(&wire, o)
	data, back := make([]byte, 3*MaxData), make([]byte, 3*MaxData)
	n := testing.AllocsPerRun(50, func() {
		if _, err := w.Write(data); err != nil {
			t.Fatalf("Write: %v", err)
		}
		if _, err := io.ReadFull(r, back); err != nil {
			t.Fatalf("ReadFull: %v", err)
		}
	})
	if n != 0 {
		t.Errorf("three records allocate %v times", n)
	}
}
