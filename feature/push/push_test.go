package push

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// world is a journey with push as its only feature, an app server and a browser's push service.
type world struct {
	t      *testing.T
	push   *Push
	jobs   *jobs.Jobs
	server *core.Server

	app    []*xmpp.Stanza // what the app server was sent
	refuse *xmpp.Error    // what it answers
	web    *httptest.Server
	calls  []*http.Request
	bodies [][]byte
	key    *ecdh.PrivateKey // of the browser
	status int
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

// Handle is the app server.
func (w *world) Handle(ctx context.Context, t *core.Transit) error {
	w.app = append(w.app, t.Stanza)
	if w.refuse != nil {
		return w.server.Route(ctx, t.Stanza.ErrorReply(w.refuse))
	}
	return w.server.Route(ctx, t.Stanza.Reply())
}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &world{t: t, status: http.StatusCreated}
		log := slog.New(slog.DiscardHandler)
		w.web = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if header := 16 + 4 + 1 + 65; err != nil || len(body) < header+16 || body[20] != 65 { // RFC 8188 §2.1, RFC 8291 §4
				t.Errorf("the wake-up is not encrypted: %q %v", body, err)
			}
			w.calls, w.bodies = append(w.calls, r), append(w.bodies, body)
			answer.WriteHeader(w.status)
		}))
		t.Cleanup(w.web.Close)
		var err error
		if w.jobs, err = jobs.New(t.Context(), db, log); err != nil {
			t.Fatal(err)
		}
		if w.push, err = New(t.Context(), Config{MaxDevices: 2, AllowPrivate: true}, db, w.jobs, log); err != nil {
			t.Fatal(err)
		}
		if w.server, err = core.New(core.DefaultConfig(), db, w, log); err != nil {
			t.Fatal(err)
		}
		w.push.Attach(w.server)
		w.server.AddService("push.example", w)
		run(t, w)
	})
}

type phone struct {
	*core.Session
	w   *world
	got []*xmpp.Stanza
}

func (d *phone) Send(delivery core.Delivery) { d.got = append(d.got, delivery.Stanza) }
func (d *phone) End(string, string)          {}
func (d *phone) Waiting() []core.Delivery    { return nil }

