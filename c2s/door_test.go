package c2s_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// watcher is a feature that notes what becomes of deliveries and sessions.
type watcher struct {
	mu     sync.Mutex // guards what follows
	acked  []string
	lost   []string
	events []string
	change chan struct{} // closed and replaced with every note
}

func newWatcher() *watcher { return &watcher{change: make(chan struct{})} }

func (w *watcher) Attach(s *core.Server) {
	s.OnAcked(func(session *core.Session, deliveries []core.Delivery) {
		if session.Account.JID.Local() == "juliet" {
			w.note(&w.acked, ids(deliveries)...)
		}
	})
	s.OnLost(func(_ context.Context, _ *core.Session, deliveries []core.Delivery) {
		w.note(&w.lost, ids(deliveries)...)
	})
	s.OnBind(func(_ context.Context, session *core.Session) { w.note(&w.events, session.String()+" begins") })
	s.OnUnbind(func(_ context.Context, session *core.Session) { w.note(&w.events, session.String()+" ends") })
	s.OnDormant(func(_ context.Context, session *core.Session) { w.note(&w.events, session.String()+" sleeps") })
}

func ids(deliveries []core.Delivery) (out []string) {
	for _, d := range deliveries {
		out = append(out, d.Stanza.ID)
	}
	return out
}

func (w *watcher) note(to *[]string, what ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*to = append(*to, what...)
	close(w.change)
	w.change = make(chan struct{})
}

// until waits for something to be true.
func (w *watcher) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		w.mu.Lock()
		ok, change := is(), w.change
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-change:
		case <-late:
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("%s: %d acked, %d lost, events %.1000q", what, len(w.acked), len(w.lost), w.events)
		}
	}
}

func (w *watcher) hears(t *testing.T, event string) {
	t.Helper()
	w.until(t, event, func() bool { return strings.Contains(strings.Join(w.events, "\n")+"\n", event+"\n") })
}

func with(feature any) palabretest.Option {
	return palabretest.With(func(*palabretest.Server) (any, error) { return feature, nil })
}

func message(to, id string) string {
	return "<message to='" + to + "' id='" + id + "'><body>hello</body></message>"
}

const sm = "urn:xmpp:sm:3"

// manage turns stream management on and returns the id to resume with.
func manage(p *palabretest.Person) string {
	p.Send("<enable xmlns='" + sm + "' resume='true'/>")
	return p.Expect(sm, "enabled").Attr("id")
}

// resume connects anew and resumes.
func resume(t *testing.T, s *palabretest.Server, name, id string, h int) *palabretest.Person {
	t.Helper()
	p := s.Person(t, name)
	if e := p.Authenticate(palabretest.Auth{Mechanism: "PLAIN"}); !e.Is(xmpp.NSSASL, "success") {
		t.Fatalf("login: %s", e)
	}
	p.Open()
	p.Send(fmt.Sprintf("<resume xmlns='%s' previd='%s' h='%d'/>", sm, id, h))
	return p
}

// Without stream management what was written counts as received; with it, what was acknowledged.
func TestAcked(t *testing.T) {
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(w))
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	romeo.Send(message("juliet@localhost/home", "1"))
	juliet.Expect(xmpp.NSClient, "message")
	w.until(t, "written", func() bool { return len(w.acked) == 1 })
	manage(juliet)
	romeo.Send(message("juliet@localhost/home", "2"))
	juliet.Expect(xmpp.NSClient, "message")
	juliet.Expect(sm, "r")
	romeo.Send(message("juliet@localhost/home", "3"))
	juliet.Expect(xmpp.NSClient, "message")
	juliet.Send("<a xmlns='" + sm + "' h='1'/>")
	w.until(t, "acknowledged", func() bool { return strings.Join(w.acked, " ") == "1 2" })
	juliet.Expect(sm, "r")
	juliet.Close()
	w.hears(t, "juliet@localhost/home ends")
	w.until(t, "lost", func() bool { return strings.Join(w.lost, " ") == "3" })
}

