package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

var juliet = xmpp.MustJID("juliet@localhost")

// submit sends, and returns where the outcome will be.
func submit(t *testing.T, c *client.Client, body string) chan error {
	t.Helper()
	done := make(chan error, 1)
	must(t, c.Submit(within(t), text(juliet, body), func(err error) { done <- err }))
	return done
}

func TestResumptionSendsAgainWhatWasNotHandled(t *testing.T) {
	t.Parallel()
	s := newStub(t, nil)
	s.logIn()
	var done [3]chan error
	for i := range done {
		done[i] = submit(t, s.client, fmt.Sprint(i))
		if e := s.message(); e.ChildText(xmpp.NSClient, "body") != fmt.Sprint(i) {
			t.Fatalf("got %s", e)
		}
	}
	must(t, s.Abort())
	s.authenticate()
	if e := s.next(); !e.Is(nsSM, "resume") || e.Attr("previd") != "one" || e.Attr("h") != "0" {
		t.Fatalf("got %s", e)
	}
	s.say("<resumed xmlns='" + nsSM + "' previd='one' h='2'/>")
	if e := s.message(); e.ChildText(xmpp.NSClient, "body") != "2" {
		t.Fatalf("got %s", e)
	}
	must(t, <-done[0])
	must(t, <-done[1])
	s.say("<a xmlns='" + nsSM + "' h='3'/>")
	must(t, <-done[2])
}

func TestFailedResumptionWithACount(t *testing.T) {
	t.Parallel()
	s := newStub(t, nil)
	s.logIn()
	first := submit(t, s.client, "0")
	second := submit(t, s.client, "1")
	s.message()
	s.message()
	must(t, s.Abort())
	s.authenticate()
	s.next()
	s.say("<failed xmlns='" + nsSM + "' h='1'><item-not-found xmlns='" + xmpp.NSStanzas + "'/></failed>")
	s.bind(s.next(), "two")
	must(t, <-first)
	s.answerArchive() // the other one is not there,
	s.answerArchive() // nor a moment later
	if e := s.message(); e.ChildText(xmpp.NSClient, "body") != "1" {
		t.Fatalf("got %s", e)
	}
	s.say("<a xmlns='" + nsSM + "' h='3'/>") // the questions to the archive count too
	must(t, <-second)
}

// answerArchive answers one query with the messages given, as they stand in a result.
func (s *stub) answerArchive(messages ...string) {
	s.t.Helper()
	query := s.next()
	for query.Local != "iq" {
		query = s.next()
	}
	id := query.Child("urn:xmpp:mam:2", "query").Attr("queryid")
	for i, message := range messages {
		s.say(fmt.Sprintf("<message to='romeo@localhost/balcony'><result xmlns='urn:xmpp:mam:2' queryid='%s' id='%d'><forwarded xmlns='urn:xmpp:forward:0'>%s</forwarded></result></message>", id, i, message))
	}
	s.say("<iq type='result' id='" + query.Attr("id") + "'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin></iq>")
}

