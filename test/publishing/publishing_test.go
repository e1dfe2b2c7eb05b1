// Package publishing plays, through the door, what people publish about themselves and how older and newer apps see the same of it:
// events, profiles, avatars, bookmarks and what has been read, with rosters and capabilities as the product has them.
package publishing

import (
	"context"
	"errors"
	"sync"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/bookmark"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/displayed"
	"palabre.dev/palabre/feature/private"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/status"
	"palabre.dev/palabre/feature/vcard"
	"palabre.dev/palabre/test/palabretest"
)

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", palabretest.With(together))
}

// house is all features of one server.
type house struct {
	contacts *roster.Feature
	apps     *caps.Feature
	personal *pubsub.Feature
	told     *status.Feature
}

// together makes the features for one server and hands on those that run.
func together(s *palabretest.Server) (any, error) {
	h := &house{}
	var err error
	if h.contacts, err = roster.New(s.Context, s.DB, roster.DefaultConfig(), s.Log); err != nil {
		return nil, err
	}
	if h.apps, err = caps.New(s.Context, s.DB, caps.DefaultConfig(), s.Log); err != nil {
		return nil, err
	}
	if h.personal, err = pubsub.New(s.Context, pubsub.DefaultConfig(), s.DB, h.contacts, h.contacts, h.apps, s.Log); err != nil {
		return nil, err
	}
	if h.told, err = status.New(s.Context, status.DefaultConfig(), s.DB, h.personal, h.personal, h.contacts, s.Log); err != nil {
		return nil, err
	}
	stored, err := private.New(s.Context, private.DefaultConfig(), s.DB)
	if err != nil {
		return nil, err
	}
	cards, err := vcard.New(s.Context, vcard.DefaultConfig(), s.DB, h.contacts, h.personal, h.personal, h.personal, s.Log)
	if err != nil {
		return nil, err
	}
	found, err := disco.New(disco.DefaultConfig(), h.contacts)
	if err != nil {
		return nil, err
	}
	h.wire(found)
	rooms := bookmark.New(h.personal, h.personal, h.personal, stored, s.Log)
	for _, f := range []interface{ Attach(*core.Server) }{h.contacts, displayed.New(h.personal, s.Log), cards, carbons.New(), h.apps, h.personal,
		stored, rooms, h.told, found} {
		f.Attach(s.Core)
	}
	return h, nil
}

func (h *house) wire(found *disco.Feature) {
	h.apps.OnWants(func(ctx context.Context, want caps.Want) {
		if want.Session != nil {
			h.personal.Interested(ctx, want.Session, want.Nodes)
		}
	})
	found.AddIdentity(core.AtAccount, pubsub.Identity())
	found.AddInfo(core.AtAccount, h.personal.NodeInfo)
	found.AddItems(core.AtAccount, h.personal.NodeItems)
}

// Run waits for the questions that capabilities have out, and removes statuses.
func (h *house) Run(ctx context.Context) error {
	var both sync.WaitGroup
	var swept error
	both.Go(func() { swept = h.told.Run(ctx) })
	err := h.apps.Run(ctx)
	both.Wait()
	return errors.Join(err, swept)
}
