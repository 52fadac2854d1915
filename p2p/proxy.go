package p2p

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/net/proxy"
)

// parseProxy reads socks5://[user:password@]host:port (RFC 1928, 1929).
func parseProxy(s string) (proxy.ContextDialer, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("reading the proxy: it is to be like socks5://127.0.0.1:9050") // url's error repeats the password
	}
	if u.Scheme != "socks5" || u.Host == "" || u.Port() == "" || u.Path != "" {
		return nil, fmt.Errorf("the proxy at %q cannot be used: it is to be like socks5://127.0.0.1:9050", u.Host)
	}
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", u.Host, auth, proxy.Direct)
	if err != nil {
		return nil, fmt.Errorf("using the proxy: %w", err)
	}
	through, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("using the proxy: it cannot be given up on")
	}
	return through, nil
}

// throughProxy makes every TCP connection of ours go through d. There is nothing else then: no QUIC, which a SOCKS proxy
// does not carry for us, and nothing on the local network.
func throughProxy(d proxy.ContextDialer) tcp.Option {
	return tcp.WithDialerForAddr(func(ma.Multiaddr) (tcp.ContextDialer, error) { return proxied{d}, nil })
}

type proxied struct{ proxy.ContextDialer }

// DialContext returns a connection that names the far end as its remote address, not the proxy.
func (p proxied) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialling through the proxy: %w", err)
	}
	c, err := p.ContextDialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("dialling through the proxy: %w", err)
	}
	return proxiedConn{c, net.TCPAddrFromAddrPort(to)}, nil
}

type proxiedConn struct {
	net.Conn
	to net.Addr
}

func (c proxiedConn) RemoteAddr() net.Addr { return c.to }