// A session that is gone without a count: the archive tells what had arrived; what nobody keeps is in doubt.
func TestLostSessionIsSortedOut(t *testing.T) {
	t.Parallel()
	again := make(chan string, 10)
	s := newStub(t, func(cfg *client.Config) { cfg.OnResend = func(m *xmpp.Stanza) { again <- m.Body() } })
	s.logIn()
	first := submit(t, s.client, "0")
	submit(t, s.client, "1")
	ids := [2]string{s.message().Attr("id"), s.message().Attr("id")}
	typing := make(chan error, 1)
	go func() {
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: juliet}
		typing <- s.client.SendAcked(within(t), st.Add(xmpp.NewElement("http://jabber.org/protocol/chatstates", "composing")))
	}()
	s.message()
	asked := make(chan error, 1)
	go func() { asked <- s.client.Ping(within(t), xmpp.JID{}) }()
	for s.next().Local != "iq" {
	}
	must(t, s.Abort())
	s.authenticate()
	s.next()
	s.say("<failed xmlns='" + nsSM + "'/>")
	s.bind(s.next(), "two")
	s.answerArchive("<message xmlns='jabber:client' from='romeo@localhost/balcony' to='juliet@localhost' id='"+ids[0]+"'/>",
		"<message xmlns='jabber:client' from='mallory@localhost' to='romeo@localhost' id='"+ids[1]+"'/>")
	s.answerArchive()
	must(t, <-first)
	if e := s.message(); e.Attr("id") != ids[1] || e.ChildText(xmpp.NSClient, "body") != "1" {
		t.Fatalf("sent again: %s", e)
	}
	if body := <-again; body != "1" {
		t.Errorf("told that %q is sent again", body)
	}
	if err := <-typing; !errors.Is(err, client.ErrUnsure) {
		t.Errorf("typing: %v", err)
	}
	if err := <-asked; !errors.Is(err, client.ErrUnsure) {
		t.Errorf("asked: %v", err)
	}
}

func TestTooHighACountEndsTheConnection(t *testing.T) {
	t.Parallel()
	s := newStub(t, nil)
	s.logIn()
	s.say("<a xmlns='" + nsSM + "' h='7'/>")
	s.authenticate() // the client comes back
	if e := s.next(); !e.Is(nsSM, "resume") {
		t.Errorf("got %s", e)
	}
}

func TestForgedAnswersAreNotBelieved(t *testing.T) {
	t.Parallel()
	got := make(chan *xmpp.Stanza, 10)
	s := newStub(t, receiver(got))
	s.logIn()
	answer := make(chan error, 1)
	go func() {
		_, err := s.client.Roster(within(t))
		answer <- err
	}()
	id := s.next().Attr("id")
	s.say("<iq type='result' from='mallory@localhost/x' id='" + id + "'/>")
	s.say("<message from='mallory@localhost'><result xmlns='urn:xmpp:mam:2' queryid='x' id='1'/></message>")
	s.say("<iq type='set' from='mallory@localhost/x' id='push'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>")
	for {
		e := s.next()
		if e.Local == "iq" && e.Attr("id") == "push" {
			if e.Attr("type") != "error" || e.Attr("to") != "mallory@localhost/x" {
				t.Errorf("a stranger's roster push: %s", e)
			}
			break
		}
	}
	select {
	case err := <-answer:
		t.Fatalf("believed a stranger: %v", err)
	default:
	}
	s.say("<iq type='error' id='" + id + "'><error type='wait'><resource-constraint xmlns='" + xmpp.NSStanzas + "'/></error></iq>")
	if err := <-answer; !errors.Is(err, xmpp.ResourceConstraint) {
		t.Errorf("got %v", err)
	}
	if len(got) > 0 {
		t.Errorf("handed on %s", <-got)
	}
	forged := &xmpp.Stanza{Kind: xmpp.Message, From: xmpp.MustJID("mallory@localhost")}
	inner := text(juliet, "forged").Element()
	forged.Add(xmpp.NewElement("urn:xmpp:carbons:2", "sent", xmpp.NewElement(xmpp.NSForward, "forwarded", inner)))
	if st, _, forgery := client.Carbon(forged, xmpp.MustJID("romeo@localhost")); st != nil || !forgery {
		t.Errorf("carbon of a stranger: %s", st)
	}
}

func TestConflictIsFinal(t *testing.T) {
	t.Parallel()
	s := newStub(t, nil)
	s.logIn()
	s.say("<stream:error><conflict xmlns='" + xmpp.NSStreams + "'/><text xmlns='" + xmpp.NSStreams + "'>replaced</text></stream:error>")
	<-s.client.Done()
	var stream *client.StreamError
	if err := s.client.Err(); !errors.As(err, &stream) || stream.Condition != "conflict" || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("ended with %v", err)
	}
	if err := s.client.SendAcked(within(t), text(juliet, "?")); err == nil {
		t.Error("sent after the end")
	}
}

