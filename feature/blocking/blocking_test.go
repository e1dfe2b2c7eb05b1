package blocking

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// stage stands in for the feature that owns presence: it notes whom it would hide from or show to, and sends a word through the rules.
type stage struct {
	server *core.Server
	asked  []string
}

func (s *stage) Hide(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error {
	return s.act(ctx, "hide", account, match)
}

func (s *stage) Show(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error {
	return s.act(ctx, "show", account, match)
}

func (s *stage) act(ctx context.Context, what string, account *core.Account, match func(xmpp.JID) bool) error {
	for _, contact := range []string{"juliet@localhost", "nurse@far.example"} {
		if to := xmpp.MustJID(contact); match(to) {
			s.asked = append(s.asked, what+" "+contact)
			st := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: account.JID, To: to}
			if err := s.server.RouteAs(ctx, account, st); err != nil {
				return err
			}
		}
	}
	return nil
}

type town struct {
	*coretest.World
	*Feature
	stage *stage
	far   *coretest.Elsewhere
}

func newTown(t *testing.T, db *store.DB) *town {
	t.Helper()
	s := &stage{}
	f, err := New(t.Context(), db, DefaultConfig(), s, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{World: coretest.New(t, db, f), Feature: f, stage: s, far: &coretest.Elsewhere{}}
	s.server = w.Server
	w.AddService("far.example", w.far)
	return w
}

func (w *town) online(name, resource string) *coretest.Device {
	d := w.Bind(name, resource)
	d.SetPresence(&xmpp.Stanza{Kind: xmpp.Presence, From: d.JID}, 0)
	return d
}

func block(jids ...string) string   { return change("block", jids) }
func unblock(jids ...string) string { return change("unblock", jids) }

func change(what string, jids []string) string {
	var items strings.Builder
	for _, jid := range jids {
		items.WriteString("<item jid='" + jid + "'/>")
	}
	return "<iq type='set' id='b'><" + what + " xmlns='urn:xmpp:blocking'>" + items.String() + "</" + what + "></iq>"
}

func only1(t *testing.T, got []string, parts ...string) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("got %d stanzas, want one with %q:\n%s", len(got), parts, strings.Join(got, "\n"))
	}
	for _, part := range parts {
		if !strings.Contains(got[0], part) {
			t.Fatalf("%s has no %s", got[0], part)
		}
	}
}

func TestBlockedInBothDirections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, phone, juliet := w.online("romeo", "orchard"), w.online("romeo", "phone"), w.online("juliet", "balcony")
		phone.Say(`<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>`)
		only1(t, phone.Heard(), `<blocklist xmlns='urn:xmpp:blocking'/>`)

		romeo.Say(block("juliet@localhost"))
		only1(t, romeo.Heard(), `type='result'`)
		only1(t, phone.Heard(), `type='set'`, `to='romeo@localhost/phone'`, `<block xmlns='urn:xmpp:blocking'><item jid='juliet@localhost'/></block>`)
		if got := strings.Join(w.stage.asked, ","); got != "hide juliet@localhost" {
			t.Fatalf("presence was asked to %s", got)
		}

		romeo.Say(`<message to='juliet@localhost' type='chat' id='m'><body>hi</body></message>`)
		romeo.Hears(`id='m'`, `<not-acceptable`, `<blocked xmlns='urn:xmpp:blocking:errors'/>`)
		romeo.Say(`<presence to='juliet@localhost/balcony'/>`)
		romeo.Hears(`<presence type='error'`, `<blocked `)
		only1(t, append(juliet.Heard(), "none"), "none")

		juliet.Say(`<message to='romeo@localhost/orchard' type='chat' id='m'><body>hi</body></message>`)
		juliet.Hears(`id='m'`, `<service-unavailable`)
		juliet.Say(`<iq to='romeo@localhost/orchard' type='get' id='q'><query xmlns='jabber:iq:version'/></iq>`)
		only1(t, juliet.Heard(), `id='q'`, `<service-unavailable`)
		juliet.Say(`<presence to='romeo@localhost' type='subscribe'/>`)
		juliet.Say(`<iq to='romeo@localhost/orchard' type='result' id='q'/>`)
		only1(t, append(juliet.Heard(), "none"), "none")
		only1(t, append(romeo.Heard(), "none"), "none")

		romeo.Say(unblock("juliet@localhost"))
		only1(t, phone.Heard(), `<unblock xmlns='urn:xmpp:blocking'><item jid='juliet@localhost'/></unblock>`)
		if got := strings.Join(w.stage.asked, ","); got != "hide juliet@localhost,show juliet@localhost" {
			t.Fatalf("presence was asked to %s", got)
		}
		juliet.Say(`<message to='romeo@localhost/orchard' type='chat' id='m2'><body>hi</body></message>`)
		romeo.Hears(`id='m2'`)
	})
}

