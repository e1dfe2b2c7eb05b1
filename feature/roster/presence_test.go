package roster

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

func lite(t *testing.T) *town {
	t.Helper()
	return newTown(t, storetest.Open(t, storetest.SQLite))
}

func TestPresenceReachesWhoMaySeeIt(t *testing.T) {
	w := lite(t)
	romeo, juliet, tybalt := w.online("romeo", "orchard"), w.online("juliet", "balcony"), w.online("tybalt", "street")
	friends(romeo, juliet)

	romeo.Say(`<presence id='p1'><show>away</show><priority>5</priority></presence>`)
	expect(t, juliet.Heard(), `from='romeo@localhost/orchard' to='juliet@localhost' id='p1' … <show>away</show>`)
	expect(t, romeo.Heard(), `from='romeo@localhost/orchard' to='romeo@localhost'`)
	expect(t, tybalt.Heard())
	if ok, priority := romeo.Available(); !ok || priority != 5 {
		t.Fatal(ok, priority)
	}

	phone := w.Bind("romeo", "phone")
	phone.Say(`<presence/>`)
	expect(t, juliet.Heard(), `from='romeo@localhost/phone'`)
	expect(t, romeo.Heard(), `from='romeo@localhost/phone' to='romeo@localhost'`)
	expect(t, phone.Heard(), `from='romeo@localhost/phone' to='romeo@localhost'`,
		`from='juliet@localhost/balcony' to='romeo@localhost/phone' … <delay xmlns='urn:xmpp:delay' from='juliet@localhost'`,
		`from='romeo@localhost/orchard' to='romeo@localhost/phone' … <show>away</show> … <delay `)

	romeo.Say(`<presence type='unavailable'><status>bye</status></presence>`)
	expect(t, juliet.Heard(), `type='unavailable' from='romeo@localhost/orchard' … <status>bye</status>`)
	expect(t, phone.Heard(), `type='unavailable' from='romeo@localhost/orchard'`)
	romeo.Leave()
	expect(t, juliet.Heard())
	phone.Leave() // without a word
	expect(t, juliet.Heard(), `type='unavailable' from='romeo@localhost/phone'`)
}

func TestBadPresence(t *testing.T) {
	w := lite(t)
	romeo := w.online("romeo", "orchard")
	for _, bad := range []string{
		`<presence id='x'><priority>128</priority></presence>`, `<presence id='x'><priority>-129</priority></presence>`,
		`<presence id='x'><priority>high</priority></presence>`, `<presence id='x' type='asleep'/>`, `<presence id='x' type='subscribe'/>`,
		`<presence id='x' type='probe'/>`,
	} {
		romeo.Say(bad)
		expect(t, romeo.Heard(), `type='error' … id='x' … bad-request`)
	}
	romeo.Say(`<presence><priority>-128</priority></presence>`)
	if _, priority := romeo.Available(); priority != -128 {
		t.Fatal(priority)
	}
}

func TestDirectedPresence(t *testing.T) {
	w := lite(t)
	w.cfg.MaxDirected = 2
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	romeo.Say(`<presence to='room@far.example/romeo' id='j'/>`)
	romeo.Say(`<presence to='juliet@localhost/balcony'><show>dnd</show></presence>`)
	expect(t, juliet.Heard(), `from='romeo@localhost/orchard' to='juliet@localhost/balcony' … dnd`)
	expect(t, w.far.Got(), `from='romeo@localhost/orchard' to='room@far.example/romeo'`)
	romeo.Say(`<presence to='third@far.example' id='x'/>`)
	expect(t, romeo.Heard(), `type='error' … resource-constraint`)

	romeo.Say(`<presence type='unavailable' to='juliet@localhost/balcony'/>`)
	expect(t, juliet.Heard(), `type='unavailable'`)
	romeo.Say(`<presence to='nurse@far.example/x'/>`)
	if err := w.Arrives(`<presence type='error' from='nurse@far.example/x' to='romeo@localhost/orchard'/>`); err != nil {
		t.Fatal(err)
	}
	romeo.Hears(`type='error'`, `nurse@far.example/x`)
	w.far.Got()
	romeo.Leave()
	expect(t, w.far.Got(), `type='unavailable' from='romeo@localhost/orchard' to='room@far.example/romeo'`)
	expect(t, juliet.Heard())
}

