package app

import (
	"testing"
)

func TestARequestIsAcceptedAndTwoTalk(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "how are you")
	w.run()
	b.say(a, "well, and you")
	w.run()
	a.say(b, "well")
	w.run()
	all := []string{"hello bob", "how are you", "well, and you", "well"}
	a.wants(b, all...)
	b.wants(a, all...)
	a.state(b, "well", Delivered, ReasonNone)
	b.state(a, "well, and you", Delivered, ReasonNone)
}
