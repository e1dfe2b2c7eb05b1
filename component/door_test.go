package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// memory keeps nothing: what is written is done.
type memory struct{}

func (memory) Submit(ctx context.Context, fn func(ctx context.Context) error, done func(error)) {
	done(fn(ctx))
}

// town knows no accounts.
type town struct{}

func (town) Account(context.Context, xmpp.JID) (*core.Account, error) { return nil, core.ErrNoAccount }

// inn is a server with a door for components, and a service of its own at desk.example.
type inn struct {
	*Door
	t      *testing.T
	server *core.Server
	desk   *Inside
	asked  *echo
}

func newInn(t *testing.T, change func(*DoorConfig)) *inn {
	t.Helper()
	cfg := DefaultDoorConfig()
	cfg.Listen, cfg.Domains = []string{"127.0.0.1:0"}, []string{"pay.example=secret", "irc.example=other"}
	if change != nil {
		change(&cfg)
	}
	log := slog.New(slog.DiscardHandler)
	coreConfig := core.DefaultConfig()
	coreConfig.Domain = "example"
	server, err := core.New(coreConfig, memory{}, town{}, log)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDoor(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	i := &inn{Door: d, t: t, server: server, asked: &echo{got: make(chan *xmpp.Stanza, 100)}}
	if i.desk, err = NewInside("desk.example", i.asked, log); err != nil {
		t.Fatal(err)
	}
	i.desk.Attach(server)
	if err := d.Join(server); err != nil {
		t.Fatal(err)
	}
	if err := d.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return i
}

func (i *inn) address() string { return i.Addrs()[0].String() }

// raw is a connection on which nothing was said.
func (i *inn) raw() *peer {
	i.t.Helper()
	conn, err := net.Dial("tcp", i.address())
	if err != nil {
		i.t.Fatal(err)
	}
	p := &peer{i.t, transport.NewClient(conn, transport.Config{Space: xmpp.NSComponent})}
	i.t.Cleanup(func() { _ = p.Abort() })
	return p
}

const opening = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='%s'>"

// login is a connection that has proved its secret.
func (i *inn) login(domain, secret string) *peer {
	i.t.Helper()
	p := i.raw()
	p.say(fmt.Sprintf(opening, domain))
	open := p.next()
	p.say("<handshake>" + proof(open.Header.ID, secret) + "</handshake>")
	if got := p.element(); got.Local != "handshake" {
		i.t.Fatalf("the answer to the proof is %s", got)
	}
	return p
}

// ends wants the stream to end with an error.
func (p *peer) ends(condition string) {
	p.t.Helper()
	for {
		event, err := p.Next()
		if err != nil {
			p.t.Fatalf("no %s, but %v", condition, err)
		}
		if event.Kind == transport.Element && event.Element.Is(xmpp.NSStream, "error") {
			if event.Element.Child(xmpp.NSStreams, condition) == nil {
				p.t.Errorf("%s, not %s", event.Element, condition)
			}
			break
		}
	}
	if event := p.next(); event.Kind != transport.Close {
		p.t.Errorf("after the error came %+v", event)
	}
}

// pong answers pings until another stanza comes, which it returns.
func (p *peer) pong() *xmpp.Stanza {
	p.t.Helper()
	for {
		st := p.stanza()
		if st.Child(nsPing, "ping") == nil {
			return st
		}
		p.write(st.Reply().Append(nil))
	}
}

func TestAComponentComesInAndTalks(t *testing.T) {
	i := newInn(t, nil)
	p := i.login("pay.example", "secret")
	p.say(`<iq type='get' id='1' from='bot@pay.example' to='desk.example'><q xmlns='test'/></iq>`)
	if got := p.pong(); got.Type != "result" || got.ID != "1" || got.Child("test", "q") == nil || got.To.String() != "bot@pay.example" {
		t.Errorf("answered: %s", got)
	}
	p.say(`<iq type='get' id='2' from='pay.example' to='nobody@example'><q xmlns='test'/></iq>`)
	if got := p.pong(); got.Type != "error" || got.ID != "2" {
		t.Errorf("answered: %s", got)
	}
	done := make(chan error, 1)
	go func() {
		answer, err := i.desk.Ask(context.Background(), (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", To: xmpp.MustJID("pay.example")}).Add(xmpp.NewElement("test", "q")))
		if err == nil && answer.Child("test", "r") == nil {
			err = fmt.Errorf("answer: %s", answer)
		}
		done <- err
	}()
	q := p.pong()
	p.write(q.Reply(xmpp.NewElement("test", "r")).Append(nil))
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOurComponentAtOurDoor(t *testing.T) {
	i := newInn(t, nil)
	cfg := DefaultConfig()
	cfg.Address, cfg.Domain, cfg.Secret, cfg.MaxPause = i.address(), "pay.example", "secret", 50*time.Millisecond
	c, err := New(cfg, &echo{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	if err := c.Connected(ctx); err != nil {
		t.Fatal(err)
	}
	batch := []*xmpp.Stanza{notice("n-1", "desk.example"), notice("n-2", "nobody@example")}
	var refusal *Refusal
	if err := c.Send(ctx, batch...); !errors.As(err, &refusal) || refusal.ID != "n-2" || strings.Contains(err.Error(), "n-1") {
		t.Errorf("sent: %v", err)
	}
	if got := <-i.asked.got; got.ID != "n-1" || got.From.String() != "pay.example" {
		t.Errorf("arrived: %s", got)
	}
	if answer, err := i.desk.Ask(ctx, (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", To: xmpp.MustJID("pay.example")}).Add(xmpp.NewElement("test", "q"))); err != nil || answer.Child("test", "q") == nil {
		t.Errorf("asked: %s, %v", answer, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhoIsRefusedAtTheDoor(t *testing.T) {
	for name, c := range map[string]struct{ first, then, want string }{
		"unknown domain":     {fmt.Sprintf(opening, "elsewhere.example"), "", "host-unknown"},
		"wrong secret":       {fmt.Sprintf(opening, "pay.example"), "<handshake>" + proof("x", "secret") + "</handshake>", "not-authorized"},
		"another's secret":   {fmt.Sprintf(opening, "irc.example"), "HANDSHAKE", "not-authorized"},
		"no proof":           {fmt.Sprintf(opening, "pay.example"), "<message from='pay.example' to='desk.example'/>", "not-authorized"},
		"client":             {"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='pay.example' version='1.0'>", "", "invalid-namespace"},
		"not xml":            {"GET / HTTP/1.1\r\n\r\n", "", "not-well-formed"},
		"document type":      {"<!DOCTYPE x><stream:stream>", "", "restricted-xml"},
		"too large for once": {fmt.Sprintf(opening, "pay.example"), "<handshake>" + strings.Repeat("x", 20_000), "policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInn(t, nil)
			p := i.raw()
			p.say(c.first)
			if event := p.next(); event.Kind != transport.Open {
				t.Fatalf("no header, but %+v", event)
			} else if c.then != "" {
				p.say(strings.ReplaceAll(c.then, "HANDSHAKE", "<handshake>"+proof(event.Header.ID, "secret")+"</handshake>"))
			}
			p.ends(c.want)
		})
	}
}

func TestGuessingIsBounded(t *testing.T) {
	i := newInn(t, nil)
	for n := range maxFailures + 1 {
		p := i.raw()
		p.say(fmt.Sprintf(opening, "pay.example"))
		p.next()
		if n == maxFailures {
			p.ends("policy-violation")
			return
		}
		p.say("<handshake>guess</handshake>")
		p.ends("not-authorized")
	}
}

func TestWhoeverProvesTheSecretLastHasTheDomain(t *testing.T) {
	i := newInn(t, nil)
	first := i.login("pay.example", "secret")
	second := i.login("pay.example", "secret")
	first.ends("conflict")
	second.say(`<iq type='get' id='1' from='pay.example' to='desk.example'><q xmlns='test'/></iq>`)
	if got := second.pong(); got.Type != "result" {
		t.Errorf("the second one is told %s", got)
	}
}

func TestWhatAComponentMayNotSay(t *testing.T) {
	for name, c := range map[string]struct{ say, want string }{
		"in another's name":   {`<message from='nadia@example' to='desk.example'><body>pay me</body></message>`, "invalid-from"},
		"below its domain":    {`<message from='a.pay.example' to='desk.example'/>`, "invalid-from"},
		"in nobody's name":    {`<message to='desk.example'/>`, "invalid-from"},
		"to nobody":           {`<message from='pay.example'/>`, "improper-addressing"},
		"something else":      {`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`, "unsupported-stanza-type"},
		"too much":            {`<message from='pay.example' to='desk.example'><body>` + strings.Repeat("x", 30_000) + `</body></message>`, "policy-violation"},
		"too deep":            {`<message from='pay.example' to='desk.example'>` + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + `</message>`, "policy-violation"},
		"a broken stanza":     {`<message from='pay.example' to='desk.example'></iq>`, "not-well-formed"},
		"a second stream":     {fmt.Sprintf(opening, "pay.example"), "not-well-formed"},
		"an undeclared space": {`<x:message from='pay.example' to='desk.example'/>`, "bad-namespace-prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInn(t, func(cfg *DoorConfig) { cfg.MaxStanza = 20_000 })
			p := i.login("pay.example", "secret")
			p.say(c.say)
			if name == "a second stream" { // it is an element that never ends
				p.say("</x>")
			}
			p.ends(c.want)
			select {
			case got := <-i.asked.got:
				t.Errorf("carried all the same: %s", got)
			default:
			}
		})
	}
}

// route is what the sender of a stanza is told.
func (i *inn) route(text string) error {
	i.t.Helper()
	e, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		i.t.Fatal(err)
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.server.Route(i.t.Context(), st)
}

const toPay = `<message id='m%d' from='desk.example' to='pay.example'><body>hello</body></message>`

func TestWhatIsForAnAbsentComponentIsRefused(t *testing.T) {
	i := newInn(t, nil)
	if err := i.route(fmt.Sprintf(toPay, 1)); !errors.Is(err, away) {
		t.Errorf("told: %v", err)
	}
	p := i.login("pay.example", "secret")
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	for n := 2; ; n++ { // until it is seen to be gone
		if errors.Is(i.route(fmt.Sprintf(toPay, n)), away) {
			return
		}
		select {
		case <-i.asked.got: // told later that it may not have arrived
		case <-time.After(time.Millisecond):
		}
	}
}

func TestWhatAComponentHasNotReadIsToldToItsSender(t *testing.T) {
	i := newInn(t, nil)
	p := i.login("pay.example", "secret")
	for n := range 3 {
		if err := i.route(fmt.Sprintf(toPay, n)); err != nil {
			t.Fatal(err)
		}
	}
	for read := 0; read < 3; { // it reads, and shows by no ping that it has
		if p.stanza().Kind == xmpp.Message {
			read++
		}
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if got := <-i.asked.got; !got.IsError() || got.ID != fmt.Sprintf("m%d", n) || !errors.Is(xmpp.ErrorOf(got), xmpp.RecipientUnavailable) {
			t.Errorf("told: %s", got)
		}
	}
}

func TestASlowComponentHindersNobody(t *testing.T) {
	i := newInn(t, func(cfg *DoorConfig) { cfg.MaxQueue = 10 })
	p := i.login("pay.example", "secret")
	var full error
	for n := 0; full == nil && n < 11; n++ { // it answers no ping
		full = i.route(fmt.Sprintf(toPay, n))
	}
	if !errors.Is(full, xmpp.ResourceConstraint) {
		t.Errorf("beyond what may wait: %v", full)
	}
	for n := 0; n < 10; { // now it does, and there is room
		st := p.stanza()
		if st.Kind == xmpp.Message {
			n++
		} else {
			p.write(st.Reply().Append(nil))
		}
	}
	p.write(p.stanza().Reply().Append(nil))
	for i.route(fmt.Sprintf(toPay, 99)) != nil {
		<-time.After(time.Millisecond)
	}
}

func TestAComponentThatAnswersNoPingIsCutOff(t *testing.T) {
	i := newInn(t, func(cfg *DoorConfig) { cfg.IdleTimeout, cfg.AnswerTimeout = 10*time.Millisecond, time.Second })
	i.login("pay.example", "secret").ends("connection-timeout")
}

func TestTheServerStops(t *testing.T) {
	i := newInn(t, nil)
	p := i.login("pay.example", "secret")
	i.Stop()
	p.ends("system-shutdown")
	if _, err := p.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestADomainOfTheServerIsNoComponents(t *testing.T) {
	i := newInn(t, nil)
	for _, domain := range []string{"example", "desk.example"} {
		cfg := DefaultDoorConfig()
		cfg.Domains = []string{domain + "=secret"}
		d, err := NewDoor(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if d.Join(i.server) == nil {
			t.Errorf("%s can be taken", domain)
		}
	}
}

func TestDoorConfigIsChecked(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultDoorConfig()
	cfg.Domains = []string{"a.example=@" + secret, "b.example=x=y"}
	all, err := cfg.secrets()
	if err != nil || all[xmpp.MustJID("a.example")] != "from a file" || all[xmpp.MustJID("b.example")] != "x=y" {
		t.Errorf("%v, %v", all, err)
	}
	for name, change := range map[string]func(*DoorConfig){
		"no secret": func(c *DoorConfig) { c.Domains = []string{"a.example"} }, "twice": func(c *DoorConfig) { c.Domains = []string{"a.example=1", "a.example=2"} },
		"no domain": func(c *DoorConfig) { c.Domains = []string{"a b=1"} }, "no file": func(c *DoorConfig) { c.Domains = []string{"a.example=@/does/not/exist"} },
		"nowhere": func(c *DoorConfig) { c.Listen = nil }, "stanza": func(c *DoorConfig) { c.MaxStanza = 5 }, "queue": func(c *DoorConfig) { c.MaxQueue = 0 },
		"time": func(c *DoorConfig) { c.IdleTimeout = 0 },
	} {
		bad := DefaultDoorConfig()
		bad.Domains = []string{"a.example=1"}
		if change(&bad); bad.Validate() == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

// FuzzGuest feeds what a hostile component may say after its proof to the door: it neither panics nor hangs, and nothing is carried in another's name.
func FuzzGuest(f *testing.F) {
	for _, seed := range []string{`<iq type='get' id='1' from='pay.example' to='desk.example'><q xmlns='t'/></iq>`, `<message from='a@pay.example' to='x@'/>`, `</stream:stream>`,
		`<presence from='pay.example'/>`, `<iq type='result' from='pay.example' to='example' id='ping-1'/>`, `<a><b>`, `<message from='nadia@example' to='desk.example'/>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i := newInn(t, nil)
		ours, theirs := net.Pipe()
		i.serve(context.Background(), ours)
		p := &peer{t, transport.NewClient(theirs, transport.Config{Space: xmpp.NSComponent})}
		p.say(fmt.Sprintf(opening, "pay.example"))
		p.say("<handshake>" + proof(p.next().Header.ID, "secret") + "</handshake>" + text)
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		_ = p.Write([]byte("</stream:stream>")) // it may have been cut off
		_ = theirs.Close()
		i.Stop()
		i.work.Wait()
		for len(i.asked.got) > 0 {
			if got := <-i.asked.got; got.From.Domain() != "pay.example" {
				t.Errorf("carried: %s", got)
			}
		}
	})
}
