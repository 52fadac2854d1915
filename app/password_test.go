package app

import (
	"errors"
	"testing"
)

func TestWhoForgotThePasswordSetsANewOneWithTheWords(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	p, err := OpenProfile(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Create(ctx, NewAccount{Name: "Ada", Password: []byte("forgotten password"), MinKDF: true})
	if err != nil {
		t.Fatal(err)
	}
	words, err := s.Owner.Words(ctx, []byte("forgotten password"))
	if err != nil {
		t.Fatal(err)
	}
	const others = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " +
		"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"
	if err := s.Owner.ChangePassword(ctx, []byte(others), []byte("a thief's password")); !errors.Is(err, ErrPassword) {
		t.Errorf("with other words: %v", err)
	}
	if err := s.Owner.ChangePassword(ctx, []byte(" "+words+"\n"), []byte("a new password")); err != nil {
		t.Fatal(err)
	}
	if err := s.Owner.ChangePassword(ctx, []byte("forgotten password"), []byte("another password")); !errors.Is(err, ErrPassword) {
		t.Errorf("the forgotten one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err = OpenProfile(dir, Config{}); err != nil {
		t.Fatal(err)
	}
	if s, err = p.Unlock(ctx, []byte("a new password")); err != nil {
		t.Fatal("the new one:", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