func (w *world) session(jid string) *phone {
	w.t.Helper()
	d := &phone{w: w}
	full := xmpp.MustJID(jid)
	account, err := w.Account(w.t.Context(), full.Bare())
	if err != nil {
		w.t.Fatal(err)
	}
	if d.Session, err = w.server.Bind(w.t.Context(), account, full, d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (d *phone) send(xml string) {
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
	d.Accept(d.w.t.Context(), st, func() { close(handled) })
	<-handled
}

// ask sends a set request and returns the condition of the error, "" for success.
func (d *phone) ask(payload string) string {
	d.w.t.Helper()
	d.got = nil
	d.send("<iq type='set' id='1'>" + payload + "</iq>")
	if len(d.got) != 1 {
		d.w.t.Fatalf("%s: %v", payload, d.got)
	}
	if d.got[0].IsError() {
		return xmpp.ErrorOf(d.got[0]).Condition
	}
	return ""
}

func (w *world) work() {
	w.t.Helper()
	if _, err := w.jobs.Work(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

const (
	enableXML = "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='n'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='secret'><value>s</value></field></x></enable>"
	hello = "<message to='juliet@localhost' type='chat'><body>hello</body></message>"
)

// subscription is a browser's keys and endpoint.
func (w *world) subscription() string {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.key = key
	b64 := base64.RawURLEncoding.EncodeToString
	return "<subscribe xmlns='urn:palabre:web-push:0'><endpoint>" + w.web.URL + "/abc</endpoint><p256dh>" + b64(key.PublicKey().Bytes()) +
		"</p256dh><auth>" + b64(make([]byte, 16)) + "</auth></subscribe>"
}

func TestAppIsWokenWithoutContent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/phone")
		if got := juliet.ask(enableXML); got != "" {
			t.Fatal(got)
		}
		romeo.send(hello)
		w.work()
		if len(w.app) != 0 {
			t.Errorf("a connected device was woken: %v", w.app)
		}
		juliet.SetDormant(true)
		romeo.send("<message to='juliet@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		romeo.send("<message to='juliet@localhost' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'><payload>dm90ZQ==</payload></encrypted><quiet xmlns='urn:palabre:quiet:0'/></message>")
		w.work()
		if len(w.app) != 0 {
			t.Errorf("woken for nothing: %v", w.app)
		}
		for range 3 {
			romeo.send(hello)
		}
		w.work()
		w.work()
		if len(w.app) != 1 {
			t.Fatalf("woken by %v", w.app)
		}
		got := w.app[0]
		if text := got.String(); got.From.String() != "juliet@localhost" || strings.Contains(text, "hello") || strings.Contains(text, "romeo") ||
			!strings.Contains(text, "<value>s</value>") || !strings.Contains(text, "node='n'") {
			t.Errorf("woken by %s", text)
		}
	})
}

// keeper gives every message a number in the receiver's log.
func keeper(s *core.Server, db *store.DB) {
	s.Keep(core.Received, func(t *core.Transit) core.Write {
		return func(context.Context) error {
			t.ReceivedID = db.Next()
			return nil
		}
	})
}

// TestFallingAsleepAtDelivery has a connection break after its message was kept and before it is in the session's queue: the device is
// woken, though it was awake when that was decided.
func TestFallingAsleepAtDelivery(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		keeper(w.server, w.push.db)
		romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/b")
		juliet.ask("<enable xmlns='urn:xmpp:push:0' jid='push.example' node='n'/>")
		w.server.Delivering(func(ctx context.Context, t *core.Transit, session *core.Session) bool {
			if t.Stanza.ID == "late" {
				w.server.Slept(ctx, session)
			}
			return true
		})
		romeo.send("<message type='chat' to='juliet@localhost/b' id='early'><body>x</body></message>")
		w.work()
		if len(w.app) != 0 {
			t.Errorf("an awake device was woken: %v", w.app)
		}
		romeo.send("<message type='chat' to='juliet@localhost/b' id='late'><body>x</body></message>")
		w.work()
		if len(w.app) != 1 {
			t.Errorf("woken %d times, not once", len(w.app))
		}
	})
}

func TestRefusedOrDisabledAppIsForgotten(t *testing.T) {
	for name, change := range map[string]func(w *world, juliet *phone){
		"refused":  func(w *world, _ *phone) { w.refuse = xmpp.ItemNotFound },
		"disabled": func(_ *world, juliet *phone) { juliet.ask("<disable xmlns='urn:xmpp:push:0' jid='push.example'/>") },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/phone")
				juliet.ask(enableXML)
				change(w, juliet)
				w.server.Unbind(t.Context(), juliet.Session)
				romeo.send(hello)
				w.work()
				before := len(w.app)
				romeo.send(hello)
				w.work()
				if len(w.app) != before || name == "disabled" && before != 0 {
					t.Errorf("told %d times, then %d", before, len(w.app))
				}
			})
		})
	}
}

func TestBrowserIsWoken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/web")
		juliet.send("<iq type='get' id='k'><key xmlns='urn:palabre:web-push:0'/></iq>")
		if key := juliet.got[0].First().Text(); !isBase64(key, 65) {
			t.Errorf("key %q", key)
		}
		if got := juliet.ask(w.subscription()); got != "" {
			t.Fatal(got)
		}
		w.server.Unbind(t.Context(), juliet.Session)
		romeo.send(hello)
		w.work()
		if len(w.calls) != 1 {
			t.Fatalf("%d calls", len(w.calls))
		}
		h := w.calls[0].Header
		if !strings.HasPrefix(h.Get("Authorization"), "vapid ") || h.Get("Content-Encoding") != "aes128gcm" || h.Get("Ttl") == "" {
			t.Errorf("headers %v", h)
		}
		w.status = http.StatusGone
		romeo.send(hello)
		w.work()
		romeo.send(hello)
		w.work()
		if len(w.calls) != 2 {
			t.Errorf("a browser that is gone was called again: %d calls", len(w.calls))
		}
	})
}

