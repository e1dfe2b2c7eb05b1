package roster

import (
	"slices"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// FuzzRosterSet checks that no roster set breaks the reader, that what is taken keeps the limits, and that devices get it back as it was.
func FuzzRosterSet(f *testing.F) {
	f.Add(`<query xmlns='jabber:iq:roster'><item jid='a@b' name='n'><group>g</group><group>h</group></item></query>`)
	f.Add(`<query xmlns='jabber:iq:roster'><item jid='a@b/c' subscription='remove'/></query>`)
	f.Add(`<query xmlns='jabber:iq:roster'><item/><item/></query>`)
	feature := &Feature{cfg: DefaultConfig()}
	account := &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}
	f.Fuzz(func(t *testing.T, text string) {
		payload, err := xmpp.Parse(text, xmpp.Scope{})
		if err != nil {
			return
		}
		it, remove, err := feature.readItem(&core.Request{Payload: payload, Account: account})
		if err != nil || remove {
			return
		}
		it.state = Listed
		e, err := xmpp.Parse(it.element().String(), xmpp.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		again := &item{name: e.Attr("name")}
		if err := feature.readGroups(again, e); err != nil || again.name != it.name || !slices.Equal(again.groups, it.groups) {
			t.Fatalf("%+v became %+v (%v)", it, again, err)
		}
		if e.Attr("jid") != it.contact.String() || !it.contact.IsBare() || it.contact == account.JID {
			t.Fatal(e)
		}
	})
}
