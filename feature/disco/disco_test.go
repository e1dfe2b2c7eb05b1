package disco

import (
	"context"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/caps"
)

// friends are who may see everybody's presence, by bare address.
type friends []string

func (f friends) Subscribed(_ context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	for _, friend := range append(f, account.JID.String()) {
		if contact.Bare().String() == friend {
			return true, nil
		}
	}
	return false, nil
}

type town struct {
	*coretest.World
	*Feature
}

func newTown(t *testing.T, contacts friends) *town {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Contact.Abuse = []string{"mailto:abuse@localhost", "xmpp:abuse@localhost"}
	f, err := New(cfg, contacts)
	if err != nil {
		t.Fatal(err)
	}
	w := &town{coretest.New(t, storetest.Open(t, storetest.SQLite), f), f}
	w.AddService("rooms.localhost", &coretest.Elsewhere{})
	w.AddService("files.localhost", &coretest.Elsewhere{})
	w.Announce(core.AtServer, "urn:at:server")
	w.Announce(core.AtAccount, "urn:at:account")
	return w
}

func ask(d *coretest.Device, to, space, node string) string {
	if node != "" {
		node = " node='" + node + "'"
	}
	d.Say(`<iq type='get' id='q' to='` + to + `'><query xmlns='` + space + `'` + node + `/></iq>`)
	return strings.Join(d.Heard(), "\n")
}

func expect(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nhas no %s", got, part)
		}
	}
}

func TestServer(t *testing.T) {
	w := newTown(t, nil)
	romeo := w.Bind("romeo", "orchard")
	expect(t, ask(romeo, "localhost", NSInfo, ""), `<identity category='server' type='im' name='Palabre'/>`, `<feature var='urn:at:server'/>`,
		`<feature var='http://jabber.org/protocol/disco#items'/>`, `<value>http://jabber.org/network/serverinfo</value>`,
		`var='abuse-addresses'`, `<value>mailto:abuse@localhost</value><value>xmpp:abuse@localhost</value>`)
	expect(t, ask(romeo, "localhost", NSItems, ""), `<item jid='files.localhost'/><item jid='rooms.localhost'/>`)
	expect(t, ask(romeo, "localhost", NSInfo, "nothing"), "item-not-found")
	expect(t, ask(romeo, "localhost", NSItems, "nothing"), "item-not-found")
}

func TestOwnHash(t *testing.T) {
	w := newTown(t, nil)
	romeo := w.Bind("romeo", "orchard")
	if w.StreamFeature(false) != nil {
		t.Fatal("before login")
	}
	c := w.StreamFeature(true)
	node := c.Attr("node") + "#" + c.Attr("ver")
	reply := w.Parse(ask(romeo, "localhost", NSInfo, node))
	query := reply.Child(NSInfo, "query")
	if got, err := caps.Version(query); err != nil || got != c.Attr("ver") || query.Attr("node") != node {
		t.Fatal(got, err, query)
	}
}

func TestAccountTellsFriendsOnly(t *testing.T) {
	w := newTown(t, friends{"juliet@localhost"})
	romeo, juliet, tybalt := w.Bind("romeo", "orchard"), w.Bind("juliet", "balcony"), w.Bind("tybalt", "street")
	for _, friend := range []*coretest.Device{romeo, juliet} {
		expect(t, ask(friend, "romeo@localhost", NSInfo, ""), `<identity category='account' type='registered'/>`, `<feature var='urn:at:account'/>`)
		expect(t, ask(friend, "romeo@localhost", NSItems, ""), `<query xmlns='http://jabber.org/protocol/disco#items'/>`)
		expect(t, ask(friend, "romeo@localhost", NSInfo, "nothing"), "item-not-found")
	}
	for _, space := range []string{NSInfo, NSItems} {
		for _, node := range []string{"", "nothing"} {
			there, nobody := ask(tybalt, "romeo@localhost", space, node), ask(tybalt, "nobody@localhost", space, node)
			expect(t, there, "service-unavailable")
			if strings.ReplaceAll(there, "romeo", "nobody") != nobody {
				t.Errorf("a stranger can tell an account that is there\n%s\nfrom one that is not\n%s", there, nobody)
			}
		}
	}
}

func TestFeaturesAdd(t *testing.T) {
	w := newTown(t, nil)
	node := func(_ context.Context, r *core.Request, node string) ([]*xmpp.Element, error) {
		switch node {
		case "":
			return []*xmpp.Element{xmpp.NewElement(NSItems, "item").Set("jid", r.Account.JID.String()).Set("node", "tune")}, nil
		case "tune":
			return []*xmpp.Element{xmpp.NewElement(NSInfo, "identity").Set("category", "pubsub").Set("type", "leaf")}, nil
		}
		return nil, xmpp.ItemNotFound
	}
	none := func(context.Context, *core.Request, string) ([]*xmpp.Element, error) { return nil, xmpp.ItemNotFound }
	w.AddInfo(core.AtAccount, none)
	w.AddInfo(core.AtAccount, node)
	w.AddItems(core.AtAccount, none)
	w.AddItems(core.AtAccount, node)
	w.AddIdentity(core.AtAccount, xmpp.NewElement(NSInfo, "identity").Set("category", "pubsub").Set("type", "pep"))
	w.AddForm(core.AtAccount, xmpp.NewForm("result", "urn:limits").Element())
	romeo := w.Bind("romeo", "orchard")
	expect(t, ask(romeo, "romeo@localhost", NSInfo, ""), `type='pep'`, `urn:limits`)
	expect(t, ask(romeo, "romeo@localhost", NSInfo, "tune"), `node='tune'`, `type='leaf'`)
	expect(t, ask(romeo, "romeo@localhost", NSItems, ""), `<item jid='romeo@localhost' node='tune'/>`)
}

func TestContactsAreURIs(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Contact.Support = []string{"help@localhost"}
	if _, err := New(cfg, friends{}); err == nil || !strings.Contains(err.Error(), "support") {
		t.Fatal(err)
	}
}
