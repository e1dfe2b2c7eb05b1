package core_test

import (
	"context"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// fragile panics when it is told of a certain message.
type fragile struct{}

func (fragile) Attach(s *core.Server) {
	s.Tell(core.Sent, func(_ context.Context, t *core.Transit) {
		if t.Stanza.ID == "bad" {
			panic("a mistake")
		}
	})
}

// TestPanicIsCounted has a message meet a mistake: it is refused, and counted as handled, and those after it go on.
func TestPanicIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db, fragile{})
		romeo := w.Bind("romeo", "a")
		handled := 0
		for _, id := range []string{"good", "bad", "good"} {
			st := w.Parse("<message type='headline' to='romeo@localhost/a' id='" + id + "'><body>hello</body></message>")
			romeo.Session.Accept(t.Context(), st, func() { handled++ })
		}
		romeo.Session.Idle()
		if handled != 3 {
			t.Errorf("%d of 3 counted", handled)
		}
		romeo.Hears("id='bad'", "type='error'", "internal-server-error")
	})
}
