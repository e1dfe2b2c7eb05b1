package transport

import (
	"io"
	"net"
	"strings"
	"testing"

	"palabre.dev/palabre/xmpp"
)

// pair is both ends of a stream over a pipe.
func pair(t *testing.T, cfg Config) (server, client *Stream) {
	t.Helper()
	a, b := net.Pipe()
	server, client = NewServer(a, cfg), NewClient(b, cfg)
	t.Cleanup(func() {
		if err := server.Abort(); err != nil {
			t.Error(err)
		}
		if err := client.Abort(); err != nil {
			t.Error(err)
		}
	})
	return server, client
}

func send(t *testing.T, s *Stream, items ...[]byte) chan struct{} {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Write(items...); err != nil {
			t.Error(err)
		}
	}()
	return done
}

func next(t *testing.T, s *Stream, want Kind) Event {
	t.Helper()
	event, err := s.Next()
	if err != nil || event.Kind != want {
		t.Fatalf("got %+v, %v; want kind %d", event, err, want)
	}
	return event
}

func TestStream(t *testing.T) {
	server, client := pair(t, Config{})
	message := &xmpp.Stanza{Kind: xmpp.Message, ID: "1", To: xmpp.MustJID("juliet@localhost")}
	message.Add(xmpp.NewText(xmpp.NSClient, "body", strings.Repeat("wherefore & ", 2000)))
	features := xmpp.NewElement(xmpp.NSStream, "features", xmpp.NewElement(xmpp.NSTLS, "starttls"))
	sent := send(t, client,
		client.Header(xmpp.Header{To: "local'host", From: "a&b", Version: "1.0", Lang: "en"}),
		client.Element(features), message.Append(nil), []byte("  \n"), client.End())
	open := next(t, server, Open)
	if open.Header.To != "local'host" || open.Header.From != "a&b" || open.Header.Lang != "en" || open.Header.Space != xmpp.NSStream {
		t.Errorf("header %+v", open.Header)
	}
	if e := next(t, server, Element).Element; !e.Is(xmpp.NSStream, "features") || e.Child(xmpp.NSTLS, "starttls") == nil {
		t.Errorf("features %s", e)
	}
	e := next(t, server, Element).Element
	if got := e.ChildText(xmpp.NSClient, "body"); got != message.Body() {
		t.Errorf("body of %d bytes, want %d", len(got), len(message.Body()))
	}
	next(t, server, Blank)
	next(t, server, Close)
	<-sent
	if server.in.borrowed != nil && len(server.in.bytes()) != 0 {
		t.Error("bytes left over")
	}
}

func TestSizeLimit(t *testing.T) {
	server, client := pair(t, Config{MaxSize: 4096})
	go func() {
		for {
			if err := client.Write([]byte(strings.Repeat("<a>", 300))); err != nil {
				return
			}
		}
	}()
	for {
		event, err := server.Next()
		if err == nil {
			if event.Kind != Open {
				t.Fatalf("got %+v", event)
			}
			continue
		}
		if err != xmpp.ErrTooLarge {
			t.Fatalf("got %v", err)
		}
		break
	}
	if cap(server.in.buf) > 2*largeBuffer {
		t.Errorf("buffer grew to %d", cap(server.in.buf))
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		name, input string
		want        error
	}{
		{"between", "<stream:stream xmlns:stream='s'>", io.EOF},
		{"within", "<stream:stream xmlns:stream='s'><mess", io.ErrUnexpectedEOF},
		{"encoding", "<?xml version='1.0' encoding='latin1'?>", ErrEncoding},
		{"wrong end", "<stream:stream xmlns:stream='s'></other>", xmpp.ErrNotWellFormed},
		{"comment", "<stream:stream xmlns:stream='s'><!-- -->", xmpp.ErrRestricted},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := net.Pipe()
			s := NewServer(a, Config{})
			go func() {
				_, _ = io.WriteString(b, c.input)
				_ = b.Close()
			}()
			for {
				_, err := s.Next()
				if err == nil {
					continue
				}
				if err != c.want {
					t.Errorf("got %v, want %v", err, c.want)
				}
				return
			}
		})
	}
}
