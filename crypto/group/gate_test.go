package group

import (
	"fmt"
	"strings"
	"testing"
)

func TestGateValuesAreSeparate(t *testing.T) {
	g, err := NewGateSecret()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := NewGateSecret()
	if g == other || g.Tag() == other.Tag() || g.Key(testRoom) == other.Key(testRoom) || g.Topic(testRoom) == other.Topic(testRoom) {
		t.Error("two secrets give the same values")
	}
	if g.Key(testRoom) == g.Key(testLog) || g.Topic(testRoom) == g.Topic(testLog) {
		t.Error("two rooms have the same key or topic")
	}
	if g.Topic(testRoom) == fmt.Sprintf("%x", g.Key(testRoom)) || len(g.Topic(testRoom)) != 64 {
		t.Error("the topic gives the key away, or is no 32 bytes in hex")
	}
}

func TestGateDependsOnKeyAndHeader(t *testing.T) {
	key, header := [32]byte{1}, []byte("header")
	gate := Gate(key, header)
	if gate != Gate(key, []byte("header")) || gate == Gate([32]byte{2}, header) || gate == Gate(key, []byte("Header")) {
		t.Error("the gate is not a MAC of the header")
	}
}

func TestSecretsPrintAsSecret(t *testing.T) {
	c, _ := NewChain(1)
	_, mk, _ := c.Step()
	g, _ := NewGateSecret()
	for _, v := range []any{c, &c, mk, &mk, g, &g} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%q", "%d"} {
			if got := fmt.Sprintf(verb, v); got != secret {
				t.Errorf("%T as %s prints %q", v, verb, got)
			}
		}
		m, ok := v.(interface{ MarshalText() ([]byte, error) })
		if !ok {
			t.Fatalf("%T has no MarshalText", v)
		}
		if text, err := m.MarshalText(); err != nil || string(text) != secret {
			t.Errorf("%T marshals to %q, %v", v, text, err)
		}
	}
	if got := fmt.Sprint(struct{ C Chain }{c}); !strings.Contains(got, secret) || len(got) > 20 {
		t.Errorf("inside a struct: %q", got)
	}
}
