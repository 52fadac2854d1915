package sim

import (
	"context"
	"errors"
	mrand "math/rand"
	"testing"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// A vault that opens and holds nobody could neither be used nor be made again.
func TestAPowerCutWhileAnAccountIsMadeLeavesAllOrNothing(t *testing.T) {
	ctx := context.Background()
	whole, none := 0, 0
	for cut := 1; whole < 3; cut += 1 + cut/20 {
		disk := crashfs.New(mrand.New(mrand.NewSource(int64(cut))))
		cfg := app.Config{Disk: disk, Single: true}
		profile, err := app.OpenProfile("/p", cfg)
		if err != nil {
			t.Fatal(err)
		}
		disk.CutPowerAfter(cut)
		svc, words, err := profile.CreateUnderWords(ctx, "somebody")
		if err == nil {
			whole++
			_ = svc.Close()
		}
		disk.Crash()
		svc, opened := profile.UnlockWords(ctx, words)
		switch {
		case opened == nil:
			if id, err := svc.Owner.Identity(ctx); err != nil || id.Name != "somebody" {
				t.Errorf("cut after %d changes: the account is %q, %v", cut, id.Name, err)
			}
			_ = svc.Close()
		case err == nil:
			t.Errorf("cut after %d changes, made before: %v", cut, opened)
		case errors.Is(opened, store.ErrNone):
			none++
			again, _, err := profile.CreateUnderWords(ctx, "somebody")
			if err != nil {
				t.Errorf("cut after %d changes: making it again: %v", cut, err)
				continue
			}
			_ = again.Close()
		default:
			t.Errorf("cut after %d changes: neither there nor not there: %v", cut, opened)
		}
	}
	if none == 0 {
		t.Error("no cut came before the vault was there")
	}
}
