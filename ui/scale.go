package ui

import (
	"context"
	"strconv"

	"github.com/cryptexq/cryptexq/ui/kit"
)

// zoomStep is how much larger Ctrl and plus make everything, in percent.
const zoomStep = 10

// sizeSetting is where the size is kept, in the vault: nothing that matters stands outside of it.
const sizeSetting = "window.percent"

// scale is how large everything is drawn.
type scale struct {
	window *window
	look   kit.Look
}

// percent is the present size.
func (z *scale) percent() int {
	if z.look.Percent == 0 {
		return 100
	}
	return z.look.Percent
}

// wear draws everything as the look says.
func (z *scale) wear() { z.window.app.Settings().SetTheme(kit.NewTheme(z.look)) }

// zoom makes everything larger or smaller, and remembers that.
func (z *scale) zoom(by int) {
	to := min(max(z.percent()+by, kit.SmallestPercent), kit.LargestPercent)
	if to == z.percent() {
		return
	}
	z.set(to)
	service := z.window.shell.service
	if service == nil {
		return
	}
	z.window.shell.hands.act(func(ctx context.Context) error {
		return service.Owner.SetSetting(ctx, sizeSetting, strconv.Itoa(to))
	}, func(error) {})
}

func (z *scale) set(percent int) {
	z.look.Percent = percent
	z.wear()
}

// read takes the size from the vault.
func (z *scale) read() {
	service, kept := z.window.shell.service, ""
	z.window.shell.hands.act(func(ctx context.Context) (err error) {
		kept, err = service.Owner.Setting(ctx, sizeSetting, "")
		return err
	}, func(err error) {
		if n, bad := strconv.Atoi(kept); err == nil && bad == nil && n != z.percent() {
			z.set(n)
		}
	})
}
