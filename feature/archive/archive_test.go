package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// world is a whole journey with the archive as its only feature: two accounts and devices that note what they get.
type world struct {
	t       *testing.T
	server  *core.Server
	archive *Archive
}

func (w *world) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	switch bare.Local() {
	case "romeo":
		return &core.Account{ID: 1, JID: bare}, nil
	case "juliet":
		return &core.Account{ID: 2, JID: bare}, nil
	}
	return nil, core.ErrNoAccount
}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { run(t, begin(t, db, DefaultConfig())) })
}

func begin(t *testing.T, db *store.DB, cfg Config) *world {
	w := &world{t: t}
	server, err := core.New(core.DefaultConfig(), db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	if w.archive, err = New(t.Context(), cfg, db, nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w.archive.Attach(server)
	return w
}

// device is a session whose outbox notes what it is given.
type device struct {
	w       *world
	session *core.Session

	mu  sync.Mutex
	got []core.Delivery
	end string
}

func (d *device) Send(delivery core.Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, delivery)
}

func (d *device) End(condition, _ string) { d.end = condition }

func (w *world) device(jid string) *device {
	w.t.Helper()
	d := &device{w: w}
	full := xmpp.MustJID(jid)
	account, err := w.Account(w.t.Context(), full.Bare())
	if err != nil {
		w.t.Fatal(err)
	}
	if d.session, err = w.server.Bind(w.t.Context(), account, full, d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (d *device) available() *device {
	d.session.SetPresence(&xmpp.Stanza{Kind: xmpp.Presence}, 0)
	return d
}

// take returns what has come since the last take, as parsed from the wire.
func (d *device) take() []*xmpp.Stanza {
	d.w.t.Helper()
	var out []*xmpp.Stanza
	for _, delivery := range d.deliveries() {
		st, err := parseStored(string(delivery.Bytes))
		if err != nil {
			d.w.t.Fatal(err)
		}
		out = append(out, st)
	}
	return out
}

func (d *device) deliveries() []core.Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.got
	d.got = nil
	return got
}

// ack acknowledges everything that comes until there is nothing more, and returns it.
func (d *device) ack() []*xmpp.Stanza {
	var out []*xmpp.Stanza
	for {
		got := d.deliveries()
		if len(got) == 0 {
			return out
		}
		for _, delivery := range got {
			out = append(out, delivery.Stanza)
		}
		d.w.server.Acked(d.session, got)
		d.w.archive.working.Wait()
	}
}

func (d *device) send(xml string) {
	d.w.t.Helper()
	e, err := xmpp.Parse(xml, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		d.w.t.Fatal(err)
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil {
		d.w.t.Fatal(err)
	}
	handled := make(chan struct{})
	d.session.Accept(d.w.t.Context(), st, func() { close(handled) })
	<-handled
}

func (d *device) say(to, body string) {
	d.send(fmt.Sprintf("<message to='%s' type='chat' id='%s'><body>%s</body></message>", to, body, body))
}

func bodies(stanzas []*xmpp.Stanza) string {
	var list []string
	for _, st := range stanzas {
		list = append(list, st.Body())
	}
	return strings.Join(list, " ")
}

// ask sends an archive query and returns the bodies of the results, their ids, and the answer.
func (d *device) ask(inner string) (texts, ids []string, answer *xmpp.Stanza) {
	d.w.t.Helper()
	d.take()
	d.send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='x'>" + inner + "</query></iq>")
	for _, st := range d.take() {
		result := st.Child(NS, "result")
		if result == nil {
			answer = st
			continue
		}
		if result.Attr("queryid") != "x" {
			d.w.t.Errorf("result without its queryid: %v", st)
		}
		message := result.Child(xmpp.NSForward, "forwarded").Child(xmpp.NSClient, "message")
		texts = append(texts, message.ChildText(xmpp.NSClient, "body"))
		ids = append(ids, result.Attr("id"))
	}
	return texts, ids, answer
}

func form(fields ...string) string {
	out := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
	for i := 0; i < len(fields); i += 2 {
		out += "<field var='" + fields[i] + "'><value>" + fields[i+1] + "</value></field>"
	}
	return out + "</x>"
}

func set(inner string) string {
	return "<set xmlns='http://jabber.org/protocol/rsm'>" + inner + "</set>"
}

func TestBothEndsKeepAMessage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		romeo.send("<message to='juliet@localhost' type='chat' id='1'><body>hi</body>" +
			"<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='elsewhere' id='theirs'/></message>")
		got := juliet.take()
		if len(got) != 1 {
			t.Fatalf("juliet got %v", got)
		}
		var ids []string
		for i := range got[0].Nodes {
			if e := got[0].Nodes[i].Element; e.Is(xmpp.NSStanzaID, "stanza-id") {
				ids = append(ids, e.Attr("by")+" "+e.Attr("id"))
			}
		}
		texts, archived, _ := juliet.ask("")
		want := []string{"elsewhere theirs", "juliet@localhost " + archived[0]}
		if !slices.Equal(ids, want) || !slices.Equal(texts, []string{"hi"}) {
			t.Errorf("ids %v, want %v; archive %v", ids, want, texts)
		}
		if texts, _, _ := romeo.ask(form("with", "juliet@localhost")); !slices.Equal(texts, []string{"hi"}) {
			t.Errorf("romeo's archive: %v", texts)
		}
	})
}