func TestRefusedRequests(t *testing.T) {
	cases := map[string]string{
		"<enable xmlns='urn:xmpp:push:0' jid='@' node='n'/>":                                    "jid-malformed",
		"<enable xmlns='urn:xmpp:push:0' jid='push.example'/>":                                  "bad-request",
		"<enable xmlns='urn:xmpp:push:0' jid='a' node='n'><x xmlns='jabber:x:data'/></enable>":  "bad-request",
		"<subscribe xmlns='urn:palabre:web-push:0'><endpoint>ftp://x/</endpoint></subscribe>":   "bad-request",
		"<subscribe xmlns='urn:palabre:web-push:0'><endpoint>https://x/</endpoint></subscribe>": "bad-request",
	}
	each(t, func(t *testing.T, w *world) {
		juliet := w.session("juliet@localhost/a")
		for payload, want := range cases {
			if got := juliet.ask(payload); got != want {
				t.Errorf("%s: %s, want %s", payload, got, want)
			}
		}
		for node, want := range map[string]string{"a": "", "b": ""} {
			if got := juliet.ask("<enable xmlns='urn:xmpp:push:0' jid='push.example' node='" + node + "'/>"); got != want {
				t.Errorf("%s: %s", node, got)
			}
		}
		if got := juliet.ask("<enable xmlns='urn:xmpp:push:0' jid='push.example' node='c'/>"); got != "resource-constraint" {
			t.Errorf("one too many: %q", got)
		}
	})
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	for _, address := range []string{"127.0.0.1:443", "10.1.2.3:443", "192.168.0.1:443", "[::1]:443", "[fd00::1]:443", "169.254.169.254:80", "[::ffff:10.0.0.1]:443"} {
		if refusePrivate("tcp", address, nil) == nil {
			t.Errorf("%s may be called", address)
		}
	}
	if err := refusePrivate("tcp", "192.0.2.1:443", nil); err != nil {
		t.Error(err)
	}
}

// TestNetworksThatAreInside are addresses behind which a provider, or a translator of addresses, has what is not for everybody.
func TestNetworksThatAreInside(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "198.18.0.1", "0.1.2.3", "255.255.255.255",
		"::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fd00::1", "fe80::1", "fec0::1"} {
		if refusePrivate("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 443).String(), nil) == nil {
			t.Errorf("%s is called", address)
		}
	}
	for _, address := range []string{"192.0.2.1", "142.250.1.1", "2a00:1450:4001::1", "2606:4700::1"} {
		if err := refusePrivate("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 443).String(), nil); err != nil {
			t.Error(err)
		}
	}
}

// A browser that is given another endpoint has one, and not two.
func TestAnotherEndpointTakesThePlaceOfTheOneBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/web")
		subscribe := w.subscription()
		for _, path := range []string{"/abc", "/def", "/ghi"} { // more than MaxDevices
			if got := juliet.ask(strings.Replace(subscribe, "/abc", path, 1)); got != "" {
				t.Fatal(got)
			}
		}
		w.server.Unbind(t.Context(), juliet.Session)
		romeo.send(hello)
		w.work()
		if len(w.calls) != 1 || w.calls[0].URL.Path != "/ghi" {
			t.Errorf("%d calls", len(w.calls))
		}
	})
}

func TestAnAppThatWasSignedOutIsNotWoken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, gone, stays := w.session("romeo@localhost/a"), w.session("juliet@localhost/lost"), w.session("juliet@localhost/kept")
		subscribe := w.subscription()
		for d, path := range map[*phone]string{gone: "/lost", stays: "/kept"} {
			if got := d.ask(strings.Replace(subscribe, "/abc", path, 1)); got != "" {
				t.Fatal(got)
			}
		}
		for _, d := range []*phone{gone, stays} {
			w.server.Unbind(t.Context(), d.Session)
		}
		if err := w.push.Leave(t.Context(), gone.Session.Account, func(resource string) bool { return resource == "lost" }); err != nil {
			t.Fatal(err)
		}
		romeo.send(hello)
		w.work()
		if len(w.calls) != 1 || w.calls[0].URL.Path != "/kept" {
			t.Errorf("%d calls", len(w.calls))
		}
	})
}
