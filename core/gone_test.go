package core_test

import (
	"context"
	"errors"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// keeper plans to keep every message and, once, holds up the planning.
type keeper struct {
	planned, goOn chan struct{}
	kept          int
}

func (k *keeper) Attach(s *core.Server) {
	s.Keep(core.Received, func(*core.Transit) core.Write {
		close(k.planned)
		<-k.goOn
		return func(context.Context) error { k.kept++; return nil }
	})
}

// TestRemovedWhileDeciding removes an account between the decision about a stanza for it and its keeping: nothing is kept any more.
func TestRemovedWhileDeciding(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := &keeper{planned: make(chan struct{}), goOn: make(chan struct{})}
		w := coretest.New(t, db, k)
		juliet := w.Add("juliet")
		told := make(chan error)
		go func() {
			told <- w.Arrives("<message from='x@elsewhere' to='juliet@localhost'><body>late</body></message>")
		}()
		<-k.planned
		w.Forget(juliet)
		if err := db.Tx(t.Context(), func(ctx context.Context) error { return w.Removed(ctx, juliet) }); err != nil {
			t.Fatal(err)
		}
		close(k.goOn)
		if err := <-told; !errors.Is(err, xmpp.ServiceUnavailable) || k.kept != 0 {
			t.Errorf("told %v, kept %d", err, k.kept)
		}
	})
}
