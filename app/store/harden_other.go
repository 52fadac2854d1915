//go:build !linux

package store

// Harden does nothing on this system.
func Harden() error { return nil }

// machineMemory is what this machine is taken to have, in bytes.
func machineMemory() uint64 { return defaultMemory }