// A session whose connection broke sleeps; when nobody wakes it in time it ends, and what it has not acknowledged is lost, in order.
func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(w), palabretest.Door(func(cfg *c2s.Config) { cfg.ResumeTime = 10 * time.Second }))
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	id := manage(juliet)
	romeo.Send(message("juliet@localhost/home", "1"))
	juliet.Expect(xmpp.NSClient, "message")
	juliet.Drop()
	w.hears(t, "juliet@localhost/home sleeps")
	if session := s.Core.Session(xmpp.MustJID("juliet@localhost/home")); session == nil || !session.Dormant() {
		t.Error("the session is not there, or not dormant")
	}
	romeo.Send(message("juliet@localhost/home", "2"))
	w.hears(t, "juliet@localhost/home ends")
	w.until(t, "lost", func() bool { return strings.Join(w.lost, " ") == "1 2" })
	p := resume(t, s, "juliet", id, 0)
	if e := p.Expect(sm, "failed"); e.Attr("h") != "0" {
		t.Errorf("got %s", e)
	}
}

// A client that does not read loses its session, nobody waits for it, and nothing is forgotten.
func TestSlowReceiver(t *testing.T) {
	w := newWatcher()
	const most = 200 // of 10 kB each
	s := palabretest.Start(t, storetest.SQLite, with(w), palabretest.Door(func(cfg *c2s.Config) {
		cfg.MaxQueueBytes, cfg.StanzaRate, cfg.ByteRate = most*10_000, 0, 0
	}))
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	manage(juliet)
	go func() {
		for i := range 5 * most {
			text := "<message type='headline' to='juliet@localhost/home' id='" + fmt.Sprint(i) + "'><body>" + strings.Repeat("x", 10000) + "</body></message>"
			if err := romeo.Stream.Write([]byte(text)); err != nil {
				t.Error(err)
				return
			}
		}
		if err := romeo.Stream.Write([]byte("<iq type='get' id='last' to='localhost'><x xmlns='y'/></iq>")); err != nil {
			t.Error(err)
		}
	}()
	for romeo.Receive().Attr("id") != "last" { // nobody makes romeo wait
	}
	w.hears(t, "juliet@localhost/home ends")
	w.until(t, "all accounted for", func() bool { return len(w.acked) == 0 && len(w.lost) > most/2 })
	romeo.Until()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for _, id := range w.lost {
		if seen[id] {
			t.Fatalf("%s lost twice", id)
		}
		seen[id] = true
	}
}

// Many resumptions at once: one connection has the session in the end, and each message arrives.
func TestResumeAtOnce(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	id := manage(juliet)
	romeo.Send(message("juliet@localhost/home", "1"))
	romeo.Silent()
	var people []*palabretest.Person
	for range 8 {
		p := s.Person(t, "juliet")
		p.Authenticate(palabretest.Auth{Mechanism: "PLAIN"})
		p.Open()
		people = append(people, p)
	}
	for _, p := range people {
		p.Send("<resume xmlns='" + sm + "' previd='" + id + "' h='0'/>")
	}
	resumed := 0
	for _, p := range people {
		e := p.Receive()
		for !e.Is(xmpp.NSStream, "error") && resumed < len(people) {
			if e.Is(sm, "resumed") {
				resumed++
			}
			if e.Is(sm, "r") || e.Is(sm, "failed") { // a later connection was faster
				break
			}
			e = p.Receive()
		}
	}
	if resumed == 0 {
		t.Error("nobody resumed")
	}
	if n := len(s.Core.Sessions(xmpp.MustJID("juliet@localhost"))); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// A stop handles what was sent, says how far it came, and ends every stream.
func TestStop(t *testing.T) {
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(w))
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	asleep := s.Login(t, "nurse")
	manage(asleep)
	asleep.Drop()
	w.hears(t, "nurse@localhost/home sleeps")
	manage(romeo)
	for i := range 100 {
		romeo.Send(message("juliet@localhost/home", fmt.Sprint(i)))
	}
	for range 100 {
		juliet.Expect(xmpp.NSClient, "message")
	}
	w.until(t, "acknowledged", func() bool { return len(w.acked) == 100 }) // she has it before the door knows that it was written
	s.Door.Stop()
	if e := romeo.Expect(sm, "a"); e.Attr("h") != "100" {
		t.Errorf("got %s", e)
	}
	for _, p := range []*palabretest.Person{romeo, juliet} {
		if e := p.Receive(); e.Child(xmpp.NSStreams, "system-shutdown") == nil {
			t.Errorf("got %s", e)
		}
		p.Closed()
	}
	w.hears(t, "nurse@localhost/home ends")
	w.hears(t, "romeo@localhost/home ends")
	if _, err := net.Dial("tcp", s.Addr); err == nil {
		t.Error("still lets clients in")
	}
}

