// Package palabretest runs a whole server within a test, for everybody who writes a feature or a door: the core, the client door on a
// loopback port with TLS, a database, and those features that the test passes in. Accounts exist at once and need no feature.
//
//	s := palabretest.Start(t, storetest.SQLite, palabretest.With(func(s *palabretest.Server) (any, error) {
//		return archive.New(s.Context, s.DB, archive.DefaultConfig(), s.Log)
//	}))
//	romeo := s.Login(t, "romeo/phone")
//
// # Transcripts
//
// Run plays every transcript that a pattern finds (testdata/*.txt) on both databases, each against a server of its own:
//
//	func TestTranscripts(t *testing.T) { palabretest.Run(t, "testdata/*.txt", palabretest.With(…)) }
//
// A transcript is text. A line at the left margin is a step; indented lines below a step that ends in a colon are its block. Empty lines
// and lines that begin with # mean nothing.
//
//	romeo logs in
//	juliet/phone logs in
//	romeo sends:
//	    <message to='juliet@localhost/phone' type='chat' id='{m}'><body>hello</body></message>
//	juliet/phone receives:
//	    <message from='romeo@localhost/home' to='juliet@localhost/phone' type='chat' id='{m}'><body>hello</body></message>
//
// A name is that of a connection, made when it first does something: "romeo" is account romeo with resource home, "romeo/phone" the same
// account with resource phone. The accounts romeo, juliet, mercutio and nurse exist, with the password "wherefore"; the domain is
// localhost. The steps:
//
//	NAME connects                       TCP, STARTTLS done, no stream header sent after it
//	NAME connects in plain text         TCP, nothing sent
//	NAME connects with TLS              direct TLS
//	NAME connects by WebSocket          the upgrade done, nothing sent
//	NAME opens                          sends a stream header and takes the server's header and features
//	NAME authenticates with MECHANISM [as USER] [with password PASSWORD] [with token TOKEN] [by SASL2]
//	                                    answers challenges; <success/> or <failure/> is left to be received. The block of SASL2 goes
//	                                    into <authenticate/>. It connects and opens if that was not done.
//	NAME logs in                        connects, opens, authenticates, binds; takes all answers
//	NAME sends:                         the block, as it is (on WebSocket: one frame for each line of the block at its margin)
//	NAME receives:                      the next elements, in this order
//	NAME receives in any order:         the next elements, as many as there are in the block
//	NAME receives nothing               until now: a ping to the server is answered before anything else comes
//	NAME is closed                      the stream ends; what came before must have been received
//	NAME closes                         ends its stream in order and waits for the server's end
//	NAME drops                          cuts the connection
//	NAME forgets                        throws away what has come (and answers a ping first)
//
// Elements are compared as elements: attributes in any order, white space between elements ignored. In what is expected:
//
//	{name}    in an attribute or text: any value the first time (not empty), the same value after that
//	{*}       any value
//	{?}       in an attribute: any value, or absent
//	{...}     as text within an element: any more children and attributes
//
// An element <iq> or <message> may leave the attribute id out only if the one received has none; use id='{?}' otherwise. In what is sent
// {name} is a value got before, or a new unique one, and also:
//
//	{repeat 1000 TEXT}  TEXT, a thousand times
//	{base64 TEXT}       TEXT in base64; \0 is a zero byte
package palabretest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// Domain is the domain of the test server.
const Domain = "localhost"

// Password is that of every account.
const Password = "wherefore"

// Server is a whole server. What a feature needs to be made is set before the features are.
type Server struct {
	Context  context.Context // ends with the test
	DB       *store.DB
	Log      *slog.Logger
	Accounts *Accounts
	Core     *core.Server
	Door     *c2s.Door
	Mux      *http.ServeMux

	// Addr is the address for STARTTLS, DirectAddr for TLS from the first byte, Web the http server ("http://127.0.0.1:…").
	Addr, DirectAddr, Web string
	// Roots verify its certificate, which is for localhost.
	Roots *x509.CertPool
}

// Option changes the server that Start makes.
type Option func(*setup)

type setup struct {
	door     c2s.Config
	core     core.Config
	features []func(*Server) (any, error)
}

// With adds a feature: what it makes may have Attach(*core.Server), Routes(*http.ServeMux) and Run(context.Context) error. It may also
// register with s.Door and return nil.
func With(feature func(s *Server) (any, error)) Option {
	return func(s *setup) { s.features = append(s.features, feature) }
}

// Door changes the configuration of the client door.
func Door(change func(*c2s.Config)) Option { return func(s *setup) { change(&s.door) } }

// Core changes the configuration of the core.
func Core(change func(*core.Config)) Option { return func(s *setup) { change(&s.core) } }

// Start runs a server on the database engine (storetest.SQLite or storetest.Postgres) until the test ends.
func Start(t testing.TB, engine string, options ...Option) *Server {
	t.Helper()
	return StartOn(t, storetest.Open(t, engine), options...)
}

// StartOn runs a server on an open database until the test ends.
func StartOn(t testing.TB, db *store.DB, options ...Option) *Server {
	t.Helper()
	set := setup{door: c2s.DefaultConfig(), core: core.DefaultConfig()}
	set.door.Listen, set.door.ListenTLS = []string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}
	set.door.FailureDelay = 0
	for _, option := range options {
		option(&set)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Context: ctx, DB: db, Log: slog.New(slog.NewTextHandler(logWriter{t}, nil)), Mux: http.NewServeMux(), Accounts: newAccounts(), Roots: roots()}
	if err := s.build(set); err != nil {
		cancel()
		t.Fatal(err)
	}
	s.run(t, set, cancel)
	return s
}

func (s *Server) build(set setup) (err error) {
	if s.Core, err = core.New(set.core, s.DB, s.Accounts, s.Log); err != nil {
		return err
	}
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{certificate()}}
	s.Door, err = c2s.New(s.Context, set.door, s.Core, s.Accounts, s.DB, tlsConfig, s.Log)
	return err
}

// run makes the features, opens the door, and closes all when the test ends.
func (s *Server) run(t testing.TB, set setup, cancel func()) {
	t.Helper()
	done := make(chan error, len(set.features)+1)
	running := 0
	start := func(run func(context.Context) error) {
		running++
		go func() { done <- run(s.Context) }()
	}
	for _, make := range set.features {
		feature, err := make(s)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := feature.(interface{ Attach(*core.Server) }); ok {
			f.Attach(s.Core)
		}
		if f, ok := feature.(interface{ Routes(*http.ServeMux) }); ok {
			f.Routes(s.Mux)
		}
		if f, ok := feature.(interface{ Run(context.Context) error }); ok {
			start(f.Run)
		}
	}
	s.Door.Routes(s.Mux)
	if err := s.Door.Listen(); err != nil {
		t.Fatal(err)
	}
	addrs := s.Door.Addrs()
	s.Addr, s.DirectAddr = addrs[0].String(), addrs[1].String()
	start(s.Door.Run)
	web := httptest.NewServer(s.Mux)
	s.Web = web.URL
	t.Cleanup(func() {
		web.Close()
		cancel()
		for range running {
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}

// Dial opens a TCP connection to the STARTTLS address.
func (s *Server) Dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// logWriter shows the server's log in the test's.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(b []byte) (int, error) {
	select {
	case <-w.t.Context().Done(): // too late to log
	default:
		w.t.Log(string(b))
	}
	return len(b), nil
}

var _ io.Writer = logWriter{}
