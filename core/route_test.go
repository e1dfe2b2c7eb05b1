package core_test

import (
	"context"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestErrorFrom has requests without an address refused: the error comes from the account, as a result does (RFC 6120 §8.1.2.1, §10.3.3).
func TestErrorFrom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db, answering{})
		romeo := w.Bind("romeo", "a")
		romeo.Say("<iq type='get' id='1'><known xmlns='urn:test'/></iq>")
		romeo.Hears("type='result'", "id='1'", "from='romeo@localhost'")
		romeo.Say("<iq type='get' id='2'><unknown xmlns='urn:test'/></iq>")
		romeo.Hears("type='error'", "id='2'", "from='romeo@localhost'")
		romeo.Say("<iq type='get' id='3' to='localhost'><unknown xmlns='urn:test'/></iq>")
		romeo.Hears("type='error'", "id='3'", "from='localhost'")
	})
}

type answering struct{}

func (answering) Attach(s *core.Server) {
	s.HandleIQ(core.AtAccount, "urn:test", "known", func(context.Context, *core.Request) (*xmpp.Element, error) { return nil, nil })
}
