package roster

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

type town struct {
	*coretest.World
	*Feature
	far *coretest.Elsewhere
}

func newTown(t *testing.T, db *store.DB) *town {
	t.Helper()
	f, err := New(context.Background(), db, DefaultConfig(), coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{World: coretest.New(t, db, f), Feature: f, far: &coretest.Elsewhere{}}
	w.AddService("far.example", w.far)
	return w
}

// online is a device that has its roster and has said that it is there.
func (w *town) online(name, resource string) *coretest.Device {
	d := w.Bind(name, resource)
	d.Say(`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`)
	d.Say(`<presence/>`)
	d.Heard()
	return d
}

// friends makes a and b see each other.
func friends(a, b *coretest.Device) {
	for _, pair := range [][2]*coretest.Device{{a, b}, {b, a}} {
		pair[0].Say(fmt.Sprintf(`<presence type='subscribe' to='%s'/>`, pair[1].JID.Bare()))
		pair[1].Say(fmt.Sprintf(`<presence type='subscribed' to='%s'/>`, pair[0].JID.Bare()))
	}
	a.Heard()
	b.Heard()
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d stanzas, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		for _, part := range strings.Split(want[i], " … ") {
			if !strings.Contains(got[i], part) {
				t.Errorf("stanza %d is\n%s\nand has no %s", i, got[i], part)
			}
		}
	}
}

func TestSubscriptionBetweenTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")

		romeo.Say(`<presence type='subscribe' to='juliet@localhost/balcony' id='s1'><status>but soft</status></presence>`)
		expect(t, romeo.Heard(), `jid='juliet@localhost' subscription='none' ask='subscribe'`)
		expect(t, juliet.Heard(), `type='subscribe' from='romeo@localhost' to='juliet@localhost' id='s1' … <status>but soft</status>`)

		late := w.online("juliet", "chamber")
		late.Say(`<presence type='unavailable'/>`)
		late.Say(`<presence/>`)
		late.Hears(`type='subscribe'`, `from='romeo@localhost'`, `but soft`)
		juliet.Heard()
		late.Leave()
		juliet.Heard()

		juliet.Say(`<presence type='subscribed' to='romeo@localhost'/>`)
		expect(t, juliet.Heard(), `jid='romeo@localhost' subscription='from'`)
		expect(t, romeo.Heard(), `type='subscribed' from='juliet@localhost'`, `jid='juliet@localhost' subscription='to'/>`,
			`<presence from='juliet@localhost/balcony' to='romeo@localhost'`)

		juliet.Say(`<presence type='subscribe' to='romeo@localhost'/>`)
		romeo.Heard()
		romeo.Say(`<presence type='subscribed' to='juliet@localhost'/>`)
		expect(t, romeo.Heard(), `subscription='both'`)
		juliet.Heard()

		romeo.Say(`<presence type='unsubscribe' to='juliet@localhost'/>`)
		expect(t, romeo.Heard(), `subscription='from'`, `type='unavailable' from='juliet@localhost/balcony'`)
		expect(t, juliet.Heard(), `type='unsubscribe' from='romeo@localhost'`, `subscription='to'`)

		romeo.Say(`<presence type='unsubscribed' to='juliet@localhost'/>`)
		expect(t, romeo.Heard(), `subscription='none'`)
		expect(t, juliet.Heard(), `type='unsubscribed'`, `subscription='none'`, `type='unavailable' from='romeo@localhost/orchard'`)
	})
}

func TestRosterSetAndRemove(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
		friends(romeo, juliet)
		phone := w.online("romeo", "phone")
		romeo.Heard()
		juliet.Heard()

		romeo.Say(`<iq type='set' id='a'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='J &amp; J'><group>Friends</group><group>Verona</group></item></query></iq>`)
		expect(t, romeo.Heard(), `name='J &amp; J' … <group>Friends</group><group>Verona</group>`, `type='result' … id='a'`)
		expect(t, phone.Heard(), `name='J &amp; J' … subscription='both'`)

		romeo.Say(`<iq type='set' id='b'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='remove'/></query></iq>`)
		expect(t, phone.Heard(), `jid='juliet@localhost' subscription='remove'`, `type='unavailable' from='juliet@localhost/balcony'`)
		expect(t, juliet.Heard(), `type='unsubscribe'`, `subscription='to'`, `type='unsubscribed'`, `subscription='none'`,
			`type='unavailable' from='romeo@localhost/orchard'`, `type='unavailable' from='romeo@localhost/phone'`)
		romeo.Heard()

		for stanza, condition := range map[string]string{
			`<query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='remove'/></query>`:               "item-not-found",
			`<query xmlns='jabber:iq:roster'><item jid='a@b'/><item jid='c@d'/></query>`:                                 "bad-request",
			`<query xmlns='jabber:iq:roster'><item jid='a@b'><group/></item></query>`:                                    "not-acceptable",
			`<query xmlns='jabber:iq:roster'><item jid='a@b'><group>x</group><group>x</group></item></query>`:            "bad-request",
			`<query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query>`:                                      "not-allowed",
			`<query xmlns='jabber:iq:roster'><item jid='a@b' name='` + strings.Repeat("x", maxText+1) + `'/></query>`:    "not-acceptable",
			`<query xmlns='jabber:iq:roster'><item jid='a@@b'/></query>`:                                                 "bad-request",
			`<query xmlns='jabber:iq:roster'><item jid='a@b'>` + groups(DefaultConfig().MaxGroups+1) + `</item></query>`: "not-acceptable",
		} {
			romeo.Say(`<iq type='set' id='x'>` + stanza + `</iq>`)
			expect(t, romeo.Heard(), condition)
		}
		romeo.Say(`<iq type='get' id='x' to='juliet@localhost'><query xmlns='jabber:iq:roster'/></iq>`)
		expect(t, romeo.Heard(), "forbidden")
	})
}

func groups(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<group>g%d</group>", i)
	}
	return b.String()
}
