package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutAScreenOneSentenceSaysWhatToDoAndNoProfileIsOpened(t *testing.T) {
	data := t.TempDir()
	p := Program{
		Screen: func() error { return errors.New("DISPLAY is not set") },
		Window: func(context.Context, Window) error { t.Error("the window was shown"); return nil },
	}
	exit, out, said := talk(t, p, map[string]string{"XDG_DATA_HOME": data}, "--profile", "work")
	want := "cryptexq: There is no screen here: DISPLAY is not set. Log in to a desktop, or without a window run: cryptexq --profile work node\n"
	if exit != exitFailed || out != "" || said != want {
		t.Errorf("exit %d, %q, %q, want %q", exit, out, said, want)
	}
	if found, err := filepath.Glob(filepath.Join(data, "*")); err != nil || len(found) > 0 {
		t.Errorf("a profile was made: %q, %v", found, err)
	}
}

func TestAScreenThatTurnsOutToBeClosedIsSaidInOneSentenceToo(t *testing.T) {
	p := Program{
		Screen: func() error { return nil },
		Window: func(context.Context, Window) error {
			return errors.Join(nil, &NoScreenError{errors.New("it lets nobody in")})
		},
	}
	short, err := os.MkdirTemp("", "cq") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	exit, _, said := talk(t, p, map[string]string{"XDG_DATA_HOME": t.TempDir(), "XDG_RUNTIME_DIR": short})
	if exit != exitFailed || !strings.HasSuffix(said, "cryptexq: There is no screen here: it lets nobody in. Log in to a desktop, or without a window run: cryptexq node\n") {
		t.Errorf("exit %d, %q", exit, said)
	}
}
