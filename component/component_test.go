package component

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// stub is a server that a test plays by hand.
type stub struct {
	t        *testing.T
	listener net.Listener
}

func newStub(t *testing.T) *stub {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &stub{t, listener}
}

// peer is one connection at the stub.
type peer struct {
	t *testing.T
	*transport.Stream
}

// accept waits for a connection and does the server's part of the handshake.
func (s *stub) accept() *peer {
	s.t.Helper()
	p := s.begin()
	p.say("<handshake/>")
	return p
}

// begin is accept up to the component's proof.
func (s *stub) begin() *peer {
	s.t.Helper()
	conn, err := s.listener.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &peer{s.t, transport.NewServer(conn, transport.Config{Space: xmpp.NSComponent})}
	s.t.Cleanup(func() { _ = p.Abort() })
	open := p.next()
	if open.Kind != transport.Open || open.Header.To != "pay.example" || open.Header.Space != xmpp.NSStream {
		s.t.Fatalf("the component began with %+v", open.Header)
	}
	p.write(p.Header(xmpp.Header{From: "pay.example", ID: "3BF96D32"}))
	if got := p.element(); got.Local != "handshake" || got.Text() != "f6a2d8b35e3b2eb8cf1b2dcb7ba9ba5cf2a0d8cc" && got.Text() != proof("3BF96D32", "secret") {
		s.t.Fatalf("the handshake is %s", got)
	}
	return p
}

func (p *peer) write(item []byte) {
	p.t.Helper()
	if err := p.Write(item); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) say(text string) { p.t.Helper(); p.write([]byte(text)) }

func (p *peer) next() transport.Event {
	p.t.Helper()
	event, err := p.Next()
	if err != nil {
		p.t.Fatal(err)
	}
	return event
}

func (p *peer) element() *xmpp.Element {
	p.t.Helper()
	event := p.next()
	if event.Kind != transport.Element {
		p.t.Fatalf("kind %d came, no element", event.Kind)
	}
	return event.Element
}

func (p *peer) stanza() *xmpp.Stanza {
	p.t.Helper()
	st, err := xmpp.NewStanza(p.element(), xmpp.NSClient)
	if err != nil {
		p.t.Fatal(err)
	}
	return st
}

// echo answers a request with its payload, and shows what it got.
type echo struct {
	got  chan *xmpp.Stanza
	hold chan struct{} // if it is there, a stanza is answered when it can be read from
}

func (e *echo) Handle(_ context.Context, st *xmpp.Stanza) (*xmpp.Element, error) {
	if e.hold != nil {
		<-e.hold
	}
	if st.Body() == "panic" {
		panic("as told")
	}
	select {
	case e.got <- st:
	default: // the test does not look
	}
	switch {
	case st.Child("test", "refuse") != nil:
		return nil, xmpp.Forbidden
	case st.Child("test", "fail") != nil:
		return nil, errors.New("something inside")
	}
	return st.First(), nil
}

func (s *stub) component(handler Handler, change func(*Config)) *Component {
	s.t.Helper()
	cfg := DefaultConfig()
	cfg.Address, cfg.Domain, cfg.Secret, cfg.MaxPause = s.listener.Addr().String(), "pay.example", "secret", 50*time.Millisecond
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg, handler, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return c
}