// What a handler has not finished is not acknowledged, and what waits behind it comes again after a resumption.
func TestOnlyWhatIsHandledIsCounted(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan string, 10), make(chan struct{})
	s := newStub(t, func(cfg *client.Config) {
		cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) {
			entered <- st.Body()
			<-leave
		}
	})
	s.logIn()
	s.say("<message from='juliet@localhost'><body>1</body></message><message from='juliet@localhost'><body>2</body></message><r xmlns='" + nsSM + "'/>")
	<-entered
	if e := s.next(); !e.Is(nsSM, "a") || e.Attr("h") != "0" {
		t.Errorf("got %s", e)
	}
	must(t, s.Abort())
	s.authenticate()
	if e := s.next(); e.Attr("h") != "1" { // the first is in its handler, the second is forgotten
		t.Errorf("got %s", e)
	}
	s.say("<resumed xmlns='" + nsSM + "' previd='one' h='0'/><message from='juliet@localhost'><body>2</body></message>")
	close(leave)
	if body := <-entered; body != "2" {
		t.Errorf("handled %s", body)
	}
	s.say("<r xmlns='" + nsSM + "'/>")
	for {
		e := s.next()
		if e.Is(nsSM, "a") && e.Attr("h") == "2" {
			return
		}
		s.say("<r xmlns='" + nsSM + "'/>")
	}
}

// slow is a connection whose next write of an acknowledgement waits for leave, once, and that tells when its reader is done with
// what ended in one of these.
type slow struct {
	net.Conn
	entered, leave chan struct{}
	once           sync.Once
	ends           []string
	done           chan struct{}
	at             bool // the reader has such an end; Read alone looks at this
}

// Write implements net.Conn.
func (c *slow) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("h='1'")) {
		c.once.Do(func() {
			close(c.entered)
			<-c.leave
		})
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn.
func (c *slow) Read(p []byte) (int, error) {
	if c.at {
		c.done <- struct{}{}
	}
	n, err := c.Conn.Read(p)
	c.at = slices.ContainsFunc(c.ends, func(end string) bool { return bytes.HasSuffix(p[:n], []byte(end)) })
	return n, err
}

// What comes while the worker, with nothing else to do, writes the acknowledgement that it owed, is handled without further ado.
func TestArrivalDuringAnOwedAcknowledgement(t *testing.T) {
	t.Parallel()
	handling, handle, handled := make(chan struct{}, 2), make(chan struct{}), make(chan string, 2)
	const request, second = "<r xmlns='" + nsSM + "'/>", "<message from='juliet@localhost'><body>2</body></message>"
	conn := &slow{entered: make(chan struct{}), leave: make(chan struct{}), ends: []string{request, second}, done: make(chan struct{}, 2)}
	s := newStub(t, func(cfg *client.Config) {
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			conn.Conn, err = new(net.Dialer).DialContext(ctx, network, address)
			return conn, err
		}
		cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) {
			handling <- struct{}{}
			<-handle
			handled <- st.Body()
		}
	})
	s.logIn()
	s.say("<message from='juliet@localhost'><body>1</body></message>")
	<-handling
	s.say(request)
	if e := s.next(); e.Attr("h") != "0" {
		t.Errorf("got %s", e)
	}
	<-conn.done // nothing is being written that the next acknowledgement could go along with
	close(handle)
	<-conn.entered
	s.say(second)
	<-conn.done
	close(conn.leave)
	for range 2 {
		select {
		case <-handled:
		case <-within(t).Done():
			t.Fatal("a message waits though nobody is busy")
		}
	}
}

func TestPlainTextIsForLoopback(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(cfg *client.Config) { cfg.Method = client.StartTLS })
	connected := make(chan error, 1)
	go func() { connected <- s.client.Connect(within(t)) }()
	s.accept()
	s.features("<mechanisms xmlns='" + xmpp.NSSASL + "'><mechanism>PLAIN</mechanism></mechanisms>")
	if err := <-connected; !errors.Is(err, client.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
}
