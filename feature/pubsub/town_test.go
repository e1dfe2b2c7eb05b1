package pubsub

import (
	"context"
	"slices"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// town stands for rosters, presence and capabilities: romeo and juliet see each other, mercutio is nobody's contact. A session says what
// it wants in its presence: <presence><wants xmlns='urn:test'>node</wants>…</presence>.
type town struct {
	*Feature
	core *core.Server
}

var wanted = new(core.Key[map[string]bool])

func (w *town) Attach(s *core.Server) {
	w.core = s
	w.Feature.Attach(s)
	s.HandlePresence(w.presence)
	s.HandleIQ(core.AtAccount, nsDiscoInfo, "query", w.disco)
	s.HandleIQ(core.AtAccount, nsDiscoItems, "query", w.disco)
}

func (w *town) presence(ctx context.Context, t *core.Transit) error {
	if t.Via == nil || !t.Stanza.To.IsZero() {
		return nil
	}
	if t.Stanza.Type == "unavailable" {
		t.Via.SetPresence(nil, 0)
		return nil
	}
	before, nodes := wanted.Get(t.Via), map[string]bool{}
	var fresh []string
	for _, n := range t.Stanza.Nodes {
		if n.Element.Is("urn:test", "wants") {
			nodes[n.Element.Text()] = true
			if !before[n.Element.Text()] {
				fresh = append(fresh, n.Element.Text())
			}
		}
	}
	t.Via.SetPresence(t.Stanza, 0)
	wanted.Set(t.Via, nodes)
	w.Interested(ctx, t.Via, fresh)
	return nil
}

func (w *town) disco(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	ask := w.NodeInfo
	if r.Payload.Space == nsDiscoItems {
		ask = w.NodeItems
	}
	children, err := ask(ctx, r, r.Payload.Attr("node"))
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(r.Payload.Space, "query", children...), nil
}

func (w *town) Wants(session *core.Session, node string) bool { return wanted.Get(session)[node] }

func (w *town) Subscribed(_ context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return account.JID.Local() == "romeo" && contact.Local() == "juliet" || account.JID.Local() == "juliet" && contact.Local() == "romeo", nil
}

func (w *town) Subscribers(_ context.Context, account *core.Account) ([]xmpp.JID, error) {
	return map[string][]xmpp.JID{"romeo": {xmpp.MustJID("juliet@localhost")}, "juliet": {xmpp.MustJID("romeo@localhost")}}[account.JID.Local()], nil
}

func (w *town) Subscriptions(ctx context.Context, account *core.Account) ([]xmpp.JID, error) {
	return w.Subscribers(ctx, account)
}

func (w *town) InGroup(_ context.Context, _ *core.Account, contact xmpp.JID, groups ...string) (bool, error) {
	return contact.Local() == "juliet" && slices.Contains(groups, "Love"), nil
}

func (w *town) Elsewhere(*core.Account, string) []xmpp.JID { return nil }

func withTown(change func(*Config)) palabretest.Option {
	return palabretest.With(func(s *palabretest.Server) (any, error) {
		cfg := DefaultConfig()
		change(&cfg)
		w := &town{}
		var err error
		w.Feature, err = New(s.Context, cfg, s.DB, w, w, w, s.Log)
		if err == nil {
			w.MakePrivate("urn:test:private")
		}
		return w, err
	})
}

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", withTown(func(*Config) {}))
}

func TestLimits(t *testing.T) {
	palabretest.Run(t, "testdata/limits/*.txt", withTown(func(c *Config) {
		*c = Config{MaxNodes: 3, MaxItems: 5, MaxPayloadBytes: 200, MaxAccountBytes: 600, MaxMembers: 2, MaxPage: 3}
	}))
}

// crowd is a town in which everybody sees everybody.
type crowd struct {
	town
	all []xmpp.JID
}

func (c *crowd) Subscribed(context.Context, *core.Account, xmpp.JID) (bool, error) { return true, nil }

func (c *crowd) Subscriptions(context.Context, *core.Account) ([]xmpp.JID, error) { return c.all, nil }
