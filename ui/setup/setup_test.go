package setup

import (
	"errors"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"github.com/tyler-smith/go-bip39"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/kit/kittest"
)

func TestSuggestionsAreFiveWordsAndStrong(t *testing.T) {
	list := map[string]bool{}
	for _, w := range bip39.GetWordList() {
		list[w] = true
	}
	seen := map[string]bool{}
	for range 100 {
		s := Suggest()
		words := strings.Fields(s)
		if len(words) != suggested || seen[s] {
			t.Fatalf("suggested %q", s)
		}
		seen[s] = true
		for _, w := range words {
			if !list[w] {
				t.Errorf("%q is in no list", w)
			}
		}
	}
	if got := Weigh("acid bulk cotton daring estate"); got.Level() != 4 || math.Abs(got.Bits-suggested*wordBits) > 0.1 {
		t.Errorf("five words of the list are worth %+v", got)
	}
}

func TestTheMeterIsNotEasilyImpressed(t *testing.T) {
	for _, row := range []struct {
		password string
		short    bool
		level    int
	}{
		{"", true, 0},
		{"Xk7!pQ2", true, 1},
		{"aaaaaaaaaaaaaaaa", false, 1},
		{"1234567890", false, 1},
		{"password123", false, 1},
		{"qwertyuiop1", false, 1},
		{"correct horse", false, 1},
		{"correct correct correct correct", false, 1},
		{"correct horse battery", false, 2},
		{"correct horse battery staple", false, 3},
		{"correct horse battery staple ocean", false, 4},
		{"x9#Kq!z84$Wm&", false, 4},
	} {
		if got := Weigh(row.password); got.Short != row.short || got.Level() != row.level {
			t.Errorf("%q: %+v, level %d, want %d", row.password, got, got.Level(), row.level)
		}
	}
}

// create shows the page that makes an account.
func create(t *testing.T, s CreateSpec) (*Create, *kittest.Window) {
	t.Helper()
	kittest.Dress(t, kit.NewTheme(kit.Look{}))
	var w *kittest.Window
	s.Say = func(err error) string { return "said: " + err.Error() }
	s.Focus = func(f fyne.Focusable) { w.Focus(f) }
	c := NewCreate(s)
	w = kittest.Show(t, c.Content(), 1180, 760)
	w.Focus(c.First())
	return c, w
}

func TestBothFieldsAreAskedForBeforeAnythingStarts(t *testing.T) {
	started := 0
	c, w := create(t, CreateSpec{Start: func(name string, password []byte) {
		if name != "Ada" || string(password) != "long enough it is" {
			t.Errorf("started with %q and %q", name, password)
		}
		started++
	}})
	c.start()
	if !w.Says("A name is needed") || w.Canvas().Focused() != c.name.Focusable() {
		t.Error("nothing is said about the name")
	}
	c.name.SetText("Ada")
	c.word.SetText("too short")
	c.start()
	if !w.Says("said: "+app.ErrShort.Error()) || !w.Says("Too short") || w.Canvas().Focused() != c.word.Focusable() {
		t.Error("nothing is said about the password")
	}
	if started != 0 {
		t.Fatal("started with what does not fit")
	}
	c.word.SetText("long enough it is")
	c.start()
	c.start()
	if started != 1 {
		t.Errorf("started %d times, want once", started)
	}
	if c.word.Text() != "" {
		t.Error("the password stays in its field")
	}
	c.Wrong("The disk is full.")
	if !w.Says("The disk is full.") {
		t.Error("why it failed is not said")
	}
	c.word.SetText("long enough it is")
	c.start()
	if started != 2 {
		t.Error("nobody can try again")
	}
}

func TestThePasswordIsSeenWhileItIsTyped(t *testing.T) {
	c, w := create(t, CreateSpec{Start: func(string, []byte) {}})
	w.Canvas().Focus(c.word.Focusable())
	test.Type(w.Canvas().Focused(), "visible")
	if e, ok := c.word.Focusable().(interface{ SelectedText() string }); !ok || e == nil {
		t.Fatal(errors.New("not an entry"))
	}
	if !w.Says("Hide what is written") {
		t.Error("a new password is hidden while it is typed")
	}
}
