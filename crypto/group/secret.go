package group

import "fmt"

const secret = "[secret]"

// Format prints "[secret]" whatever the verb.
func (Chain) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]": a chain travels in a CHAIN record only.
func (Chain) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb.
func (MessageKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]".
func (MessageKey) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb.
func (GateSecret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]": a gate secret travels in a GATE record only.
func (GateSecret) MarshalText() ([]byte, error) { return []byte(secret), nil }