func TestProbes(t *testing.T) {
	w := lite(t)
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	friends(romeo, juliet)
	probe := `<presence type='probe' from='%s' to='juliet@localhost'/>`
	if err := w.Arrives(fmt.Sprintf(probe, "nurse@far.example")); err != nil {
		t.Fatal(err)
	}
	expect(t, w.far.Got(), `type='unsubscribed' from='juliet@localhost' to='nurse@far.example'`)

	for _, kind := range []string{"subscribe", "probe"} { // who waits for an answer is not told anything
		if err := w.Arrives(fmt.Sprintf(`<presence type='%s' from='nurse@far.example' to='juliet@localhost'/>`, kind)); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, w.far.Got())
	juliet.Say(`<presence type='subscribed' to='nurse@far.example'/>`)
	expect(t, w.far.Got(), `type='subscribed' from='juliet@localhost' to='nurse@far.example'`, `<presence from='juliet@localhost/balcony' to='nurse@far.example'`)

	juliet.Say(`<presence><status>&lt;here&gt;</status></presence>`)
	w.far.Got()
	if err := w.Arrives(fmt.Sprintf(probe, "nurse@far.example")); err != nil {
		t.Fatal(err)
	}
	expect(t, w.far.Got(), `from='juliet@localhost/balcony' to='nurse@far.example' … &lt;here&gt; … <delay `)
	juliet.Leave()
	expect(t, w.far.Got(), `type='unavailable' from='juliet@localhost/balcony'`)
	if err := w.Arrives(fmt.Sprintf(probe, "nurse@far.example")); err != nil {
		t.Fatal(err)
	}
	expect(t, w.far.Got(), `type='unavailable' from='juliet@localhost' to='nurse@far.example'`)
}

func TestProbesOfContactsElsewhere(t *testing.T) {
	w := lite(t)
	romeo := w.online("romeo", "orchard")
	romeo.Say(`<presence type='subscribe' to='nurse@far.example'/>`)
	if err := w.Arrives(`<presence type='subscribed' from='nurse@far.example' to='romeo@localhost'/>`); err != nil {
		t.Fatal(err)
	}
	romeo.Hears(`type='subscribed' from='nurse@far.example'`)
	w.far.Got()
	phone := w.Bind("romeo", "phone")
	phone.Say(`<presence/>`)
	expect(t, w.far.Got(), `type='probe' from='romeo@localhost/phone' to='nurse@far.example'`)
	if err := w.Arrives(`<presence from='nurse@far.example/x' to='romeo@localhost/phone'/>`); err != nil {
		t.Fatal(err)
	}
	phone.Hears(`from='nurse@far.example/x'`)
	if err := w.Arrives(`<presence from='nurse@far.example/x' to='romeo@localhost'/>`); err != nil {
		t.Fatal(err)
	}
	phone.Hears(`from='nurse@far.example/x'`)
	romeo.Hears(`from='nurse@far.example/x' to='romeo@localhost'`)
	if err := w.Arrives(`<presence from='nurse@far.example/x' to='romeo@localhost/gone'/>`); err != nil {
		t.Fatal(err)
	}
	expect(t, phone.Heard())
}

func TestPreApproval(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
		if err := w.Approve(t.Context(), juliet.Account, romeo.JID); err != nil {
			t.Fatal(err)
		}
		expect(t, juliet.Heard(), `jid='romeo@localhost' subscription='none' approved='true'`)
		expect(t, romeo.Heard())
		if err := w.Subscribe(t.Context(), romeo.Account, juliet.JID); err != nil {
			t.Fatal(err)
		}
		expect(t, juliet.Heard(), `subscription='from' approved='true'`)
		expect(t, romeo.Heard(), `ask='subscribe'`, `type='subscribed' from='juliet@localhost'`, `subscription='to'`,
			`<presence from='juliet@localhost/balcony'`)
		juliet.Say(`<presence type='unsubscribed' to='romeo@localhost'/>`)
		expect(t, juliet.Heard(), `subscription='none'/>`)
		if err := w.Add(t.Context(), juliet.Account, romeo.JID, "Romeo", "Verona"); err != nil {
			t.Fatal(err)
		}
		expect(t, juliet.Heard(), `name='Romeo' … <group>Verona</group>`)
		for group, want := range map[string]bool{"Verona": true, "Mantua": false} {
			if in, err := w.InGroup(t.Context(), juliet.Account, romeo.JID, group); err != nil || in != want {
				t.Fatal(group, in, err)
			}
		}
	})
}