func TestWhatIsKept(t *testing.T) {
	cases := []struct {
		name, inner, attrs string
		archived, bounced  bool
	}{
		{"body", "<body>a</body>", "type='chat'", true, false},
		{"normal", "<body>a</body>", "", true, false},
		{"typing", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", "type='chat'", false, false},
		{"encrypted", "<encrypted xmlns='eu.siacs.conversations.axolotl'/><store xmlns='urn:xmpp:hints'/>", "type='chat'", true, false},
		{"no-store", "<body>a</body><no-store xmlns='urn:xmpp:hints'/>", "type='chat'", false, true},
		{"no-permanent-store", "<body>a</body><no-permanent-store xmlns='urn:xmpp:hints'/>", "type='chat'", false, false},
		{"receipt", "<received xmlns='urn:xmpp:receipts' id='1'/>", "type='chat'", true, false},
		{"displayed", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "type='chat'", true, false},
		{"reaction", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", "type='chat'", true, false},
		{"headline", "<body>a</body>", "type='headline'", false, false},
		{"groupchat", "<body>a</body>", "type='groupchat'", false, true},
	}
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b")
		archived := 0
		for _, c := range cases {
			romeo.take()
			romeo.send("<message to='juliet@localhost' id='" + c.name + "' " + c.attrs + ">" + c.inner + "</message>")
			if got := romeo.take(); len(got) > 0 != c.bounced {
				t.Errorf("%s: romeo is told %v", c.name, got)
			}
			texts, _, _ := juliet.ask("")
			if added := len(texts) - archived; added > 0 != c.archived {
				t.Errorf("%s: %d entries were added", c.name, added)
			}
			archived = len(texts)
		}
	})
}

func TestMissedMessagesComeOnceAndInOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a").available()
		var want []string
		for i := range 2*chunk + 7 {
			want = append(want, fmt.Sprint(i))
			romeo.say("juliet@localhost", fmt.Sprint(i))
		}
		juliet := w.device("juliet@localhost/b").available()
		romeo.say("juliet@localhost", "live")
		got := juliet.ack()
		if text := bodies(got); text != strings.Join(append(want, "live"), " ") {
			t.Fatalf("juliet got %s", text)
		}
		if got[0].Child(xmpp.NSDelay, "delay") == nil || got[0].Child(xmpp.NSStanzaID, "stanza-id") == nil {
			t.Errorf("a missed message does not say when it was sent, or its id: %v", got[0])
		}
		romeo.say("juliet@localhost", "later")
		if text := bodies(juliet.ack()); text != "later" {
			t.Errorf("live: %q", text)
		}
		if err := w.archive.save(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.server.Unbind(t.Context(), juliet.session)
		if got := w.device("juliet@localhost/c").available().ack(); len(got) != 0 {
			t.Errorf("a second device is sent %s again", bodies(got))
		}
	})
}

func TestUnacknowledgedComesAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		romeo.say("juliet@localhost", "one")
		juliet.ack()
		romeo.say("juliet@localhost/b", "two")
		w.server.Lost(t.Context(), juliet.session, juliet.deliveries())
		w.server.Unbind(t.Context(), juliet.session)
		if text := bodies(w.device("juliet@localhost/c").available().ack()); text != "two" {
			t.Errorf("the next device is sent %q", text)
		}
	})
}

func TestPassingMessageLeavesNoTrace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b")
		juliet.send("<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never><jid>romeo@localhost</jid></never></prefs></iq>")
		romeo.say("juliet@localhost", "psst")
		if texts, _, _ := juliet.ask(""); len(texts) != 0 {
			t.Errorf("archived against the preference: %v", texts)
		}
		next := w.device("juliet@localhost/c").available()
		if text := bodies(next.ack()); text != "psst" {
			t.Errorf("juliet got %q", text)
		}
		if err := w.archive.save(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := w.archive.db.QueryRow(t.Context(), "select count(*) from archive_entry where account = 2").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d entries are left, %v", left, err)
		}
	})
}