// Silent connections neither stay nor keep others out.
func TestSilentGuests(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.MaxGuests = 20 }))
	for range 200 {
		conn := s.Dial(t)
		t.Cleanup(func() { _ = conn.Close() })
	}
	romeo := s.Login(t, "romeo")
	romeo.Silent()
	romeo.Close()
}

func TestLoginTimeout(t *testing.T) {
	t.Parallel()
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.LoginTimeout = 10 * time.Second }))
	quiet := s.Dial(t)
	slow := s.Person(t, "romeo")
	slow.Connect()
	slow.Open()
	if e := slow.Receive(); e.Child(xmpp.NSStreams, "connection-timeout") == nil {
		t.Errorf("got %s", e)
	}
	slow.Closed()
	text, err := io.ReadAll(quiet)
	if err != nil || !strings.Contains(string(text), "<connection-timeout ") || !strings.HasPrefix(string(text), "<?xml") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestTooManyOfOneAddress(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.MaxPerAddress = 2 }))
	s.Login(t, "romeo/1")
	last := s.Login(t, "romeo/2")
	if _, err := s.Dial(t).Read(make([]byte, 1)); err == nil {
		t.Error("a third connection was let in")
	}
	last.Close()
	last.Closed()
	for { // the place is free a moment after the end
		conn := s.Dial(t)
		if _, err := conn.Write([]byte("x")); err == nil {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				return
			}
		}
	}
}

// After too many failures from one address nobody gets in from there, with the right password or not.
func TestTooManyFailures(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.MaxFailures = 6 }))
	for i := range 6 {
		p := s.Person(t, "romeo")
		if e := p.Authenticate(palabretest.Auth{Mechanism: "PLAIN", Password: fmt.Sprint(i)}); e.Child(xmpp.NSSASL, "not-authorized") == nil {
			t.Fatalf("got %s", e)
		}
	}
	e := s.Person(t, "romeo").Authenticate(palabretest.Auth{Mechanism: "SCRAM-SHA-256"})
	if e.Child(xmpp.NSSASL, "temporary-auth-failure") == nil {
		t.Errorf("got %s", e)
	}
}

func TestDisabled(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	s.Accounts.Disable("romeo")
	for _, a := range []palabretest.Auth{{Mechanism: "SCRAM-SHA-256-PLUS"}, {Mechanism: "PLAIN", SASL2: true}} {
		if e := s.Person(t, "romeo").Authenticate(a); e.Child(xmpp.NSSASL, "account-disabled") == nil {
			t.Errorf("got %s", e)
		}
	}
	if e := s.Person(t, "romeo").Authenticate(palabretest.Auth{Mechanism: "PLAIN", Password: "no"}); e.Child(xmpp.NSSASL, "not-authorized") == nil {
		t.Errorf("the wrong password tells that the account is disabled: %s", e)
	}
}

// The challenge for an account that does not exist looks like one for an account that does.
func TestUnknownLooksLikeKnown(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	shape := func(name string) string {
		p := s.Person(t, name)
		p.Connect()
		p.Open()
		p.Send("<auth xmlns='" + xmpp.NSSASL + "' mechanism='SCRAM-SHA-256'>" +
			base64.StdEncoding.EncodeToString([]byte("n,,n="+name+",r=abcdefghijklmnopqrstuvwx")) + "</auth>")
		challenge, err := base64.StdEncoding.DecodeString(p.Expect(xmpp.NSSASL, "challenge").Text())
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(challenge), ",s=")
		salt, rest, _ := strings.Cut(after, ",")
		return fmt.Sprint(len(challenge), len(salt), " ", rest)
	}
	if known, unknown := shape("romeo"), shape("nobody"); known != unknown {
		t.Errorf("%q tells itself from %q", known, unknown)
	}
}

