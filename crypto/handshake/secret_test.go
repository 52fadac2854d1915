package handshake

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

const stateSize = unsafe.Sizeof(State{})

func TestSecretsPrintAsSecret(t *testing.T) {
	s, _ := initiate(t, alice().config(bob()))
	waiting := respond(t, bob().config(alice()))
	_, m1 := initiate(t, alice().config(bob()))
	next(t, waiting, m1)
	for _, v := range []any{s, *s, waiting, Secret{1, 2, 3}, &Secret{1, 2, 3}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); got != "[secret]" {
				t.Errorf("Sprintf(%s, %T) = %q", verb, v, got)
			}
		}
		if got, err := json.Marshal(v); err != nil || string(got) != `"[secret]"` {
			t.Errorf("json of %T = %s, %v", v, got, err)
		}
	}
}

func TestAResultPrintsWithoutItsMasterSecret(t *testing.T) {
	i, _, _ := run(t, alice().config(bob()), bob().config(alice()))
	for _, verb := range []string{"%v", "%+v", "%x"} {
		got := fmt.Sprintf(verb, *i)
		if !strings.Contains(got, "[secret]") {
			t.Errorf("Sprintf(%s) hides nothing", verb)
		}
		for _, form := range []string{"%x", "%v"} {
			if raw := fmt.Sprintf(form, i.Master[:]); strings.Contains(got, strings.Trim(raw, "[]")) {
				t.Errorf("Sprintf(%s) shows the master secret", verb)
			}
		}
	}
}
