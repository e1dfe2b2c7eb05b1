package group

import (
	"context"
	"strconv"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// with puts the service into a server.
func with(cfg Config) palabretest.Option {
	return palabretest.With(func(s *palabretest.Server) (any, error) {
		return New(s.Context, cfg, s.DB, Siblings{Contacts: contacts{}}, s.Log)
	})
}

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", with(DefaultConfig()), withPresence())
}

func TestLimits(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxCommunityMembers, cfg.MaxCommunityGroups = 3, 2
	palabretest.Run(t, "testdata/limits/*.txt", with(cfg))
}

func TestFullGroups(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxMembers = 3
	palabretest.Run(t, "testdata/full/*.txt", with(cfg), withPresence())
}

func TestStrangers(t *testing.T) {
	palabretest.Run(t, "testdata/strangers/*.txt", withPresence(), withStrangers())
}

// withStrangers puts the service into a server where nurse knows nobody.
func withStrangers() palabretest.Option {
	return palabretest.With(func(s *palabretest.Server) (any, error) {
		return New(s.Context, DefaultConfig(), s.DB, Siblings{Contacts: contacts{shy: true}}, s.Log)
	})
}

func TestUnread(t *testing.T) {
	palabretest.Run(t, "testdata/unread/*.txt", palabretest.With(func(s *palabretest.Server) (any, error) {
		return New(s.Context, DefaultConfig(), s.DB, Siblings{Markers: markers{s.DB}}, s.Log)
	}))
}

// markers knows, as far as these tests go, that mercutio has seen the fourth entry of all.
type markers struct{ db *store.DB }

// Displayed is the id of that entry for mercutio, and nothing that a log has given for others.
func (m markers) Displayed(ctx context.Context, account *core.Account, _ xmpp.JID) (id string, err error) {
	if account.JID.Local() != "mercutio" {
		return "x", nil
	}
	rows, err := m.db.Query(ctx, "select id from group_entry order by id limit 4")
	for i := 0; err == nil && i < 4 && rows.Next(); i++ {
		var n int64
		err = rows.Scan(&n)
		id = strconv.FormatInt(n, 10)
	}
	return id, err
}

// withPresence lets people be there, so that what is sent to their account reaches them.
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

// contacts are whom people know: all know each other, but nurse, who has no contacts if she is shy.
type contacts struct{ shy bool }

// Listed reports whether somebody is a contact of an account.
func (c contacts) Listed(_ context.Context, account *core.Account, _ xmpp.JID) (bool, error) {
	return !c.shy || account.JID.Local() != "nurse", nil
}
