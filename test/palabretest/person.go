package palabretest

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// patience is how long a person waits for what must come.
const patience = time.Minute

const nsSASL2 = "urn:xmpp:sasl:2"

// Person is one connection of a client, moved by hand. Its methods fail the test when something goes wrong.
type Person struct {
	Name   string // account or account/resource
	Stream *transport.Stream
	// JID is the full address, after Login.
	JID xmpp.JID

	t        testing.TB
	server   *Server
	opened   bool
	web      bool
	used     bool // has logged in or ended
	features *xmpp.Element
	waiting  []*xmpp.Element // received, and not yet looked at
	pings    int
}

// Login is a session of an account ("romeo") with a resource ("romeo/phone"; home if none is named).
func (s *Server) Login(t testing.TB, name string) *Person {
	t.Helper()
	p := s.Person(t, name)
	p.Login()
	return p
}

// Person is somebody who has done nothing yet. Its connection is cut when the test ends.
func (s *Server) Person(t testing.TB, name string) *Person {
	p := &Person{Name: name, t: t, server: s}
	t.Cleanup(func() {
		if p.Stream != nil {
			_ = p.Stream.Abort() // most likely closed already
		}
	})
	return p
}

func (p *Person) account() string { return strings.Split(p.Name, "/")[0] }

func (p *Person) resource() string {
	if _, resource, ok := strings.Cut(p.Name, "/"); ok {
		return resource
	}
	return "home"
}

func (p *Person) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.Name, err)
	}
}

func (p *Person) must(ok bool, format string, args ...any) {
	p.t.Helper()
	if !ok {
		p.t.Fatalf(p.Name+": "+format, args...)
	}
}

// ConnectPlain opens a connection and sends nothing.
func (p *Person) ConnectPlain() { p.dial(p.server.Addr) }

func (p *Person) dial(address string) {
	p.t.Helper()
	conn, err := net.Dial("tcp", address)
	p.check(err)
	p.Use(conn)
}

// Use takes a connection that was made otherwise, on which nothing was sent.
func (p *Person) Use(conn net.Conn) {
	p.begin(transport.NewClient(conn, transport.Config{MaxSize: 4 << 20}))
}

// Detach lets go of the connection and leaves it open.
func (p *Person) Detach() { p.begin(nil) }

func (p *Person) begin(s *transport.Stream) {
	p.Stream, p.opened, p.web, p.used, p.waiting, p.features = s, false, false, false, nil, nil
}

func (p *Person) tls() *tls.Config { return transport.ClientTLS(Domain, p.server.Roots) }

// Connect opens a connection and goes over to TLS by STARTTLS.
func (p *Person) Connect() {
	p.t.Helper()
	p.ConnectPlain()
	p.StartTLS()
}

// StartTLS opens a stream and goes over to TLS.
func (p *Person) StartTLS() {
	p.t.Helper()
	p.Open()
	p.Send("<starttls xmlns='" + xmpp.NSTLS + "'/>")
	e := p.Receive()
	p.must(e.Is(xmpp.NSTLS, "proceed"), "got %s for starttls", e)
	p.check(p.Stream.Secure(p.tls(), patience))
	p.opened = false
}

// ConnectDirect opens a connection that begins with TLS.
func (p *Person) ConnectDirect() {
	p.t.Helper()
	p.dial(p.server.DirectAddr)
	p.check(p.Stream.Secure(p.tls(), patience))
}

// Open sends a stream header and takes the server's header and features.
func (p *Person) Open() *xmpp.Element {
	p.t.Helper()
	p.check(p.Stream.Write(p.Stream.Header(xmpp.Header{To: Domain, Version: "1.0", Lang: "en"})))
	event := p.next()
	p.must(event.Kind == transport.Open, "expected a header, got %s", event.Element)
	p.opened = true
	p.features = p.Receive()
	p.must(p.features.Is(xmpp.NSStream, "features"), "expected features, got %s", p.features)
	return p.features
}

// Send sends text as it is.
func (p *Person) Send(text string) {
	p.t.Helper()
	p.check(p.Stream.Write([]byte(text)))
}

// SendStanza sends a stanza.
func (p *Person) SendStanza(st *xmpp.Stanza) {
	p.t.Helper()
	p.check(p.Stream.Write(st.Append(nil)))
}