func TestWhatAnAddressMatches(t *testing.T) {
	for _, c := range []struct {
		list, jid string
		want      bool
	}{
		{"a@b", "a@b", true}, {"a@b", "a@b/c", true}, {"a@b/c", "a@b", false}, {"a@b/c", "a@b/c", true}, {"a@b/c", "a@b/d", false},
		{"b", "a@b", true}, {"b", "a@b/c", true}, {"b", "b", true}, {"b", "x.b", false}, {"b/c", "b/c", true}, {"b/c", "a@b/c", false},
	} {
		if got := only([]xmpp.JID{xmpp.MustJID(c.list)}).matches(xmpp.MustJID(c.jid)); got != c.want {
			t.Errorf("%s blocks %s: %v, want %v", c.list, c.jid, got, c.want)
		}
	}
}

func TestOwnServerAndSelfStayReachable(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	romeo, phone := w.online("romeo", "orchard"), w.online("romeo", "phone")
	romeo.Say(block("localhost", "romeo@localhost"))
	romeo.Heard()
	romeo.Say(`<message to='romeo@localhost/phone' type='chat' id='m'><body>note</body></message>`)
	phone.Hears(`id='m'`)
	romeo.Say(`<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>`)
	romeo.Hears(`<item jid='localhost'/>`)
}

func TestUnblockAllAndBadRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.online("romeo", "orchard")
		romeo.Say(block("juliet@localhost", "far.example"))
		romeo.Say(block("juliet@localhost")) // again: no harm
		romeo.Heard()
		if shut, err := w.Blocked(t.Context(), romeo.Account, xmpp.MustJID("nurse@far.example/x")); err != nil || !shut {
			t.Fatal(shut, err)
		}
		romeo.Say(unblock())
		only1(t, romeo.Heard(), `type='result'`)
		if got := w.stage.asked[len(w.stage.asked)-2:]; got[0] != "show juliet@localhost" || got[1] != "show nurse@far.example" {
			t.Fatal(got)
		}
		romeo.Say(`<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>`)
		only1(t, romeo.Heard(), `<blocklist xmlns='urn:xmpp:blocking'/>`)
		for _, bad := range []string{block(), block("@"), strings.Replace(block("a@b"), "'set'", "'get'", 1)} {
			romeo.Say(bad)
			only1(t, romeo.Heard(), "bad-request")
		}
		w.Add("juliet")
		romeo.Say(strings.Replace(block("a@b"), "<iq ", "<iq to='juliet@localhost' ", 1))
		only1(t, romeo.Heard(), "forbidden")
	})
}

func TestReportsAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.online("romeo", "orchard")
		begin := time.Now().Add(-time.Second)
		romeo.Say(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@far.example'>
			<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:abuse'><stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost' id='7'/>
			<text>drew his sword</text></report></item></block></iq>`)
		only1(t, romeo.Heard(), `type='result'`)
		reports, err := w.Reports(t.Context(), begin, 10)
		if err != nil || len(reports) != 1 {
			t.Fatal(reports, err)
		}
		r := reports[0]
		if r.JID.String() != "tybalt@far.example" || r.Reason != ReasonAbuse || r.Words != "drew his sword" || r.Account != romeo.Account.ID ||
			len(r.Messages) != 1 || r.Messages[0] != [2]string{"romeo@localhost", "7"} || r.At.Before(begin) {
			t.Fatalf("%+v", r)
		}
		romeo.Say(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='a@b'><report xmlns='urn:xmpp:reporting:1'/></item></block></iq>`)
		only1(t, romeo.Heard(), `bad-request`)
		if shut, err := w.Blocked(t.Context(), romeo.Account, xmpp.MustJID("a@b")); err != nil || shut {
			t.Fatal("a refused request changed something", err)
		}
	})
}

func TestListMovesWithTheAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.online("romeo", "orchard")
		romeo.Say(block("tybalt@far.example", "far.example"))
		parts, err := w.Export(t.Context(), romeo.Account)
		if err != nil || len(parts) != 1 {
			t.Fatal(parts, err)
		}
		paris := w.Add("paris")
		if err := w.Import(t.Context(), paris, parts[0]); err != nil {
			t.Fatal(err)
		}
		again, err := w.Export(t.Context(), paris)
		if err != nil || len(again) != 1 || again[0].String() != parts[0].String() {
			t.Fatal(again, err)
		}
		if err := db.Tx(t.Context(), func(ctx context.Context) error { return w.Removed(ctx, paris) }); err != nil {
			t.Fatal(err)
		}
		if again, err = w.Export(t.Context(), paris); err != nil || again != nil {
			t.Fatal(again, err)
		}
	})
}

func TestTooManyAreRefusedWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		w.cfg.MaxBlocked = 2
		romeo := w.online("romeo", "orchard")
		romeo.Say(block("a@b", "c@d"))
		romeo.Heard()
		romeo.Say(block("e@f"))
		only1(t, romeo.Heard(), "policy-violation")
		err := w.Import(t.Context(), romeo.Account, withItems("blocklist", []xmpp.JID{xmpp.MustJID("e@f")}))
		if !errors.Is(err, xmpp.PolicyViolation) {
			t.Fatal(err)
		}
		if b, err := w.lists.Get(t.Context(), romeo.Account.ID); err != nil || len(b) != 2 {
			t.Fatal(b, err)
		}
	})
}