func TestProofIsThatOfTheSpecification(t *testing.T) {
	if got := proof("3BF96D32", "test"); got != "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e" { // sha1sum of 3BF96D32test
		t.Errorf("proof: %s", got)
	}
	if !proves(proof("id", "secret"), "id", "secret") || proves(proof("id", "other"), "id", "secret") || proves("", "id", "secret") {
		t.Error("the proof is not compared")
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	s, handler := newStub(t), &echo{got: make(chan *xmpp.Stanza, 10)}
	s.component(handler, nil)
	p := s.accept()
	for _, c := range []struct{ send, want string }{
		{`<iq type='get' id='1' from='nadia@example/a' to='pay.example'><about xmlns='urn:palabre:pay:0'/></iq>`, `<about xmlns='urn:palabre:pay:0'/>`},
		{`<iq xmlns='jabber:component:accept' type='get' id='2' from='nadia@example/a' to='pay.example'><about xmlns='urn:palabre:pay:0'/></iq>`, `<about xmlns='urn:palabre:pay:0'/>`},
		{`<iq type='set' id='3' from='nadia@example/a' to='pay.example'><refuse xmlns='test'/></iq>`, `forbidden`},
		{`<iq type='set' id='4' from='nadia@example/a' to='pay.example'><fail xmlns='test'/></iq>`, `internal-server-error`},
		{`<message id='5' from='nadia@example/a' to='pay.example'><body>panic</body></message>`, `internal-server-error`},
	} {
		p.say(c.send)
		if got := p.stanza(); !strings.Contains(got.String(), c.want) || got.To.String() != "nadia@example/a" || got.From.String() != "pay.example" {
			t.Errorf("%s\nis answered by %s", c.send, got)
		}
	}
}

// TestWhatIsAnsweredLaterHindersNobody: what its sender asks next is answered before, and what failed later is told.
func TestWhatIsAnsweredLaterHindersNobody(t *testing.T) {
	s := newStub(t)
	network := make(chan error)
	s.component(patient(network), nil)
	p := s.accept()
	ask := func(id, payload string) {
		p.say("<iq type='set' id='" + id + "' from='romeo@example/home' to='pay.example'><" + payload + " xmlns='test'/></iq>")
	}
	ask("a", "slow")
	ask("b", "slow")
	ask("c", "quick")
	if got := p.stanza(); got.ID != "c" || got.Type != "result" {
		t.Fatalf("first comes %s", got)
	}
	network <- nil
	network <- xmpp.Forbidden
	got := map[string]int{}
	for range 2 {
		answer := p.stanza()
		got[answer.Type]++
		if answer.ID == "c" || answer.To.String() != "romeo@example/home" {
			t.Errorf("then comes %s", answer)
		}
	}
	if got["result"] != 1 || got["error"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestWhatIsAnsweredLaterHasALimit: above it people are refused for now, and hinder nobody of their lane.
func TestWhatIsAnsweredLaterHasALimit(t *testing.T) {
	s := newStub(t)
	network := make(chan error)
	s.component(patient(network), nil)
	p := s.accept()
	for n := range maxAside + 1 {
		p.say(fmt.Sprintf("<iq type='set' id='%d' from='u%d@example/home' to='pay.example'><slow xmlns='test'/></iq>", n, n))
	}
	if got := p.stanza(); got.Type != "error" || !errors.Is(xmpp.ErrorOf(got), xmpp.ResourceConstraint) {
		t.Fatalf("one above the limit: %s", got)
	}
	p.say("<iq type='set' id='q' from='u0@example/home' to='pay.example'><quick xmlns='test'/></iq>")
	if got := p.stanza(); got.ID != "q" || got.Type != "result" {
		t.Fatalf("then comes %s", got)
	}
	for range maxAside {
		network <- nil
		if got := p.stanza(); got.Type != "result" {
			t.Fatalf("what was put off: %s", got)
		}
	}
}

// TestNothingIsPutOffAfterTheEnd: what has begun is waited for, and nothing begins meanwhile.
func TestNothingIsPutOffAfterTheEnd(t *testing.T) {
	var a aside
	var begun, done atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for a.do(func() { done.Add(1) }) {
				begun.Add(1)
			}
		})
	}
	a.end()
	ended := done.Load()
	callers.Wait()
	if done.Load() != ended || begun.Load() != ended {
		t.Errorf("%d when it ended, %d then, of %d", ended, done.Load(), begun.Load())
	}
	inside, err := NewInside("pay.example", patient(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inside.aside.end()
	st := (&xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: "a"}).Add(xmpp.NewElement("test", "slow"))
	if err := inside.Handle(t.Context(), &core.Transit{Stanza: st}); !errors.Is(err, xmpp.ResourceConstraint) {
		t.Errorf("after the end: %v", err)
	}
}

// patient answers what is slow when a network has answered.
type patient chan error

func (n patient) Handle(_ context.Context, st *xmpp.Stanza) (*xmpp.Element, error) {
	if st.Child("test", "slow") == nil {
		return nil, nil
	}
	return nil, &Later{Do: func(context.Context) (*xmpp.Element, error) { return nil, <-n }}
}

func TestChildrenAreThoseOfClients(t *testing.T) {
	s, handler := newStub(t), &echo{got: make(chan *xmpp.Stanza, 10)}
	s.component(handler, nil)
	p := s.accept()
	for _, text := range []string{`<message from='a@b' to='pay.example'><body>one</body></message>`,
		`<message xmlns='jabber:component:accept' from='a@b' to='pay.example'><body>one</body></message>`} {
		p.say(text)
		if got := <-handler.got; got.Body() != "one" {
			t.Errorf("%s is read as %s", text, got)
		}
	}
}

// sent runs Send beside the test.
func sent(c *Component, batch ...*xmpp.Stanza) chan error {
	done := make(chan error, 1)
	go func() { done <- c.Send(context.Background(), batch...) }()
	return done
}

func notice(id, to string) *xmpp.Stanza {
	return (&xmpp.Stanza{Kind: xmpp.Message, ID: id, To: xmpp.MustJID(to)}).Add(xmpp.NewText(xmpp.NSClient, "body", "you were paid"))
}

func TestSendReturnsWhenTheServerHasRead(t *testing.T) {
	s := newStub(t)
	c := s.component(&echo{}, nil)
	p := s.accept()
	if err := c.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := sent(c, notice("n-1", "nadia@example"), notice("n-2", "nobody@example"))
	first, second, ping := p.stanza(), p.stanza(), p.stanza()
	if first.ID != "n-1" || second.ID != "n-2" || first.From.String() != "pay.example" || ping.Child(nsPing, "ping") == nil || ping.To != ping.From {
		t.Fatalf("sent: %s %s %s", first, second, ping)
	}
	select {
	case err := <-done:
		t.Fatalf("returned before the server had read: %v", err)
	default:
	}
	p.write(second.ErrorReply(xmpp.ItemNotFound).Append(nil))
	p.write(ping.Append(nil)) // comes back as it went
	err := <-done
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.ID != "n-2" || !errors.Is(err, xmpp.ItemNotFound) || strings.Contains(err.Error(), "n-1") {
		t.Errorf("the refusal is %v", err)
	}
}

func TestSendWithoutServerIsAnError(t *testing.T) {
	s := newStub(t)
	c := s.component(&echo{}, nil)
	if err := c.Send(t.Context(), notice("n-1", "nadia@example")); !errors.Is(err, ErrAway) {
		t.Errorf("without a connection: %v", err)
	}
	p := s.accept()
	if err := c.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := sent(c, notice("n-1", "nadia@example"))
	p.stanza()
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrUnsure) {
		t.Errorf("when the connection broke: %v", err)
	}
	p = s.accept() // it comes back, and the caller tries again
	if err := c.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
	done = sent(c, notice("n-1", "nadia@example"))
	p.stanza()
	p.write(p.stanza().Append(nil))
	if err := <-done; err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestAsk(t *testing.T) {
	s := newStub(t)
	c := s.component(&echo{}, nil)
	p := s.accept()
	if err := c.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
	request := (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", To: xmpp.MustJID("example")}).Add(xmpp.NewElement("test", "q"))
	for _, refuse := range []bool{false, true} {
		done := make(chan error, 1)
		go func() {
			answer, err := c.Ask(context.Background(), request)
			if err == nil && answer.Child("test", "r") == nil {
				err = fmt.Errorf("the answer is %s", answer)
			}
			done <- err
		}()
		q := p.stanza()
		spoofed := q.Reply()
		spoofed.From = xmpp.MustJID("mallory@example")
		p.write(spoofed.Append(nil)) // from somebody else: is not taken for the answer
		if refuse {
			p.write(q.ErrorReply(xmpp.Forbidden).Append(nil))
			if err := <-done; !errors.Is(err, xmpp.Forbidden) {
				t.Errorf("refused: %v", err)
			}
			continue
		}
		p.write(q.Reply(xmpp.NewElement("test", "r")).Append(nil))
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestOneSenderCannotHinderAll(t *testing.T) {
	s := newStub(t)
	handler := &echo{got: make(chan *xmpp.Stanza, 100), hold: make(chan struct{})}
	s.component(handler, func(cfg *Config) { cfg.MaxWaiting = 2 })
	p := s.accept()
	for i := range 4 { // one is being handled, or about to be, two wait
		p.say(fmt.Sprintf(`<iq type='get' id='f%d' from='flood@example/a' to='pay.example'><q xmlns='test'/></iq>`, i))
	}
	got := p.stanza()
	if !errors.Is(xmpp.ErrorOf(got), xmpp.ResourceConstraint) {
		t.Errorf("beyond what may wait: %s", got)
	}
	close(handler.hold)
	answered := map[string]bool{got.ID: true}
	for len(answered) < 4 {
		answered[p.stanza().ID] = true
	}
}

// TestSilenceIsFoundOut: a server that says nothing is asked, and when it does not answer either, there is no connection any more.
func TestSilenceIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.Domain, cfg.Secret = "pay.example", "secret"
		c, err := New(cfg, &echo{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		s, p := transport.NewClient(ours, transport.Config{Space: xmpp.NSComponent}), &peer{t, transport.NewServer(theirs, transport.Config{Space: xmpp.NSComponent})}
		ended := make(chan error, 1)
		go func() {
			ended <- errors.Join(s.Write(s.Header(xmpp.Header{To: "pay.example"})), c.read(t.Context(), s))
		}()
		p.next()
		begun := time.Now()
		if ping := p.stanza(); ping.Child(nsPing, "ping") == nil || time.Since(begun) != cfg.Idle {
			t.Errorf("after a silence of %v came %s", time.Since(begun), ping)
		}
		var late net.Error
		if err := <-ended; !errors.As(err, &late) || !late.Timeout() || time.Since(begun) != cfg.Idle+cfg.Timeout {
			t.Errorf("after %v it ended with %v", time.Since(begun), err)
		}
		if err := errors.Join(s.Abort(), p.Abort()); err != nil {
			t.Error(err)
		}
	})
}

func TestRefusedHandshakeIsTriedAgain(t *testing.T) {
	s := newStub(t)
	c := s.component(&echo{}, nil)
	p := s.begin()
	p.say(`<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`)
	s.accept()
	if err := c.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStopAnswersWhatWasRead(t *testing.T) {
	s, handler := newStub(t), &echo{got: make(chan *xmpp.Stanza, 1), hold: make(chan struct{})}
	cfg := DefaultConfig()
	cfg.Address, cfg.Domain, cfg.Secret = s.listener.Addr().String(), "pay.example", "secret"
	c, err := New(cfg, handler, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	p := s.accept()
	p.say(`<iq type='get' id='1' from='nadia@example/a' to='pay.example'><q xmlns='test'/></iq>`)
	handler.hold <- struct{}{} // it is being handled
	cancel()
	if got := p.stanza(); got.ID != "1" || got.Type != "result" {
		t.Errorf("at the end came %s", got)
	}
	if event := p.next(); event.Kind != transport.Close {
		t.Errorf("the stream did not end in order: %+v", event)
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := DefaultConfig()
	good.Domain, good.Secret = "pay.example", "s"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"address": func(c *Config) { c.Address = "example" }, "domain": func(c *Config) { c.Domain = "a b" }, "secret": func(c *Config) { c.Secret = "" },
		"stanza": func(c *Config) { c.MaxStanza = 1 }, "waiting": func(c *Config) { c.MaxWaiting = 0 }, "pause": func(c *Config) { c.MaxPause = 0 },
	} {
		cfg := good
		if change(&cfg); cfg.Validate() == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

// FuzzServer feeds what a hostile server may say after the handshake to the reader: it neither panics nor hangs.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{`<iq type='get' id='1' from='a@b/c' to='pay.example'><q xmlns='t'/></iq>`, `<message to='pay.example'/>`, `</stream:stream>`,
		`<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`, `<iq type='result' from='pay.example' to='pay.example' id='x'/>`, `<a><b>`, `<iq from='@' to='pay.example'/>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg := DefaultConfig()
		cfg.Domain, cfg.Secret = "pay.example", "s"
		c, err := New(cfg, &echo{got: make(chan *xmpp.Stanza, 1000)}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		c.lanes.start(t.Context())
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write([]byte("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>" + text))
			_ = theirs.Close()
		}()
		s := transport.NewClient(ours, transport.Config{Space: xmpp.NSComponent, MaxSize: cfg.MaxStanza})
		if event, err := s.Next(); err != nil || event.Kind != transport.Open {
			t.Fatal(err)
		}
		c.arrived(s)
		if c.read(t.Context(), s) == nil {
			t.Error("reading ended without an error")
		}
		c.left()
		if err := s.Abort(); err != nil {
			t.Fatal(err)
		}
		c.lanes.stop()
	})
}
