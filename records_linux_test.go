package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// tlsOverhead is what TLS 1.3 adds to a record: a header of 5 bytes, the type within, the tag.
const tlsOverhead = 5 + 1 + 16

// sniffer counts the TLS records that pass over lo, of both directions of every TCP connection.
type sniffer struct {
	fd    int
	ended sync.WaitGroup

	mu      sync.Mutex
	stop    bool             // guarded by mu
	records int              // guarded by mu
	bytes   int              // guarded by mu: of the records, with everything in them
	flows   map[uint32]*flow // by ports; guarded by mu
	odd     int              // packets that fit nothing; guarded by mu
}

// flow is one direction of a connection, read from a moment on at which a record began.
type flow struct {
	next   uint32 // sequence number that comes next
	header []byte // as much of the next record's header as was seen
	left   int    // bytes that the record still has
}

// sniff starts counting. Nothing may be under way at that moment; it takes the right to look at packets, as in scripts/bench.sh.
func sniff(b *testing.B) *sniffer {
	b.Helper()
	const everything = unix.ETH_P_ALL
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(bits.ReverseBytes16(everything)))
	if err != nil {
		b.Fatal(err)
	}
	const room = 64 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil { // root alone may take so much
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	}
	if err = errors.Join(err, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50_000})); err != nil {
		b.Fatal(err)
	}
	s := &sniffer{fd: fd, flows: map[uint32]*flow{}}
	s.ended.Go(s.run)
	return s
}

// end returns how many records there were since sniff, and their bytes; false: not all packets could be followed.
func (s *sniffer) end(b *testing.B) (records, size int, ok bool) {
	b.Helper()
	s.mu.Lock()
	s.stop = true
	s.mu.Unlock()
	s.ended.Wait()
	lost, err := unix.GetsockoptTpacketStats(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err = errors.Join(err, unix.Close(s.fd)); err != nil {
		b.Fatal(err)
	}
	if lost.Drops > 0 || s.odd > 0 {
		b.Logf("%d packets were missed, %d could not be followed: TLS is in these figures", lost.Drops, s.odd)
	}
	return s.records, s.bytes, lost.Drops == 0 && s.odd == 0
}

func (s *sniffer) run() {
	packet := make([]byte, 1<<17)
	for {
		n, from, err := unix.Recvfrom(s.fd, packet, 0)
		s.mu.Lock()
		if err == nil {
			if l, ok := from.(*unix.SockaddrLinklayer); ok && l.Pkttype != unix.PACKET_OUTGOING { // lo shows each twice
				s.take(packet[:n])
			}
		} else if s.stop {
			s.mu.Unlock()
			return // nothing is left, and nothing more is wanted
		}
		s.mu.Unlock()
	}
}

// take looks at one packet. The caller holds mu.
func (s *sniffer) take(p []byte) {
	const ethernet, tcp = 14, 6
	if len(p) < ethernet+40 || p[ethernet]>>4 != 4 || p[ethernet+9] != tcp {
		return
	}
	p = p[ethernet:]
	p = p[:binary.BigEndian.Uint16(p[2:])]
	t := p[int(p[0]&15)*4:]
	data := t[int(t[12]>>4)*4:]
	if len(data) == 0 {
		return
	}
	seq := binary.BigEndian.Uint32(t[4:])
	ports := binary.BigEndian.Uint32(t)
	f := s.flows[ports]
	if f == nil {
		if !bytes.HasPrefix(data, []byte{0x17, 3, 3}) { // application data
			s.odd++
			return
		}
		f = &flow{next: seq}
		s.flows[ports] = f
	}
	switch ahead := int32(seq - f.next); {
	case ahead > 0:
		s.odd++
	case int(-ahead) < len(data): // what was sent again was seen
		s.feed(f, data[-ahead:])
	}
}

// feed reads on in a flow.
func (s *sniffer) feed(f *flow, data []byte) {
	f.next += uint32(len(data))
	for len(data) > 0 {
		if f.left > 0 {
			n := min(f.left, len(data))
			f.left -= n
			data = data[n:]
			continue
		}
		n := min(5-len(f.header), len(data))
		f.header = append(f.header, data[:n]...)
		data = data[n:]
		if len(f.header) == 5 {
			f.left = int(binary.BigEndian.Uint16(f.header[3:]))
			s.records++
			s.bytes += 5 + f.left
			f.header = f.header[:0]
		}
	}
}
