package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
)

// TestAPartThatPanicsBeginsAnew has a part panic twice, and then fail.
func TestAPartThatPanicsBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &App{log: slog.New(slog.DiscardHandler)}
		runs, broken := 0, errors.New("broken")
		err := a.keepRunning(t.Context(), func(context.Context) error {
			if runs++; runs < 3 {
				panic("once more")
			}
			return broken
		})
		if runs != 3 || !errors.Is(err, broken) {
			t.Errorf("%d runs, %v", runs, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		if err := a.keepRunning(ctx, func(context.Context) error { stop(); panic("at the end") }); err != nil {
			t.Error(err)
		}
	})
}
