package push

import (
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

func TestWhoMissesSomethingInAGroupIsWoken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		group := xmpp.MustJID("family@groups.localhost")
		phone, web := w.session("juliet@localhost/phone"), w.session("juliet@localhost/web")
		if got := phone.ask(enableXML); got != "" {
			t.Fatal(got)
		}
		muted := "<muted mentions='true'>" + named(group.String()) + "</muted></subscribe>"
		if got := web.ask(strings.Replace(w.subscription(), "</subscribe>", muted, 1)); got != "" {
			t.Fatal(got)
		}
		miss := func(called bool) {
			t.Helper()
			if err := w.push.Missed(t.Context(), group, []Missed{{Account: phone.Account, Messages: 2, Called: called}}); err != nil {
				t.Fatal(err)
			}
			w.work()
			w.work()
		}
		miss(true)
		if len(w.app) != 0 || len(w.calls) != 0 {
			t.Fatalf("devices that are there were woken: %v %v", w.app, w.calls)
		}
		w.server.Unbind(t.Context(), phone.Session)
		w.server.Unbind(t.Context(), web.Session)
		miss(false)
		if len(w.app) != 1 || len(w.calls) != 0 {
			t.Fatalf("woken by %v, and the browser where the group is muted %d times", w.app, len(w.calls))
		}
		miss(true)
		if len(w.app) != 2 || len(w.calls) != 1 {
			t.Fatalf("woken by %d, and the browser of who is called %d times", len(w.app), len(w.calls))
		}
		if got, want := w.opened(w.bodies[0]), `{"v":1,"count":4,"chat":"`+named(group.String())+`"}`; got != want {
			t.Errorf("the browser was told %s, not %s", got, want)
		}
	})
}

func TestWhatWaitsFromAGroupWakes(t *testing.T) {
	group := xmpp.MustJID("family@groups.localhost/nurse")
	said := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: group}).Add(xmpp.NewText(xmpp.NSClient, "body", "hello"))
	typing := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: group}).Add(xmpp.NewElement("http://jabber.org/protocol/chatstates", "composing"))
	if got := senders([]core.Delivery{{Stanza: said}, {Stanza: typing}, {Stanza: said}}); len(got) != 1 || got["family@groups.localhost"] != 2 {
		t.Errorf("%v", got)
	}
}