// next is what arrives, other than white space.
func (p *Person) next() transport.Event {
	p.t.Helper()
	event, err := p.tryNext()
	p.check(err)
	return event
}

func (p *Person) tryNext() (transport.Event, error) {
	if err := p.Stream.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return transport.Event{}, err
	}
	for {
		event, err := p.Stream.Next()
		if err != nil || event.Kind != transport.Blank {
			return event, err
		}
	}
}

// Receive is the next element.
func (p *Person) Receive() *xmpp.Element {
	p.t.Helper()
	if len(p.waiting) > 0 {
		e := p.waiting[0]
		p.waiting = p.waiting[1:]
		return e
	}
	event := p.next()
	for event.Kind == transport.Open { // the server's header, before an error
		event = p.next()
	}
	p.must(event.Kind == transport.Element, "the stream ended instead of an element")
	if event.Element.Is(xmpp.NSSASL, "success") { // RFC 6120 §6.4.6: both sides begin anew
		p.Stream.Restart()
		p.opened = false
	}
	return event.Element
}

// Answer is the next answer to a request with one of these ids. What comes before it is left to be received: of a notice and an answer, either may be first.
func (p *Person) Answer(ids ...string) *xmpp.Element {
	p.t.Helper()
	var before []*xmpp.Element
	for {
		e := p.Receive()
		if e.Is(xmpp.NSClient, "iq") && slices.Contains(ids, e.Attr("id")) {
			p.waiting = append(before, p.waiting...)
			return e
		}
		before = append(before, e)
	}
}

// Expect is Receive for an element that must have this name.
func (p *Person) Expect(space, local string) *xmpp.Element {
	p.t.Helper()
	e := p.Receive()
	p.must(e.Is(space, local), "expected <%s xmlns='%s'/>, got %s", local, space, e)
	return e
}

// Closed waits for the end of the connection; nothing else may come.
func (p *Person) Closed() {
	p.t.Helper()
	p.used = true
	p.must(len(p.waiting) == 0, "not received yet: %v", p.waiting)
	for {
		event, err := p.tryNext()
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			p.t.Fatalf("%s: still open", p.Name)
		case err != nil:
			return
		case event.Kind == transport.Element:
			p.t.Fatalf("%s: got %s instead of the end", p.Name, event.Element)
		}
	}
}

// Close ends the stream in order and waits for the server's end.
func (p *Person) Close() {
	p.t.Helper()
	p.used = true
	p.check(p.Stream.Write(p.Stream.End()))
	for {
		event, err := p.tryNext()
		if err != nil || event.Kind == transport.Close {
			p.check(err)
			return
		}
	}
}

// Drop cuts the connection.
func (p *Person) Drop() {
	p.used = true
	p.check(p.Stream.Abort())
}

