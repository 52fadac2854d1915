package tlspq

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quictransport "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// A classical peer is this test binary started again as a stock libp2p host, with ML-KEM switched off in crypto/tls. It
// has to be a process of its own, for the switch holds for a whole process, and beats even groups that are named.
const (
	stockEnv   = "CRYPTEXQ_TEST_STOCK"
	stockProto = "/test/stock/1"
)

func TestMain(m *testing.M) {
	if os.Getenv(stockEnv) != "" {
		if err := runStock(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runStock prints how the host is reached, then dials each peer that it reads and prints whether a stream went through.
func runStock(in io.Reader, out io.Writer) error {
	h, err := libp2p.New(libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Transport(tcp.NewTCPTransport), libp2p.Transport(quictransport.NewTransport),
		libp2p.ListenAddrStrings(tcpLoopback, quicLoopback), libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		return err
	}
	defer h.Close()
	enc := json.NewEncoder(out)
	if err := enc.Encode(peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var to peer.AddrInfo
		if err := json.Unmarshal(lines.Bytes(), &to); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		through := false
		if err := h.Connect(ctx, to); err == nil {
			if s, err := h.NewStream(network.WithNoDial(ctx, "test"), to.ID, stockProto); err == nil {
				_ = s.SetDeadline(time.Now().Add(5 * time.Second))
				n, _ := s.Read(make([]byte, 1))
				through = n == 1
			}
		}
		cancel()
		if err := enc.Encode(through); err != nil {
			return err
		}
	}
	return nil
}

// classicalPeer is a running stock host.
type classicalPeer struct {
	info peer.AddrInfo
	in   *json.Encoder
	out  *json.Decoder
}

func startClassical(t *testing.T) *classicalPeer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stockEnv+"=1", "GODEBUG=tlsmlkem=0,tlssecpmlkem=0")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the end of its input ends it
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	p := &classicalPeer{in: json.NewEncoder(stdin), out: json.NewDecoder(stdout)}
	if err := p.out.Decode(&p.info); err != nil {
		t.Fatal(err)
	}
	return p
}

// dial makes the peer connect and open a stream, and says whether one byte came back.
func (p *classicalPeer) dial(t *testing.T, to peer.AddrInfo) (through bool) {
	t.Helper()
	if err := p.in.Encode(to); err != nil {
		t.Fatal(err)
	}
	if err := p.out.Decode(&through); err != nil {
		t.Fatal(err)
	}
	return through
}