func (w *town) Add(ctx context.Context, account *core.Account, contact xmpp.JID, name string, groups ...string) error {
	return w.Feature.Add(ctx, account, contact, name, groups...)
}

func TestNobodyLearnsWhoExists(t *testing.T) {
	w := lite(t)
	romeo := w.online("romeo", "orchard")
	w.World.Add("juliet")
	var told []string
	for _, contact := range []string{"juliet", "nobody"} {
		romeo.Say(`<presence type='subscribe' to='` + contact + `@localhost'/>`)
		romeo.Say(`<presence to='` + contact + `@localhost'/>`)
		told = append(told, strings.ReplaceAll(strings.Join(romeo.Heard(), "\n"), contact, "x"))
	}
	cut := func(s string) string { return s[strings.Index(s, "<item"):] }
	if !strings.Contains(told[0], "ask='subscribe'") || cut(told[0]) != cut(told[1]) {
		t.Fatal(told)
	}
}

func TestHideAndShow(t *testing.T) {
	w := lite(t)
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	friends(romeo, juliet)
	match := func(jid xmpp.JID) bool { return jid.Bare() == juliet.JID.Bare() }
	if err := w.Hide(t.Context(), romeo.Account, match); err != nil {
		t.Fatal(err)
	}
	expect(t, juliet.Heard(), `type='unavailable' from='romeo@localhost/orchard'`)
	if err := w.Show(t.Context(), romeo.Account, match); err != nil {
		t.Fatal(err)
	}
	expect(t, juliet.Heard(), `<presence from='romeo@localhost/orchard' to='juliet@localhost'`)
	expect(t, romeo.Heard(), `<presence from='juliet@localhost/balcony' to='romeo@localhost/orchard'`)
}

func TestWhoMaySee(t *testing.T) {
	w := lite(t)
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	romeo.Say(`<presence type='subscribe' to='juliet@localhost'/>`)
	juliet.Say(`<presence type='subscribed' to='romeo@localhost'/>`)
	ctx := t.Context()
	for _, c := range []struct {
		account *core.Account
		contact xmpp.JID
		want    bool
	}{{juliet.Account, romeo.JID, true}, {romeo.Account, juliet.JID, false}, {romeo.Account, romeo.JID, true}} {
		if got, err := w.Subscribed(ctx, c.account, c.contact); err != nil || got != c.want {
			t.Errorf("%s shown to %s: %v %v", c.account.JID, c.contact, got, err)
		}
	}
	to, err := w.Subscriptions(ctx, romeo.Account)
	from, err2 := w.Subscribers(ctx, juliet.Account)
	if err != nil || err2 != nil || len(to) != 1 || to[0] != juliet.JID.Bare() || len(from) != 1 || from[0] != romeo.JID.Bare() {
		t.Fatal(to, from, err, err2)
	}
}

func TestSamePresenceIsKeptOnce(t *testing.T) {
	w := lite(t)
	var kept []*xmpp.Stanza
	for i := range 3 {
		d := w.Bind(fmt.Sprint("u", i), "x")
		d.Say(`<presence id='` + fmt.Sprint(i) + `'><show>away</show><status>same</status></presence>`)
		kept = append(kept, d.Presence())
	}
	if &kept[0].Nodes[0] != &kept[2].Nodes[0] || kept[2].From.Local() != "u2" || kept[0].ID != "" {
		t.Fatal("not shared")
	}
}