// Until returns what comes before the answer to a ping: all that the server had for this session when it read the ping.
func (p *Person) Until() []*xmpp.Element {
	p.t.Helper()
	p.pings++
	id := fmt.Sprintf("palabretest-%d", p.pings)
	p.Send("<iq type='get' id='" + id + "' to='" + Domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	var before []*xmpp.Element
	for {
		e := p.Receive()
		if e.Is(xmpp.NSClient, "iq") && e.Attr("id") == id {
			return before
		}
		before = append(before, e)
	}
}

// Silent checks that nothing has come.
func (p *Person) Silent() {
	p.t.Helper()
	if before := p.Until(); len(before) > 0 {
		p.t.Fatalf("%s: got %s", p.Name, before[0])
	}
}

// Auth is how to authenticate.
type Auth struct {
	Mechanism string
	User      string // the account's own name if empty
	Password  string // the usual one if empty
	Token     string
	SASL2     bool
	Inline    string // XML within <authenticate/>
}

// Authenticate does one exchange, and returns <success/> or <failure/>.
func (p *Person) Authenticate(a Auth) *xmpp.Element {
	p.t.Helper()
	if p.Stream == nil || p.used {
		p.Connect()
	}
	if !p.opened {
		p.Open()
	}
	if a.User == "" {
		a.User = p.account()
	}
	if a.Password == "" {
		a.Password = Password
	}
	cfg := sasl.ClientConfig{Username: a.User, Password: a.Password, Token: []byte(a.Token), Offer: p.offer(a.SASL2)}
	if binds := strings.HasSuffix(a.Mechanism, "-PLUS") || strings.HasPrefix(a.Mechanism, "HT-"); binds {
		cfg.Bindings = p.Stream.Bindings() // otherwise the client is one that cannot bind
	}
	x, err := sasl.NewClient(a.Mechanism, cfg)
	p.check(err)
	first, _, err := x.Step(nil)
	p.check(err)
	p.sendFirst(a, first)
	return p.exchange(x, a.SASL2)
}

func (p *Person) sendFirst(a Auth, first []byte) {
	p.t.Helper()
	text := base64.StdEncoding.EncodeToString(first)
	if !a.SASL2 {
		p.Send("<auth xmlns='" + xmpp.NSSASL + "' mechanism='" + a.Mechanism + "'>" + text + "</auth>")
		return
	}
	p.Send("<authenticate xmlns='" + nsSASL2 + "' mechanism='" + a.Mechanism + "'><initial-response>" + text + "</initial-response>" + a.Inline + "</authenticate>")
}

func (p *Person) exchange(x *sasl.Client, sasl2 bool) *xmpp.Element {
	p.t.Helper()
	space := xmpp.NSSASL
	if sasl2 {
		space = nsSASL2
	}
	for {
		e := p.Receive()
		switch {
		case e.Is(space, "challenge"):
			challenge, err := base64.StdEncoding.DecodeString(e.Text())
			p.check(err)
			response, _, err := x.Step(challenge)
			p.check(err)
			p.Send("<response xmlns='" + space + "'>" + base64.StdEncoding.EncodeToString(response) + "</response>")
			continue
		case e.Is(space, "success"):
			data := e.Text()
			if sasl2 {
				data = e.ChildText(nsSASL2, "additional-data")
			}
			last, err := base64.StdEncoding.DecodeString(data)
			p.check(err)
			p.check(x.Finish(last))
		}
		return e
	}
}

// offer reads what the server's features offer.
func (p *Person) offer(sasl2 bool) sasl.Offer {
	offer := sasl.Offer{SASL2: sasl2}
	list := p.features.Child(xmpp.NSSASL, "mechanisms")
	if sasl2 {
		list = p.features.Child(nsSASL2, "authentication")
		for e := range list.Child(nsSASL2, "inline").Child("urn:xmpp:fast:0", "fast").Children() {
			offer.Fast = append(offer.Fast, e.Text())
		}
	}
	for e := range list.Children() {
		if e.Local == "mechanism" {
			offer.Mechanisms = append(offer.Mechanisms, e.Text())
		}
	}
	for e := range p.features.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding").Children() {
		offer.BindingTypes = append(offer.BindingTypes, e.Attr("type"))
	}
	return offer
}

// Login connects if need be, authenticates and binds the resource.
func (p *Person) Login() {
	p.t.Helper()
	mechanism := sasl.ScramSHA256
	if p.Stream == nil || p.used {
		p.Connect()
	}
	if p.Stream.Bindings().Types() != nil {
		mechanism = sasl.ScramSHA256Plus
	}
	e := p.Authenticate(Auth{Mechanism: mechanism})
	p.must(e.Is(xmpp.NSSASL, "success"), "login: %s", e)
	p.Open()
	p.Bind()
	p.used = true
}

// Bind binds the resource.
func (p *Person) Bind() {
	p.t.Helper()
	p.Send("<iq type='set' id='bind'><bind xmlns='" + xmpp.NSBind + "'><resource>" + p.resource() + "</resource></bind></iq>")
	e := p.Expect(xmpp.NSClient, "iq")
	jid, err := xmpp.ParseJID(e.Child(xmpp.NSBind, "bind").ChildText(xmpp.NSBind, "jid"))
	p.must(err == nil, "bind: %s", e)
	p.JID = jid
}

// ConnectWeb opens a WebSocket.
func (p *Person) ConnectWeb() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.server.Context, patience)
	defer cancel()
	s, err := transport.DialWebSocket(ctx, "ws"+strings.TrimPrefix(p.server.Web, "http")+"/ws", nil, transport.Config{MaxSize: 4 << 20})
	p.check(err)
	p.begin(s)
	p.web = true
}
