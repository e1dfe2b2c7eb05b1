package client_test

import (
	"encoding/base64"
	"net"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// stub is a server that does what a real one would not: a test plays it by hand once a client has logged in.
type stub struct {
	t *testing.T
	*transport.Stream
	client   *client.Client
	accepted chan net.Conn
}

// credential is that of romeo.
var credential = sync.OnceValues(func() (sasl.Credential, error) {
	return sasl.NewCredential(sasl.SHA256, palabretest.Password, sasl.MinIterations)
})

const nsSM = "urn:xmpp:sm:3"

// newStub makes a client that connects to a stub; logIn must follow.
func newStub(t *testing.T, change func(*client.Config)) *stub {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	s := &stub{t: t, accepted: make(chan net.Conn, 10)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.accepted <- conn
		}
	}()
	cfg := client.Config{JID: xmpp.MustJID("romeo@localhost/balcony"), Password: palabretest.Password, Method: client.Plain,
		Server: listener.Addr().String(), MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	s.client, err = client.New(cfg)
	must(t, err)
	t.Cleanup(s.client.Kill)
	return s
}

// next is the next element that the client sends.
func (s *stub) next() *xmpp.Element {
	s.t.Helper()
	for {
		event, err := s.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if event.Kind == transport.Element {
			return event.Element
		}
	}
}

// say writes an element as it stands in the stream.
func (s *stub) say(text string) {
	s.t.Helper()
	must(s.t, s.Write([]byte(text)))
}

// accept takes the next connection.
func (s *stub) accept() {
	s.t.Helper()
	select {
	case conn := <-s.accepted:
		s.Stream = transport.NewServer(conn, transport.Config{})
		s.t.Cleanup(func() { conn.Close() })
	case <-within(s.t).Done():
		s.t.Fatal("the client did not connect")
	}
}

// features takes the stream header and answers with these features.
func (s *stub) features(text string) {
	s.t.Helper()
	event, err := s.Next()
	if err != nil || event.Kind != transport.Open {
		s.t.Fatalf("%+v, %v", event, err)
	}
	must(s.t, s.Write(s.Header(xmpp.Header{From: "localhost", ID: "1", Version: "1.0"}), []byte("<stream:features>"+text+"</stream:features>")))
}

// authenticate is RFC 6120 §6 up to the new stream's features.
func (s *stub) authenticate() {
	s.t.Helper()
	s.accept()
	s.features("<mechanisms xmlns='" + xmpp.NSSASL + "'><mechanism>SCRAM-SHA-256</mechanism></mechanisms>")
	server, err := sasl.NewServer(sasl.ScramSHA256, &sasl.ServerConfig{Offer: sasl.Offer{Mechanisms: []string{sasl.ScramSHA256}},
		Iterations: sasl.MinIterations, Secret: []byte("a secret of the stub"), Lookup: func(string) ([]sasl.Credential, error) {
			one, err := credential()
			return []sasl.Credential{one}, err
		}})
	must(s.t, err)
	for {
		response, err := base64.StdEncoding.DecodeString(s.next().Text())
		must(s.t, err)
		challenge, done, err := server.Step(response)
		must(s.t, err)
		verb := "challenge"
		if done {
			verb = "success"
		}
		s.say("<" + verb + " xmlns='" + xmpp.NSSASL + "'>" + base64.StdEncoding.EncodeToString(challenge) + "</" + verb + ">")
		if done {
			break
		}
	}
	s.Restart()
	s.features("<bind xmlns='" + xmpp.NSBind + "'/><sm xmlns='" + nsSM + "'/>")
}

// bind answers the binding, and turns stream management on with this id.
func (s *stub) bind(request *xmpp.Element, id string) {
	s.t.Helper()
	s.say("<iq type='result' id='" + request.Attr("id") + "'><bind xmlns='" + xmpp.NSBind + "'><jid>romeo@localhost/balcony</jid></bind></iq>")
	if e := s.next(); !e.Is(nsSM, "enable") {
		s.t.Fatalf("instead of enable: %s", e)
	}
	s.say("<enabled xmlns='" + nsSM + "' resume='true' id='" + id + "'/>")
}

// logIn connects the client.
func (s *stub) logIn() {
	s.t.Helper()
	connected := make(chan error, 1)
	go func() { connected <- s.client.Connect(within(s.t)) }()
	s.authenticate()
	s.bind(s.next(), "one")
	must(s.t, <-connected)
}

// message takes the next message, passing over requests for acknowledgement.
func (s *stub) message() *xmpp.Element {
	s.t.Helper()
	for {
		if e := s.next(); e.Local == "message" {
			return e
		}
	}
}
