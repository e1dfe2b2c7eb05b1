// Package abuse misuses a whole server: forged content, addresses that are none, connections that are half closed, slow or silent. What
// is about streams alone is in the transcripts of package c2s, what is about bytes in the fuzz targets of the parsers.
package abuse

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

func withArchive(s *palabretest.Server) (any, error) {
	return archive.New(s.Context, archive.DefaultConfig(), s.DB, nil, s.Log)
}

func withCarbons(*palabretest.Server) (any, error) { return carbons.New(), nil }

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", palabretest.With(withArchive), palabretest.With(withCarbons))
}

// Ten thousand connections that say nothing, from many addresses, do not keep anybody out.
func TestTenThousandSilent(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	var all []net.Conn
	defer func() {
		for _, conn := range all {
			_ = conn.Close() // most were closed by the server
		}
	}()
	for n := range 10_000 {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%20))}}
		conn, err := from.DialContext(t.Context(), "tcp", s.Addr)
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		all = append(all, conn)
		if n%2500 == 2499 {
			talk(t, s)
		}
	}
}

// talk has two people log in and exchange a message.
func talk(t *testing.T, s *palabretest.Server) {
	t.Helper()
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet")
	romeo.Send("<message to='juliet@localhost/home' id='1'><body>hi</body></message>")
	if e := juliet.Receive(); e.Child(xmpp.NSClient, "body").Text() != "hi" {
		t.Errorf("got %s", e)
	}
	romeo.Close()
	juliet.Close()
}

// A connection that sends a byte now and then is closed when the time for a login is over, before and after TLS.
func TestSlowloris(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.Door(func(cfg *c2s.Config) { cfg.LoginTimeout = 10 * time.Second }))
	t.Run("header", func(t *testing.T) { t.Parallel(); drip(t, s.Dial(t), "<stream:stream xmlns='jabber:client' ") })
	t.Run("handshake", func(t *testing.T) {
		t.Parallel()
		conn, err := net.Dial("tcp", s.DirectAddr)
		if err != nil {
			t.Fatal(err)
		}
		drip(t, conn, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	})
	t.Run("login", func(t *testing.T) {
		t.Parallel()
		p := s.Person(t, "romeo")
		p.Connect()
		p.Open()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		slowly(ctx, func(b byte) error { return p.Stream.Write([]byte{b}) }, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' ")
		if ctx.Err() != nil {
			t.Error("still there after a minute")
		}
	})
}

// slowly writes a text byte by byte, and white space after it, until it fails.
func slowly(ctx context.Context, write func(byte) error, text string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		b := byte(' ')
		if n < len(text) {
			b = text[n]
		}
		if write(b) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func drip(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go slowly(ctx, func(b byte) error { _, err := conn.Write([]byte{b}); return err }, text)
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Error("still there after a minute")
	}
}

// Whoever closes its half of the connection has said all it wanted: that is handled, and the session goes.
func TestHalfClosed(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.With(withArchive))
	juliet := s.Login(t, "juliet")
	conn := s.Dial(t)
	romeo := s.Person(t, "romeo")
	romeo.Use(conn)
	romeo.StartTLS()
	romeo.Login()
	romeo.Send("<message to='juliet@localhost/home' id='1' type='chat'><body>last words</body></message>")
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		t.Fatalf("%T has no halves", conn)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if e := juliet.Receive(); e.Child(xmpp.NSClient, "body").Text() != "last words" {
		t.Errorf("got %s", e)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the server keeps its half open: %v", err)
	}
	juliet.Send("<iq type='get' id='2' to='romeo@localhost/home'><ping xmlns='urn:xmpp:ping'/></iq>")
	if e := juliet.Receive(); e.Attr("type") != "error" {
		t.Errorf("the session is still there: %s", e)
	}
	// The half of a connection without TLS and without a word.
	guest := s.Dial(t)
	if half, ok = guest.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		t.Fatal("close a half")
	}
	if err := guest.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(guest); err != nil {
		t.Errorf("the server keeps its half open: %v", err)
	}
}
