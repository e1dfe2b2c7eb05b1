package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/lxzan/gws"

	"palabre.dev/palabre/xmpp"
)

// serveWeb accepts WebSockets and hands them to serve.
func serveWeb(t *testing.T, serve func(*Stream)) string {
	t.Helper()
	ended := make(chan struct{}, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := AcceptWebSocket(w, r, Config{})
		if err != nil {
			return
		}
		go func() {
			defer func() { ended <- struct{}{} }()
			serve(s)
		}()
	}))
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// echo answers every element with itself, compressed.
func echo(t *testing.T) func(*Stream) {
	return func(s *Stream) {
		s.Compress()
		for {
			event, err := s.Next()
			switch {
			case err != nil:
				_ = s.Abort()
				return
			case event.Kind == Close:
				if err := errors.Join(s.Write(s.End()), s.Close()); err != nil {
					t.Error(err)
				}
				return
			case event.Kind == Element:
				if err := s.Write(s.Element(event.Element)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func stanza(i int) string {
	return "<message xmlns='jabber:client' to='juliet@localhost/balcony' type='chat' id='" + strings.Repeat("x", i) +
		"'><body>But, soft! what light through yonder window breaks?</body></message>"
}

func TestWebSocket(t *testing.T) {
	url := serveWeb(t, echo(t))
	s, err := DialWebSocket(t.Context(), url, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	long := "<message to='a@b'><body>" + strings.Repeat("long ", 5000) + "</body></message>"
	if err := s.Write([]byte(stanza(1)), []byte(long), []byte("<a xmlns='urn:xmpp:sm:3' h='1'/>"), s.End()); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s, Element).Element.String(); got != stanza(1) {
		t.Errorf("got %s", got)
	}
	if got := next(t, s, Element).Element; !got.Is(xmpp.NSClient, "message") || len(got.ChildText(xmpp.NSClient, "body")) != 25000 {
		t.Errorf("got %.100s", got)
	}
	if got := next(t, s, Element).Element; !got.Is("urn:xmpp:sm:3", "a") {
		t.Errorf("got %s", got)
	}
	next(t, s, Close)
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("got %v", err)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}

// Other people's clients agree to compression, and read what we compress, with and without a history.
func TestCompression(t *testing.T) {
	for _, mode := range []coder.CompressionMode{coder.CompressionDisabled, coder.CompressionContextTakeover, coder.CompressionNoContextTakeover} {
		url := serveWeb(t, echo(t))
		c, _, err := coder.Dial(t.Context(), url, &coder.DialOptions{Subprotocols: []string{"xmpp"}, CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			if err := c.Write(t.Context(), coder.MessageText, []byte(stanza(i))); err != nil {
				t.Fatal(err)
			}
			_, got, err := c.Read(t.Context())
			if err != nil || string(got) != stanza(i) {
				t.Fatalf("mode %d: got %s, %v", mode, got, err)
			}
		}
		if err := c.Close(coder.StatusNormalClosure, ""); err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

// collector takes what the other library reads.
type collector struct {
	gws.BuiltinEventHandler
	got chan string
}

func (c collector) OnMessage(_ *gws.Conn, message *gws.Message) { c.got <- message.Data.String() }

func TestSmallWindow(t *testing.T) {
	url := serveWeb(t, echo(t))
	into := collector{got: make(chan string, 1)}
	c, _, err := gws.NewClient(into, &gws.ClientOption{Addr: url, RequestHeader: http.Header{"Sec-WebSocket-Protocol": {"xmpp"}},
		PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true, Threshold: 1}})
	if err != nil {
		t.Fatal(err)
	}
	go c.ReadLoop()
	for i := range 100 {
		if err := c.WriteString(stanza(i)); err != nil {
			t.Fatal(err)
		}
		if got := <-into.got; got != stanza(i) {
			t.Fatalf("got %s", got)
		}
	}
	if err := c.WriteClose(1000, nil); err != nil {
		t.Error(err)
	}
}

func TestCompressedSize(t *testing.T) {
	c := &compression{agreed: true, on: true}
	first, later := c.deflate(nil, []byte(stanza(1))), []byte(nil)
	for i := range 50 {
		later = c.deflate(nil, []byte(stanza(i)))
	}
	if first == nil || len(first) > len(stanza(1))+16 || later == nil || len(later) > len(first)/2 {
		t.Errorf("%d bytes became %d at first and %d later", len(stanza(1)), len(first), len(later))
	}
	if len(c.history) > historySize {
		t.Errorf("history of %d bytes", len(c.history))
	}
}

// webPair is a server's stream and the raw other end.
func webPair(t *testing.T, compressed bool) (*Stream, net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	s := newStream(a, Config{MaxSize: 4096}, true)
	s.framing = &webFraming{state: ws.StateServerSide, compression: &compression{agreed: compressed}}
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return s, b
}

func TestFrames(t *testing.T) {
	masked := func(f ws.Frame) []byte {
		b, err := ws.CompileFrame(ws.MaskFrame(f))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	text := func(s string) []byte { return masked(ws.NewTextFrame([]byte(s))) }
	bomb := func() []byte {
		c := &compression{agreed: true, on: true}
		f := ws.NewTextFrame(c.deflate(nil, []byte("<a>"+strings.Repeat(" ", 100000)+"</a>")))
		f.Header.Rsv = ws.Rsv(true, false, false)
		return masked(f)
	}
	unfinished := ws.NewFrame(ws.OpText, false, []byte("<a x"))
	bit := ws.NewTextFrame([]byte("<a/>"))
	bit.Header.Rsv = ws.Rsv(true, false, false)
	for _, c := range []struct {
		name  string
		input []byte
		want  error
	}{
		{"fragments", bytes.Join([][]byte{masked(unfinished), masked(ws.NewFrame(ws.OpContinuation, true, []byte("='1'/>")))}, nil), nil},
		{"not masked", ws.MustCompileFrame(ws.NewTextFrame([]byte("<a/>"))), errFrame},
		{"binary", masked(ws.NewBinaryFrame([]byte("<a/>"))), errFrame},
		{"too large", text("<a>" + strings.Repeat("x", 5000)), xmpp.ErrTooLarge},
		{"too large in fragments", bytes.Join([][]byte{masked(ws.NewFrame(ws.OpText, false, bytes.Repeat([]byte("x"), 3000))),
			masked(ws.NewFrame(ws.OpContinuation, false, bytes.Repeat([]byte("x"), 3000)))}, nil), xmpp.ErrTooLarge},
		{"bomb", bomb(), xmpp.ErrTooLarge},
		{"bad compression", masked(bit), errFrame},
		{"two elements", text("<a/><b/>"), xmpp.ErrNotWellFormed},
		{"comment", text("<a><!-- --></a>"), xmpp.ErrRestricted},
		{"reserved", []byte{0x83, 0x80, 0, 0, 0, 0}, errFrame},
		{"continuation of nothing", masked(ws.NewFrame(ws.OpContinuation, true, []byte("<a/>"))), errFrame},
		{"text within fragments", bytes.Join([][]byte{masked(unfinished), text("<a/>")}, nil), errFrame},
		{"length beyond all", []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, errFrame},
		{"large length", []byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, xmpp.ErrTooLarge},
		{"cut", text("<a/>")[:3], io.ErrUnexpectedEOF},
		{"close", masked(ws.NewCloseFrame(nil)), io.EOF},
		{"white space", text(" "), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, raw := webPair(t, true)
			go func() {
				_, _ = raw.Write(c.input)
				_ = raw.Close()
			}()
			_, err := s.Next()
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestSizeOfMessages has the size of what arrives tell the work that it makes: whoever limits a peer goes by it.
func TestSizeOfMessages(t *testing.T) {
	frame := func(op ws.OpCode, fin bool, rsv byte, payload []byte) []byte {
		f := ws.NewFrame(op, fin, payload)
		f.Header.Rsv = rsv
		b, err := ws.CompileFrame(ws.MaskFrame(f))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	long := []byte("<a>" + strings.Repeat("x", 3000) + "</a>")
	small := (&compression{agreed: true, on: true}).deflate(nil, long)
	if small == nil || len(small) > 100 {
		t.Fatal("not compressed")
	}
	for name, input := range map[string][]byte{
		"fragments":  append(frame(ws.OpText, false, 0, long), frame(ws.OpContinuation, true, 0, nil)...),
		"compressed": frame(ws.OpText, true, ws.Rsv(true, false, false), small),
	} {
		s, raw := webPair(t, true)
		go func() { _, _ = raw.Write(input) }()
		event, err := s.Next()
		if err != nil || event.Kind != Element || event.Size < len(long) || event.Size > len(long)+20 {
			t.Errorf("%s: %d bytes for %d, %v", name, event.Size, len(long), err)
		}
	}
	s, raw := webPair(t, false)
	go func() {
		_, err := raw.Write(frame(ws.OpText, false, 0, []byte("<a>")))
		for empty := frame(ws.OpContinuation, false, 0, nil); err == nil; {
			_, err = raw.Write(empty)
		}
	}()
	if _, err := s.Next(); !errors.Is(err, xmpp.ErrTooLarge) {
		t.Errorf("fragments without end: %v", err)
	}
}

// FuzzFrames feeds the server's end with anything.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x81, 0x84, 0, 0, 0, 0, '<', 'a', '/', '>'}, true)
	f.Add([]byte{0xc1, 0x84, 1, 2, 3, 4, 5, 6, 7, 8}, true)
	f.Add([]byte{0x01, 0x82, 0, 0, 0, 0, '<', 'a', 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x82, 0, 0, 0, 0, '/', '>'}, false)
	f.Fuzz(func(t *testing.T, input []byte, compressed bool) {
		s := newStream(fuzzConn{in: bytes.NewReader(input)}, Config{MaxSize: 1 << 12}, true)
		s.framing = &webFraming{state: ws.StateServerSide, compression: &compression{agreed: compressed}}
		for range len(input) + 1 {
			event, err := s.Next()
			if err != nil {
				return
			}
			if event.Kind == Element && event.Element == nil || event.Kind == 0 {
				t.Fatalf("empty event %+v", event)
			}
		}
		t.Fatal("more events than bytes")
	})
}

// FuzzStream feeds a stream over TCP with anything, in pieces.
func FuzzStream(f *testing.F) {
	f.Add([]byte("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='s'> <a><![CDATA[x]]></a><b/></stream:stream>"), 3)
	f.Fuzz(func(t *testing.T, input []byte, piece int) {
		s := newStream(fuzzConn{in: bytes.NewReader(input), piece: piece%64 + 64}, Config{MaxSize: 1 << 12}, true)
		for range len(input) + 1 {
			if _, err := s.Next(); err != nil {
				return
			}
		}
		t.Fatal("more events than bytes")
	})
}

// fuzzConn reads what it was given, a piece at a time.
type fuzzConn struct {
	net.Conn
	in    *bytes.Reader
	piece int
}

func (c fuzzConn) Read(b []byte) (int, error) {
	if c.piece > 0 && len(b) > c.piece {
		b = b[:c.piece]
	}
	return c.in.Read(b)
}

func (c fuzzConn) Write(b []byte) (int, error) { return len(b), nil }

func (c fuzzConn) SetWriteDeadline(time.Time) error { return nil }