// An account that is closed between the login and the binding has no session.
func TestDisabledBeforeBinding(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	p := s.Person(t, "romeo")
	if e := p.Authenticate(palabretest.Auth{Mechanism: "PLAIN"}); !e.Is(xmpp.NSSASL, "success") {
		t.Fatalf("got %s", e)
	}
	p.Open()
	s.Accounts.Disable("romeo")
	p.Send("<iq type='set' id='bind'><bind xmlns='" + xmpp.NSBind + "'/></iq>")
	if e := p.Expect(xmpp.NSStream, "error"); e.Child(xmpp.NSStreams, "not-authorized") == nil {
		t.Errorf("got %s", e)
	}
	p.Closed()
	if n := s.Core.CountSessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// Whoever sends too fast is read more slowly, and loses nothing.
func TestStanzaRate(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.StanzaRate = 100 }))
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	began := time.Now()
	for i := range 150 {
		romeo.Send(message("juliet@localhost/home", fmt.Sprint(i)))
	}
	for i := range 150 {
		if e := juliet.Expect(xmpp.NSClient, "message"); e.Attr("id") != fmt.Sprint(i) {
			t.Fatalf("got %s", e)
		}
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("150 stanzas took %v at 100 a second with a burst of 100", took)
	}
}

func TestHostMeta(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(c *c2s.Config) { c.Alternatives = []string{"wss://second.example/ws"} }))
	for path, want := range map[string]string{
		"/.well-known/host-meta":      `/ws"></Link><Link rel="urn:xmpp:alt-connections:websocket" href="wss://second.example/ws"`,
		"/.well-known/host-meta.json": `/ws"},{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://second.example/ws"}]`,
	} {
		answer, err := http.Get(s.Web + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || !strings.Contains(string(body), want) || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s, %v, %v", path, body, answer.Header, err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	answer, err := http.Get(s.Web + "/ws")
	if err != nil || answer.StatusCode != http.StatusBadRequest {
		t.Errorf("got %v, %v", answer, err)
	}
}

// What features may add.
func TestHooks(t *testing.T) {
	type invited struct{}
	s := palabretest.Start(t, storetest.SQLite, palabretest.With(func(s *palabretest.Server) (any, error) {
		s.Door.StreamFeature(func(authenticated bool) *xmpp.Element {
			if authenticated {
				return xmpp.NewElement("urn:xmpp:features:rosterver", "ver")
			}
			return xmpp.NewElement("http://jabber.org/features/iq-register", "register")
		})
		s.Door.PreAuthIQ("urn:xmpp:pars:0", "preauth", func(_ context.Context, guest *c2s.Guest, iq *xmpp.Stanza) (*xmpp.Element, error) {
			guest.Set(invited{}, iq.First().Attr("token"))
			return nil, nil
		})
		s.Door.PreAuthIQ("jabber:iq:register", "query", func(_ context.Context, guest *c2s.Guest, _ *xmpp.Stanza) (*xmpp.Element, error) {
			if guest.Get(invited{}) == nil || !guest.Encrypted || !guest.Address.IsLoopback() {
				return nil, xmpp.NotAllowed
			}
			return xmpp.NewText("jabber:iq:register", "query", guest.Get(invited{}).(string)), nil
		})
		s.Door.BindInline("urn:xmpp:carbons:2", func(_ context.Context, session *core.Session, request *xmpp.Element) *xmpp.Element {
			session.Send(&xmpp.Stanza{Kind: xmpp.Message, ID: "early"})
			if request == nil {
				return nil
			}
			return xmpp.NewElement("urn:xmpp:carbons:2", "enabled")
		})
		s.Door.PreAuthIQ("urn:test", "panic", func(context.Context, *c2s.Guest, *xmpp.Stanza) (*xmpp.Element, error) { panic("on purpose") })
		return nil, nil
	}))
	p := s.Person(t, "romeo")
	p.Connect()
	if f := p.Open(); f.Child("http://jabber.org/features/iq-register", "register") == nil {
		t.Errorf("got %s", f)
	}
	register := "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>"
	p.Send(register)
	if e := p.Receive(); e.Attr("type") != "error" || e.Attr("from") != "localhost" {
		t.Errorf("got %s", e)
	}
	p.Send("<iq type='set' id='2'><preauth xmlns='urn:xmpp:pars:0' token='t'/></iq>" + register)
	p.Receive()
	if e := p.Receive(); e.ChildText("jabber:iq:register", "query") != "t" {
		t.Errorf("got %s", e)
	}
	e := p.Authenticate(palabretest.Auth{Mechanism: "PLAIN", SASL2: true, Inline: "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:carbons:2'/></bind>"})
	if e.Child("urn:xmpp:bind:0", "bound").Child("urn:xmpp:carbons:2", "enabled") == nil {
		t.Errorf("got %s", e)
	}
	if f := p.Expect(xmpp.NSStream, "features"); f.Child("urn:xmpp:features:rosterver", "ver") == nil {
		t.Errorf("got %s", f)
	}
	if e := p.Expect(xmpp.NSClient, "message"); e.Attr("id") != "early" {
		t.Errorf("got %s", e)
	}
	other := s.Person(t, "juliet")
	other.Connect()
	other.Open()
	other.Send("<iq type='get' id='1'><panic xmlns='urn:test'/></iq>")
	if e := other.Receive(); e.Child(xmpp.NSStreams, "internal-server-error") == nil {
		t.Errorf("got %s", e)
	}
	other.Closed()
	p.Silent()
}

// A session that is resumed within its login is not told again what it knows.
func TestResumedFeatures(t *testing.T) {
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(w), palabretest.With(func(s *palabretest.Server) (any, error) {
		s.Door.StreamFeature(func(bool) *xmpp.Element { return xmpp.NewElement("urn:xmpp:features:rosterver", "ver") })
		return nil, nil
	}))
	p := s.Person(t, "romeo")
	e := p.Authenticate(palabretest.Auth{Mechanism: "PLAIN", SASL2: true, Inline: "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='" + sm + "' resume='true'/></bind>"})
	id := e.Child("urn:xmpp:bind:0", "bound").Child(sm, "enabled").Attr("id")
	if f := p.Expect(xmpp.NSStream, "features"); f.Child("urn:xmpp:features:rosterver", "ver") == nil || len(id) != 16 {
		t.Errorf("got %s, id %s", f, id)
	}
	p.Drop()
	w.until(t, "sleeps", func() bool { return strings.HasSuffix(strings.Join(w.events, " "), "sleeps") })
	p = s.Person(t, "romeo")
	e = p.Authenticate(palabretest.Auth{Mechanism: "PLAIN", SASL2: true, Inline: "<resume xmlns='" + sm + "' previd='" + id + "' h='0'/>"})
	if f := p.Expect(xmpp.NSStream, "features"); e.Child(sm, "resumed") == nil || f.String() != "<features xmlns='http://etherx.jabber.org/streams'><csi xmlns='urn:xmpp:csi:0'/></features>" {
		t.Errorf("got %s, %s", e, f)
	}
}

