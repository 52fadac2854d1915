package segment

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// ID names a log: H("CQ1 log", room id, log public key), each part behind its u32 length. It certifies itself: whoever has the
// key can check it, and no log can be moved to another room.
type ID [32]byte

// LogID derives the name of pk's log in a room.
func LogID(room [32]byte, pk *composite.PublicKey) ID { return logID(room, pk.Bytes()) }

func logID(room [32]byte, key []byte) ID {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(contextLog), room[:], key} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return ID(h.Sum(nil))
}

// String is the ID in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first 8 characters, for logs.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

const (
	contextLog = "CQ1 log"
	certMagic  = "CQK1"
	certBody   = 4 + 2 + 32 + 32 + composite.PublicKeySize + 32 + 8 + 32
	// LogCertificateSize is the body and both signatures: 8872 bytes.
	LogCertificateSize = certBody + 2*composite.SignatureSize
)

// LogCertificate binds a log key to a device in a room, and names the log that this one continues. It travels inside the room's
// encryption only: outside, a log is a pseudonym. Raw is "CQK1" | suite 2 | device certificate digest 32 | room 32 | log pk 1984
// | old log 32 | old k 8 | old head digest 32 | device signature 3373 | log signature 3373, both over all before the first.
type LogCertificate struct {
	Device     [32]byte // digest of the device certificate
	Room       [32]byte
	Key        []byte // log public key, 1984 bytes
	PrevLog    ID     // the log that this one continues; zeros, with PrevK and PrevDigest, if none
	PrevK      uint64
	PrevDigest [32]byte // of header PrevK
	Raw        []byte
}

// Log is the name of the certified log.
func (c *LogCertificate) Log() ID { return logID(c.Room, c.Key) }

func (c *LogCertificate) body() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, LogCertificateSize))
	b.AddBytes([]byte(certMagic))
	b.AddUint16(suite)
	b.AddBytes(c.Device[:])
	b.AddBytes(c.Room[:])
	b.AddBytes(c.Key)
	b.AddBytes(c.PrevLog[:])
	b.AddUint64(c.PrevK)
	b.AddBytes(c.PrevDigest[:])
	return b.BytesOrPanic()
}

// sane says whether what is named as the old log can be one: all of it or nothing, and not this log itself.
func (c *LogCertificate) sane() bool {
	if c.PrevLog == (ID{}) {
		return c.PrevK == 0 && c.PrevDigest == [32]byte{}
	}
	return c.PrevK < MaxK && c.PrevDigest != [32]byte{} && c.PrevLog != c.Log()
}

// SignLogCertificate signs with the device's key and the log's. Of t, Key and Raw are ignored and set in the result.
func SignLogCertificate(device, log *composite.PrivateKey, t LogCertificate) (*LogCertificate, error) {
	t.Key = log.Public().Bytes()
	if !t.sane() {
		return nil, fmt.Errorf("certifying a log: %w", ErrFormat)
	}
	t.Raw = t.body()
	byDevice, err := device.Sign(t.Raw, contextLog)
	if err != nil {
		return nil, fmt.Errorf("certifying a log: %w", err)
	}
	byLog, err := log.Sign(t.Raw, contextLog)
	if err != nil {
		return nil, fmt.Errorf("certifying a log: %w", err)
	}
	t.Raw = append(append(t.Raw, byDevice...), byLog...)
	return &t, nil
}

// ParseLogCertificate reads the structure only; nothing of it is proven before VerifyLogCertificate. It refers to raw.
func ParseLogCertificate(raw []byte) (*LogCertificate, error) {
	c := &LogCertificate{Raw: raw}
	r := cryptobyte.String(raw)
	var magic []byte
	var version uint16
	ok := len(raw) == LogCertificateSize && r.ReadBytes(&magic, 4) && r.ReadUint16(&version) && r.CopyBytes(c.Device[:]) &&
		r.CopyBytes(c.Room[:]) && r.ReadBytes(&c.Key, composite.PublicKeySize) && r.CopyBytes(c.PrevLog[:]) &&
		r.ReadUint64(&c.PrevK) && r.CopyBytes(c.PrevDigest[:])
	if !ok || string(magic) != certMagic || version != suite || !c.sane() {
		return nil, fmt.Errorf("reading a log certificate: %w", ErrFormat)
	}
	return c, nil
}

// VerifyLogCertificate checks both signatures. The caller compares Device with the certificate whose key it gave, Room with the
// room, and Log with the log.
func VerifyLogCertificate(raw []byte, device *composite.PublicKey) (*LogCertificate, error) {
	c, err := ParseLogCertificate(raw)
	if err != nil {
		return nil, err
	}
	pk, err := composite.ParsePublicKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("reading a log certificate: %w", err)
	}
	body, sigs := raw[:certBody], raw[certBody:]
	if !device.Verify(body, contextLog, sigs[:composite.SignatureSize]) || !pk.Verify(body, contextLog, sigs[composite.SignatureSize:]) {
		return nil, fmt.Errorf("log certificate of %s: %w", c.Log().Short(), ErrSignature)
	}
	return c, nil
}
