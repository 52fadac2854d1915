package link

import (
	"context"
	"fmt"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func BenchmarkCall(b *testing.B) {
	for _, over := range []string{"tcp", "quic"} {
		for _, size := range []int{64, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%d", over, size), func(b *testing.B) {
				x, y := newParty(b, over), newParty(b, over)
				y.frame = func(_ context.Context, _ identity.DeviceID, _ peer.Kind, body []byte) ([]byte, error) {
					return body[:32], nil
				}
				l := join(b, x, y)
				body := make([]byte, size)
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := l.Call(b.Context(), peer.Deliver, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkCallParallel(b *testing.B) {
	for _, over := range []string{"tcp", "quic"} {
		b.Run(over, func(b *testing.B) {
			x, y := newParty(b, over), newParty(b, over)
			y.frame = func(_ context.Context, _ identity.DeviceID, _ peer.Kind, body []byte) ([]byte, error) {
				return body[:32], nil
			}
			l := join(b, x, y)
			body := make([]byte, 4<<10)
			b.SetBytes(int64(len(body)))
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Call(b.Context(), peer.Deliver, body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	x, y := newParty(b, "tcp"), newParty(b, "tcp")
	connect(b, x.host, y.host)
	y.classes[x.id()] = peer.Contact
	for b.Loop() {
		l, err := x.pool.Connect(b.Context(), y.target())
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
}