func TestRetraction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		romeo.say("juliet@localhost", "sorry")
		retract := "<message to='%s' type='chat' id='r'><retract xmlns='urn:xmpp:message-retract:1' id='sorry'/><store xmlns='urn:xmpp:hints'/></message>"
		juliet.send(fmt.Sprintf(retract, "romeo@localhost"))
		if texts, _, _ := juliet.ask(""); !slices.Contains(texts, "sorry") {
			t.Error("a message was retracted by someone else")
		}
		romeo.send(fmt.Sprintf(retract, "juliet@localhost"))
		for _, d := range []*device{romeo, juliet} {
			texts, _, _ := d.ask("")
			if slices.Contains(texts, "sorry") || len(texts) != 3 {
				t.Errorf("%v keeps %q", d.session.JID, texts)
			}
		}
	})
}

func TestNoteToSelfIsOneEntry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, tablet := w.device("romeo@localhost/a").available(), w.device("romeo@localhost/b").available()
		romeo.say("romeo@localhost", "milk")
		if got := tablet.take(); len(got) != 1 || got[0].Child(xmpp.NSStanzaID, "stanza-id") == nil {
			t.Errorf("the other device got %v", got)
		}
		if texts, _, _ := romeo.ask(""); !slices.Equal(texts, []string{"milk"}) {
			t.Errorf("archive: %v", texts)
		}
	})
}

func TestBadQueries(t *testing.T) {
	cases := []struct{ name, inner, condition string }{
		{"unknown field", form("color", "red"), "feature-not-implemented"},
		{"bad jid", form("with", "@"), "jid-malformed"},
		{"bad time", form("start", "yesterday"), "bad-request"},
		{"unknown after", set("<after>12345</after>"), "item-not-found"},
		{"foreign after", set("<after>abc</after>"), "item-not-found"},
		{"unknown before-id", form("before-id", "77"), "item-not-found"},
		{"unknown ids", form("ids", "77"), "item-not-found"},
		{"bad max", set("<max>-1</max>"), "bad-request"},
		{"no form", "<x xmlns='jabber:x:data' type='submit'/>", "bad-request"},
		{"index", set("<index>3</index>"), "feature-not-implemented"},
	}
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a")
		for _, c := range cases {
			_, _, answer := romeo.ask(c.inner)
			if answer == nil || xmpp.ErrorOf(answer).Condition != c.condition {
				t.Errorf("%s: %v", c.name, answer)
			}
		}
		romeo.send("<iq type='set' id='q' to='juliet@localhost'><query xmlns='urn:xmpp:mam:2'/></iq>")
		if got := romeo.take(); len(got) != 1 || xmpp.ErrorOf(got[0]).Condition != "forbidden" {
			t.Errorf("another account's archive: %v", got)
		}
	})
}

// TestPaging compares pages of random queries with a list in memory.
func TestPaging(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		romeo := w.device("romeo@localhost/a").available()
		contacts := []string{"juliet@localhost", "romeo@localhost"}
		var all, with []string
		for i := range 60 {
			to := contacts[random.IntN(2)]
			all = append(all, fmt.Sprint(i))
			if to == contacts[0] {
				with = append(with, fmt.Sprint(i))
			}
			romeo.say(to, fmt.Sprint(i))
		}
		for range 30 {
			filter, model := "", all
			if random.IntN(2) == 0 {
				filter, model = form("with", contacts[0]), with
			}
			page, back, flip := 1+random.IntN(20), random.IntN(2) == 0, random.IntN(2) == 0
			if got := walk(romeo, filter, page, back, flip); !slices.Equal(got, model) {
				t.Fatalf("page %d back %v flip %v: %v, want %v", page, back, flip, got, model)
			}
		}
	})
}

// walk reads everything page by page and returns it in order.
func walk(d *device, filter string, page int, back, flip bool) (all []string) {
	from := ""
	for range 1000 {
		inner := fmt.Sprintf("<max>%d</max>", page)
		if back {
			inner += "<before>" + from + "</before>"
		} else if from != "" {
			inner += "<after>" + from + "</after>"
		}
		extra := ""
		if flip {
			extra = "<flip-page/>"
		}
		texts, ids, answer := d.ask(filter + set(inner) + extra)
		if flip {
			slices.Reverse(texts)
			slices.Reverse(ids)
		}
		fin := answer.Child(NS, "fin")
		if paged := xmpp.ParsePaged(fin); len(ids) > 0 && (paged.First != ids[0] || paged.Last != ids[len(ids)-1]) {
			d.w.t.Fatalf("ends %v of %v", paged, ids)
		}
		if back {
			all = append(texts, all...)
		} else {
			all = append(all, texts...)
		}
		if fin.Attr("complete") == "true" {
			return all
		}
		from = ids[len(ids)-1]
		if back {
			from = ids[0]
		}
	}
	d.w.t.Fatal("paging does not end")
	return nil
}

