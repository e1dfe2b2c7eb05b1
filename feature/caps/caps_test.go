package caps

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/caps"
)

type town struct {
	*coretest.World
	*Feature
	wants chan Want
}

func newTown(t *testing.T, db *store.DB) *town {
	t.Helper()
	f, err := New(t.Context(), db, DefaultConfig(), coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{World: coretest.New(t, db, f), Feature: f, wants: make(chan Want, 100)}
	w.HandlePresence(func(context.Context, *core.Transit) error { return nil })
	f.OnWants(func(_ context.Context, want Want) { w.wants <- want })
	t.Cleanup(func() {
		ended, end := context.WithCancel(context.Background())
		end()
		if err := f.Run(ended); err != nil {
			t.Error(err)
		}
	})
	return w
}

// phone is an app with some features, and the hash that they have.
type phone struct {
	query, ver string
}

func newPhone(t *testing.T, features ...string) phone {
	t.Helper()
	e := xmpp.NewElement(caps.NSInfo, "query", xmpp.NewElement(caps.NSInfo, "identity").Set("category", "client").Set("type", "phone"))
	for _, feature := range features {
		e.Add(xmpp.NewElement(caps.NSInfo, "feature").Set("var", feature))
	}
	ver, err := caps.Version(e)
	if err != nil {
		t.Fatal(err)
	}
	return phone{e.String(), ver}
}

func (p phone) presence() string {
	return fmt.Sprintf(`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='app' ver='%s'/></presence>`, p.ver)
}

var idOf = regexp.MustCompile(` id='([^']*)'`)

// answer replies to the next question about what the app can do.
func (p phone) answer(d *coretest.Device, parts ...string) {
	question := d.Hears(append(parts, `type='get'`, `disco#info`)...)
	d.Say(fmt.Sprintf(`<iq type='result' to='localhost' id='%s'>%s</iq>`, idOf.FindStringSubmatch(question)[1], p.query))
}

func (w *town) expect(t *testing.T, to xmpp.JID, nodes ...string) {
	t.Helper()
	select {
	case want := <-w.wants:
		if want.To != to || !slices.Equal(want.Nodes, nodes) {
			t.Fatalf("%s wants %q; expected was %s wants %q", want.To, want.Nodes, to, nodes)
		}
	case <-t.Context().Done():
		t.Fatal("nothing wanted")
	}
}

func TestOneQuestionForAllWithTheSameApp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		app := newPhone(t, "urn:mood+notify", "urn:ping", "eu.siacs.conversations.axolotl.devicelist+notify")
		romeo, juliet := w.Bind("romeo", "a"), w.Bind("juliet", "b")
		romeo.Say(app.presence())
		app.answer(romeo, `node='app#`+app.ver, `from='localhost'`)
		w.expect(t, romeo.JID, "eu.siacs.conversations.axolotl.devicelist", "urn:mood")
		if !w.Wants(romeo.Session, "urn:mood") || w.Wants(romeo.Session, "urn:ping") || len(w.Features(romeo.Session)) != 3 {
			t.Fatal(w.Features(romeo.Session))
		}
		juliet.Say(app.presence())
		w.expect(t, juliet.JID, "eu.siacs.conversations.axolotl.devicelist", "urn:mood")
		juliet.Silent("disco#info")

		romeo.Say(app.presence()) // nothing new
		romeo.Say(`<presence type='unavailable'/>`)
		if w.Wants(romeo.Session, "urn:mood") {
			t.Fatal("who is gone wants nothing")
		}
		romeo.Say(app.presence())
		w.expect(t, romeo.JID, "eu.siacs.conversations.axolotl.devicelist", "urn:mood")

		more := newPhone(t, "urn:mood+notify", "urn:tune+notify")
		romeo.Say(more.presence())
		more.answer(romeo)
		w.expect(t, romeo.JID, "urn:tune")
		if w.Wants(romeo.Session, "eu.siacs.conversations.axolotl.devicelist") {
			t.Fatal("it does not want that any more")
		}
	})
}

func TestKnownAfterARestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		app := newPhone(t, "urn:mood+notify")
		w := newTown(t, db)
		romeo := w.Bind("romeo", "a")
		romeo.Say(app.presence())
		app.answer(romeo)
		w.expect(t, romeo.JID, "urn:mood")

		w = newTown(t, db)
		romeo = w.Bind("romeo", "a")
		romeo.Say(app.presence())
		w.expect(t, romeo.JID, "urn:mood")
		romeo.Silent("disco#info")
	})
}

func TestALieCountsForTheLiarAlone(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	honest, liar := newPhone(t, "urn:mood+notify"), newPhone(t, "urn:evil+notify")
	liar.ver = honest.ver
	tybalt, romeo := w.Bind("tybalt", "a"), w.Bind("romeo", "b")
	tybalt.Say(liar.presence())
	romeo.Say(honest.presence())
	liar.answer(tybalt)
	w.expect(t, tybalt.JID, "urn:evil")
	honest.answer(romeo)
	w.expect(t, romeo.JID, "urn:mood")
	if w.Wants(romeo.Session, "urn:evil") || !w.Wants(romeo.Session, "urn:mood") {
		t.Fatal("poisoned")
	}
}

func TestWithoutAHashTheAppIsAsked(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	old := newPhone(t, "urn:mood+notify")
	romeo := w.Bind("romeo", "a")
	romeo.Say(`<presence><c xmlns='http://jabber.org/protocol/caps' node='app' ver='0.1' ext='x y'/></presence>`)
	old.answer(romeo)
	w.expect(t, romeo.JID, "urn:mood")
	romeo.Say(`<presence><c xmlns='http://jabber.org/protocol/caps' node='app' ver='0.1' ext='x y'/></presence>`)
	romeo.Silent("disco#info")
}

func TestNewerHash(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	app := newPhone(t, "urn:mood+notify")
	e, err := xmpp.Parse(app.query, xmpp.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := caps.Hash(e)
	if err != nil {
		t.Fatal(err)
	}
	romeo, juliet := w.Bind("romeo", "a"), w.Bind("juliet", "a")
	presence := `<presence><c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>x</hash>
		<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>` + hash + `</hash></c></presence>`
	romeo.Say(presence)
	app.answer(romeo, `node='urn:xmpp:caps#sha-256.`+hash)
	w.expect(t, romeo.JID, "urn:mood")
	juliet.Say(presence)
	w.expect(t, juliet.JID, "urn:mood")
}

// far answers as an app on another server would.
type far struct {
	server *core.Server
	app    phone
	asked  chan string
}

func (r *far) Handle(ctx context.Context, t *core.Transit) error {
	r.asked <- t.Stanza.String()
	if !t.Stanza.IsRequest() {
		return nil
	}
	query, err := xmpp.Parse(r.app.query, xmpp.Scope{})
	if err != nil {
		return err
	}
	return r.server.Route(ctx, t.Stanza.Reply(query))
}

func TestContactsElsewhere(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	r := &far{server: w.Server, app: newPhone(t, "urn:mood+notify"), asked: make(chan string, 10)}
	w.AddService("far.example", r)
	romeo := w.Add("romeo")
	from := xmpp.MustJID("nurse@far.example/x")
	arrive := strings.Replace(r.app.presence(), "<presence>", "<presence from='nurse@far.example/x' to='romeo@localhost'>", 1)
	for range 2 {
		if err := w.Arrives(arrive); err != nil {
			t.Fatal(err)
		}
	}
	w.expect(t, from, "urn:mood")
	if got := w.Elsewhere(romeo, "urn:mood"); len(got) != 1 || got[0] != from {
		t.Fatal(got)
	}
	if asked := <-r.asked; !strings.Contains(asked, `from='romeo@localhost'`) {
		t.Fatal(asked)
	}
	if err := w.Arrives(`<presence type='unavailable' from='nurse@far.example/x' to='romeo@localhost'/>`); err != nil {
		t.Fatal(err)
	}
	if got := w.Elsewhere(romeo, "urn:mood"); len(got) != 0 || w.remotes != 0 {
		t.Fatal(got, w.remotes)
	}
	if err := w.Arrives(arrive); err != nil {
		t.Fatal(err)
	}
	w.expect(t, from, "urn:mood")
}
