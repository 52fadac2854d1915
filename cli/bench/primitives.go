package bench

import (
	"time"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/record"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// textSize is that of a usual message, in bytes.
const textSize = 200

// primitives makes everything that is measured: from single operations up to what a message costs in all.
func primitives() (rows []row, err error) {
	for _, make := range []func() ([]row, error){signatures, exchanges, links, sessions, logs, vaults} {
		some, err := make()
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

func signatures() ([]row, error) {
	key, err := composite.GenerateKey()
	if err != nil {
		return nil, err
	}
	message := make([]byte, segment.HeaderSize)
	sig, err := key.Sign(message, "bench")
	if err != nil {
		return nil, err
	}
	return []row{
		{name: "Ed25519+ML-DSA-65 key", bytes: composite.PublicKeySize, do: func() error {
			_, err := composite.GenerateKey()
			return err
		}},
		{name: "Ed25519+ML-DSA-65 sign", bytes: composite.SignatureSize, do: func() error {
			_, err := key.Sign(message, "bench")
			return err
		}},
		{name: "Ed25519+ML-DSA-65 verify", do: func() error {
			if !key.Public().Verify(message, "bench", sig) {
				return errSignature
			}
			return nil
		}},
	}, nil
}

func exchanges() ([]row, error) {
	key, err := hybrid.GenerateKey()
	if err != nil {
		return nil, err
	}
	public := key.PublicKey()
	_, ct, err := hybrid.Encapsulate(public)
	if err != nil {
		return nil, err
	}
	return []row{
		{name: "X25519+ML-KEM-768 key", bytes: hybrid.PublicKeySize, do: func() error {
			_, err := hybrid.GenerateKey()
			return err
		}},
		{name: "X25519+ML-KEM-768 encapsulate", bytes: hybrid.CiphertextSize, do: func() error {
			_, _, err := hybrid.Encapsulate(public)
			return err
		}},
		{name: "X25519+ML-KEM-768 decapsulate", do: func() error {
			_, err := key.Decapsulate(ct)
			return err
		}},
	}, nil
}

func links() ([]row, error) {
	a, err := newPerson()
	if err != nil {
		return nil, err
	}
	b, err := newPerson()
	if err != nil {
		return nil, err
	}
	data := make([]byte, record.MaxData)
	stream := func() error {
		keyiv := make([]byte, 44)
		s, err := record.NewSealer(keyiv)
		if err != nil {
			return err
		}
		o, err := record.NewOpener(keyiv)
		if err != nil {
			return err
		}
		box, err := s.Seal(nil, record.Data, data)
		if err != nil {
			return err
		}
		ciphertext, _, err := record.Split(box)
		if err != nil {
			return err
		}
		_, _, err = o.Open(nil, ciphertext)
		return err
	}
	return []row{
		{
			name: "handshake, both sides, met before", must: 2200 * time.Microsecond, goal: 1700 * time.Microsecond,
			do: func() error { return shake(a.calls(b, true), b.calls(a, true)) },
		},
		{
			name: "handshake, both sides, first time", must: 3000 * time.Microsecond, goal: 2300 * time.Microsecond,
			do: func() error { return shake(a.calls(b, false), b.calls(a, false)) },
		},
		{name: "record of a link, seal + open", bytes: len(data), do: stream},
		{name: "device certificate, verify", do: func() error {
			_, err := identity.VerifyCertificate(a.device.Certificate.Raw, a.account.Public())
			return err
		}},
	}, nil
}

func sessions() ([]row, error) {
	a, err := newPerson()
	if err != nil {
		return nil, err
	}
	b, err := newPerson()
	if err != nil {
		return nil, err
	}
	mine, init, err := ratchet.Initiate(a.begins(b))
	if err != nil {
		return nil, err
	}
	got, err := ratchet.Accept(b.accepts(), init)
	if err != nil {
		return nil, err
	}
	_, message, err := mine.Seal(make([]byte, textSize))
	if err != nil {
		return nil, err
	}
	return []row{
		{name: "session, begin", bytes: len(init), do: func() error {
			_, _, err := ratchet.Initiate(a.begins(b))
			return err
		}},
		{name: "session, accept", do: func() error {
			_, err := ratchet.Accept(b.accepts(), init)
			return err
		}},
		{name: "session, seal 200 B", bytes: len(message), do: func() error {
			_, _, err := mine.Seal(make([]byte, textSize))
			return err
		}},
		{name: "session, open 200 B", do: func() error {
			_, err := got.Session.Open(message, b.seed)
			return err
		}},
	}, nil
}

func logs() ([]row, error) {
	chain, err := group.NewChain(0)
	if err != nil {
		return nil, err
	}
	l, err := newLog()
	if err != nil {
		return nil, err
	}
	if _, err := l.write(chain, 1, textSize); err != nil { // the first segment carries the key of the log
		return nil, err
	}
	alone, err := l.write(chain, 1, textSize)
	if err != nil {
		return nil, err
	}
	burst, err := l.write(chain, segment.MaxEntries, textSize)
	if err != nil {
		return nil, err
	}
	return []row{
		{
			name: "message 200 B, seal + open, alone", bytes: len(alone), must: 800 * time.Microsecond, goal: 700 * time.Microsecond,
			do: func() error { return l.exchange(chain, 1, textSize) },
		},
		{
			name: "message 200 B, seal + open, in a burst of 64", bytes: len(burst) / segment.MaxEntries, batch: segment.MaxEntries,
			must: 80 * time.Microsecond, goal: 40 * time.Microsecond,
			do: func() error { return l.exchange(chain, segment.MaxEntries, textSize) },
		},
		{
			name: "message 200 B, check and open, alone", must: 300 * time.Microsecond, goal: 150 * time.Microsecond,
			do: func() error { return l.read(chain, alone) },
		},
	}, nil
}

func vaults() ([]row, error) {
	key := vault.NewKey()
	return []row{{name: "password, 64 MiB", do: func() error {
		_, err := vault.SealSlot(vault.KindPassword, []byte("correct horse"), vault.Min, key, nil)
		return err
	}}}, nil
}
