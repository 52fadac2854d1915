// Package group seals what a device writes into a room: sender chains, entries and gate secrets.
//
// Every device has one chain for each of its logs. A chain of one generation gives 256 message keys, each used once; who
// is given the chain at index i reads from there on and nothing before it. [Seal] turns one message key and the records
// of a message into an entry, [Open] turns it back. Neither keeps anything: a chain is a value, a step returns the next
// one, and what to store when is the caller's transaction.
//
// An entry is not signed here. Its ciphertext is committed to, so that one entry opens to one text only, and the segment
// that carries it is signed over its hash (package segment). The only opening that may be handed on, to a member without
// the chain or to a judge, is the prk of the entry: it opens this entry and no other.
//
// The package does no I/O, keeps no state and imports nothing of ours.
package group

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// ChainLength is the number of message keys that one generation gives, indices 0 to 255. A receiver therefore never
// derives more than 256 keys ahead, and needs no other skip limit.
const ChainLength = 256

// Errors of a chain that a caller branches on.
var (
	ErrEnd  = errors.New("this chain is used up: begin a new generation") // all 256 keys were taken, or the index is not in a chain
	ErrUsed = errors.New("this message key was already taken")            // the index lies before Next
)

// Chain is a sender chain at one point: Key is ck_Next, the 32 bytes that every later message key of this generation
// follows from. It is secret and prints as "[secret]"; zero is no usable chain.
type Chain struct {
	Generation uint32 // counts the chains of a log from 0
	Next       uint32 // index of the entry whose key the next step gives, 0 to 256
	Key        [32]byte
}

// MessageKey is mk_Index of one generation: it seals or opens a single entry. It is secret and prints as "[secret]".
type MessageKey struct {
	Generation, Index uint32
	Key               [32]byte
}

// NewChain returns a fresh random chain at index 0.
func NewChain(generation uint32) (Chain, error) {
	c := Chain{Generation: generation}
	if _, err := rand.Read(c.Key[:]); err != nil {
		return Chain{}, fmt.Errorf("making a sender chain: %w", err)
	}
	return c, nil
}

// Step returns the key of entry Next and the chain behind it, from which that key cannot be computed. c stays as it is:
// storing next in the same transaction as the entry is what makes a key be used once. After 256 steps it returns ErrEnd.
func (c Chain) Step() (next Chain, mk MessageKey, err error) {
	if c.Next >= ChainLength {
		return Chain{}, MessageKey{}, ErrEnd
	}
	mk = MessageKey{Generation: c.Generation, Index: c.Next, Key: mac(c.Key[:], []byte{1})}
	next = Chain{Generation: c.Generation, Next: c.Next + 1, Key: mac(c.Key[:], []byte{2})}
	return next, mk, nil
}

// To steps to the entry at index. It returns the keys of the entries passed over, Next to index-1 in order, for the
// caller to keep while they are missing, the key of index, and the chain behind it. It returns ErrUsed for an index
// before Next and ErrEnd for one that no chain has.
func (c Chain) To(index uint32) (next Chain, skipped []MessageKey, mk MessageKey, err error) {
	if index >= ChainLength {
		return Chain{}, nil, MessageKey{}, ErrEnd
	}
	if index < c.Next {
		return Chain{}, nil, MessageKey{}, ErrUsed
	}
	for next = c; next.Next < index; {
		var passed MessageKey
		if next, passed, err = next.Step(); err != nil {
			return Chain{}, nil, MessageKey{}, err
		}
		skipped = append(skipped, passed)
	}
	next, mk, err = next.Step()
	return next, skipped, mk, err
}

// Follows reports whether c is what earlier becomes by stepping: the same generation, an equal or later index, and the
// key that follows. A second chain for one generation that does not follow from the first betrays its sender.
func (c Chain) Follows(earlier Chain) bool {
	if c.Generation != earlier.Generation || c.Next < earlier.Next || c.Next > ChainLength {
		return false
	}
	for earlier.Next < c.Next {
		earlier, _, _ = earlier.Step() // cannot fail: earlier.Next < c.Next <= ChainLength
	}
	return subtle.ConstantTimeCompare(c.Key[:], earlier.Key[:]) == 1
}

// mac is HMAC-SHA256 over the concatenated parts.
func mac(key []byte, parts ...[]byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
