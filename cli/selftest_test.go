package cli

import "testing"

func TestTheSelfTestPassesOnThisMachine(t *testing.T) {
	if err := selfTest(); err != nil {
		t.Fatal(err)
	}
}
