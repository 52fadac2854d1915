package group

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// GateSecret is the 32 random bytes that the members of a room share for its topic: from it follow the room tag, the
// gate key and the topic's name. It keeps strangers and removed members from publishing and reads no message. It is
// secret and prints as "[secret]".
type GateSecret [32]byte

// NewGateSecret returns a fresh random secret.
func NewGateSecret() (GateSecret, error) {
	var g GateSecret
	if _, err := rand.Read(g[:]); err != nil {
		return GateSecret{}, fmt.Errorf("making a gate secret: %w", err)
	}
	return g, nil
}

// Tag is the room tag, HMAC(secret, "tag")[:16]: it names the secret in segment headers without giving it away.
func (g GateSecret) Tag() [16]byte {
	sum := mac(g[:], []byte("tag"))
	return [16]byte(sum[:16])
}

// Key is the gate key of the room, 32 bytes, with which Gate is computed.
func (g GateSecret) Key(room [32]byte) [32]byte { return g.expand("gate", room) }

// Topic is the name of the room's gossip topic, 64 hex digits.
func (g GateSecret) Topic(room [32]byte) string {
	topic := g.expand("topic", room)
	return hex.EncodeToString(topic[:])
}

// expand is Expand(secret, label, room id, 32) of the protocol.
func (g GateSecret) expand(label string, room [32]byte) [32]byte {
	out, err := hkdf.Expand(sha256.New, g[:], "CQ1 "+label+"\x00"+string(room[:]), 32)
	if err != nil {
		panic("group: HKDF refused 32 bytes: " + err.Error()) // lengths are constant: cannot happen
	}
	return [32]byte(out)
}

// Gate is the MAC in front of what travels on a topic: HMAC(gate key, segment header)[:16]. It costs a microsecond to
// check and comes before any signature; compare it with hmac.Equal.
func Gate(key [32]byte, header []byte) [16]byte {
	sum := mac(key[:], header)
	return [16]byte(sum[:16])
}