// Tokens are shown as devices, replaced when they are half way, and gone with the account and when they are forgotten.
func TestDevices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := palabretest.StartOn(t, db, palabretest.Door(func(cfg *c2s.Config) { cfg.TokenLife = time.Hour }))
		agent := "<user-agent id='u1'><software>Balcony</software><device>phone</device></user-agent>"
		e := s.Person(t, "romeo").Authenticate(palabretest.Auth{Mechanism: "PLAIN", SASL2: true,
			Inline: agent + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"})
		token := e.Child("urn:xmpp:fast:0", "token").Attr("token")
		romeo := s.Accounts.Get("romeo")
		devices, err := s.Door.Devices(t.Context(), romeo)
		if err != nil || len(devices) != 1 || devices[0].ID != "u1" || devices[0].Software != "Balcony" || devices[0].Name != "phone" {
			t.Errorf("got %v, %v", devices, err)
		}
		back := palabretest.Auth{Mechanism: "HT-SHA-256-NONE", SASL2: true, Token: token, Inline: agent + "<fast xmlns='urn:xmpp:fast:0'/>"}
		if e := s.Person(t, "romeo").Authenticate(back); !e.Is("urn:xmpp:sasl:2", "success") || e.Child("urn:xmpp:fast:0", "token") != nil {
			t.Fatalf("got %s", e)
		}
		if _, err := db.Exec(t.Context(), `update c2s_token set expires = expires - $1`, (40 * time.Minute).Microseconds()); err != nil { // more than half
			t.Fatal(err)
		}
		e = s.Person(t, "romeo").Authenticate(back)
		if back.Token = e.Child("urn:xmpp:fast:0", "token").Attr("token"); back.Token == "" {
			t.Fatalf("got %s", e)
		}
		if err := s.Door.ForgetDevice(t.Context(), romeo, ""); err != nil {
			t.Fatal(err)
		}
		if e := s.Person(t, "romeo").Authenticate(back); e.Child(xmpp.NSSASL, "not-authorized") == nil {
			t.Errorf("got %s", e)
		}
	})
}
