package channel

import (
	"context"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/test/palabretest"
)

// with puts the service into a server.
func with(cfg Config) palabretest.Option {
	return palabretest.With(func(s *palabretest.Server) (any, error) {
		return New(s.Context, cfg, s.DB, nil, nil, "https://localhost", s.Log)
	})
}

// withPresence lets sessions be available.
func withPresence() palabretest.Option {
	return palabretest.With(func(*palabretest.Server) (any, error) { return being{}, nil })
}

type being struct{}

func (being) Attach(s *core.Server) {
	s.HandlePresence(func(_ context.Context, t *core.Transit) error {
		if t.Stanza.To.IsZero() && t.Via != nil {
			t.Via.SetPresence(t.Stanza, 0)
		}
		return nil
	})
}

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", with(DefaultConfig()), withPresence())
}

func TestLimits(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxChannelsPerDay, cfg.MaxPostsPerHour, cfg.MaxFollowed, cfg.MaxPeople, cfg.MaxPage = 2, 2, 1, 2, 1
	palabretest.Run(t, "testdata/limits/*.txt", with(cfg), withPresence())
}
