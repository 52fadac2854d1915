package ratchet

import "fmt"

const secret = "[secret]"

// Format prints "[secret]" whatever the verb: records hold chains and keys.
func (InitConfig) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]".
func (InitConfig) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb: records hold chains and keys.
func (Accepted) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]".
func (Accepted) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb: records hold chains and keys.
func (Opened) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]".
func (Opened) MarshalText() ([]byte, error) { return []byte(secret), nil }

// Format prints "[secret]" whatever the verb.
func (Session) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText is "[secret]": a session is stored by Marshal only.
func (Session) MarshalText() ([]byte, error) { return []byte(secret), nil }