// exported is all that an export has of an account's messages.
func exported(t *testing.T, a *Archive, account *core.Account) *xmpp.Element {
	t.Helper()
	part := Around()
	if err := a.Each(t.Context(), account, func(e *xmpp.Element) error { part.Add(e); return nil }); err != nil {
		t.Fatal(err)
	}
	return part
}

func TestExportAndImport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a").available()
		romeo.say("juliet@localhost", "kept")
		account := romeo.session.Account
		_, ids, _ := romeo.ask("")
		part := exported(t, w.archive, account)
		if more, err := w.archive.RemovePiece(t.Context(), account); err != nil || more {
			t.Fatal(more, err)
		}
		if texts, _, _ := romeo.ask(""); len(texts) != 0 {
			t.Fatalf("removed, but %v is there", texts)
		}
		if err := w.archive.adopt(t.Context(), account, part); err != nil {
			t.Fatal(err)
		}
		if texts, again, _ := romeo.ask(""); !slices.Equal(texts, []string{"kept"}) || !slices.Equal(ids, again) {
			t.Errorf("imported: %v %v, was %v", texts, again, ids)
		}
		if err := w.archive.adopt(t.Context(), account, part); err != nil {
			t.Fatal(err)
		}
		if texts, again, _ := romeo.ask(""); !slices.Equal(texts, []string{"kept", "kept"}) || again[0] != ids[0] || again[1] == ids[0] {
			t.Errorf("imported once more: %v %v", texts, again)
		}
	})
}

// TestExportStopsWhereItsReaderDoes has the file fail under way, and exports what arrives meanwhile not at all: it would never end.
func TestExportStopsWhereItsReaderDoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a").available()
		for range 3 {
			romeo.say("juliet@localhost", "kept")
		}
		full, seen := errors.New("disk full"), 0
		err := w.archive.Each(t.Context(), romeo.session.Account, func(*xmpp.Element) error { seen++; return full })
		if !errors.Is(err, full) || seen != 1 {
			t.Errorf("%d messages, %v", seen, err)
		}
		seen = 0
		err = w.archive.Each(t.Context(), romeo.session.Account, func(*xmpp.Element) error {
			seen++
			romeo.say("juliet@localhost", "meanwhile")
			return nil
		})
		if err != nil || seen != 3 {
			t.Errorf("%d messages, %v", seen, err)
		}
	})
}

// TestRemovalGoesInPieces counts how many messages go at once, and that others keep theirs.
func TestRemovalGoesInPieces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		romeo.say("juliet@localhost", "hers")
		account := romeo.session.Account
		err := w.archive.db.Tx(t.Context(), func(ctx context.Context) error {
			_, err := w.archive.db.Exec(ctx, `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)
				insert into archive_entry (id, account, contact, kind, stanza) select i, $1, 0, 0, '' from n`, account.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.archive.loadFiling(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := func() (n int) {
			if err := w.archive.db.QueryRow(t.Context(), "select count(*) from archive_entry where account = $1", account.ID).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, want := range []int{1201 - manyIDs, 1201 - 2*manyIDs, 1201 - 3*manyIDs, 1201 - 4*manyIDs, 0} {
			more, err := w.archive.RemovePiece(t.Context(), account)
			if left := count(); err != nil || left != want || more != (want > 0) {
				t.Errorf("%d left, more: %v, %v; want %d", left, more, err, want)
			}
		}
		if texts, _, _ := juliet.ask(""); !slices.Equal(texts, []string{"hers"}) {
			t.Errorf("juliet has %v", texts)
		}
	})
}

func TestReaderIsSentWhatCameAfterItsReading(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b")
		romeo.say("juliet@localhost", "read")
		if texts, _, _ := juliet.ask(""); !slices.Equal(texts, []string{"read"}) {
			t.Fatalf("archive: %v", texts)
		}
		romeo.say("juliet@localhost", "since")
		if text := bodies(juliet.available().ack()); text != "since" {
			t.Errorf("sent %q", text)
		}
	})
}
