// Package transport turns bytes into elements and back, for whoever holds one end of an XMPP stream: the client door of the server
// and the Go client. It speaks TCP (RFC 6120 §4) with STARTTLS or TLS from the first byte (XEP-0368), and WebSocket (RFC 7395). It is
// frugal: a stream that waits holds a buffer of one kibibyte and no goroutine of its own.
//
// It decides nothing: who may log in, what a stanza means and which stream error is sent is for its callers. Left out are XEP-0124
// (BOSH), which WebSocket replaces, XEP-0138 (compression below TLS, which leaks), and the dialling of addresses found in DNS.
package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Kind says what an Event is.
type Kind uint8

// What can arrive on a stream.
const (
	Open    Kind = iota + 1 // the stream's header, or the <open/> of RFC 7395
	Element                 // one whole element: a stanza or anything else
	Close                   // the peer has ended its stream in order
	Blank                   // white space between elements: a sign of life (RFC 6120 §4.6.1)
)

// Event is what Next found.
type Event struct {
	Kind    Kind
	Header  *xmpp.Header  // of Open
	Element *xmpp.Element // of Element
	Size    int           // in bytes, as it came over the wire after decryption, or after decompression if that is more
}

// Config is what both ends can set.
type Config struct {
	// Space is the namespace of the stanzas; "" means jabber:client. Over TCP, those of a stream of components (jabber:component:accept) are
	// read as stanzas of jabber:client, of which they are another spelling (XEP-0114 §3), and written as such.
	Space string
	// MaxSize is the size in bytes of the largest element that is read; 0 means 64 KiB. SetMaxSize changes it later.
	MaxSize int
	// WriteTimeout is how long a Write may wait for the peer to take the bytes, give or take a quarter; 0 means 30 seconds.
	WriteTimeout time.Duration
}

// ErrInjected means that bytes followed the request for STARTTLS or its answer in plain text: somebody may have put them there.
var ErrInjected = errors.New("unencrypted bytes after the start of TLS")

// Stream is one end of a stream. Next and Secure are for one goroutine; Write, Close and Abort may be called from any.
type Stream struct {
	conn         net.Conn // what is read and written: the raw connection, or TLS over it
	raw          net.Conn
	in           input
	framing      framing
	server       bool
	maxSize      int
	writeTimeout time.Duration
	bindings     sasl.Bindings
	encrypted    bool
	writeUntil   atomic.Int64 // when the write deadline is to be moved, in nanoseconds since 1970
	writing      sync.Mutex   // held during a write, so that what refers back goes out in order
	received     atomic.Int64
	sent         atomic.Int64
}

// framing is how elements lie in bytes: RFC 6120 or RFC 7395.
type framing interface {
	// next takes one event out of s.in, and returns false if more bytes are needed.
	next(s *Stream) (Event, bool, error)
	restart()
	header(h xmpp.Header) []byte
	element(e *xmpp.Element) []byte
	end() []byte
	// size is a bound of the bytes that frame appends for item.
	size(item []byte) int
	frame(dst, item []byte) []byte
	// ping makes the peer, or at least its network, show that it is there.
	ping() []byte
	// bye is sent before the connection is closed; nil for nothing.
	bye() []byte
}

// NewServer is the server's end of a stream over a connection.
func NewServer(conn net.Conn, cfg Config) *Stream { return newStream(conn, cfg, true) }

// NewClient is the client's end of a stream over a connection.
func NewClient(conn net.Conn, cfg Config) *Stream { return newStream(conn, cfg, false) }

func newStream(conn net.Conn, cfg Config, server bool) *Stream {
	s := &Stream{conn: conn, raw: conn, server: server, maxSize: cfg.MaxSize, writeTimeout: cfg.WriteTimeout}
	if s.maxSize <= 0 {
		s.maxSize = 64 << 10
	}
	if s.writeTimeout <= 0 {
		s.writeTimeout = 30 * time.Second
	}
	space := cfg.Space
	if space == "" {
		space = xmpp.NSClient
	}
	s.framing = &xmlFraming{space: space}
	return s
}

// SetMaxSize changes the size in bytes of the largest element that is read.
func (s *Stream) SetMaxSize(n int) { s.maxSize = n }

// SetReadDeadline bounds how long Next waits; the zero time means for ever. After a timeout Next may be called again.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// Next waits for what arrives. Its errors are: io.EOF when the connection ended between elements, io.ErrUnexpectedEOF when it ended
// within one, a net.Error with Timeout when the read deadline passed, those of the xmpp package for what is not well-formed or too
// large, and errors of the connection. Only a timeout can be got over.
func (s *Stream) Next() (Event, error) {
	for {
		event, whole, err := s.framing.next(s)
		if whole || err != nil {
			return event, err
		}
		n, err := s.in.fill(s.conn)
		s.received.Add(int64(n))
		if n > 0 {
			continue
		}
		if err == io.EOF && s.in.len() > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return Event{}, err
		}
	}
}

// Restart makes the stream expect a new header, as after SASL (RFC 6120 §6.4.6).
func (s *Stream) Restart() { s.framing.restart() }

// Header is the stream's own header (RFC 6120 §4.7, RFC 7395 §3.4) as an item for Write. Of h it uses From, To, ID, Lang and Version.
func (s *Stream) Header(h xmpp.Header) []byte { return s.framing.header(h) }

// Element is an element as an item for Write. Elements of the stream's own namespace (features, error) get the prefix stream:, which
// many clients expect.
func (s *Stream) Element(e *xmpp.Element) []byte { return s.framing.element(e) }

// End is the end of the stream as an item for Write (RFC 6120 §4.4, RFC 7395 §3.6).
func (s *Stream) End() []byte { return s.framing.end() }

const maxPooled = 64 << 10

// Write sends items in one go: each a stanza as xmpp.Stanza.Append writes it, an element that declares its namespace, or what Header,
// Element and End made. The items are not changed. They must be whole; over TCP, one may also come in pieces, one after the other. After an error the stream is of no more use.
func (s *Stream) Write(items ...[]byte) error {
	size := 0
	for _, item := range items {
		size += s.framing.size(item)
	}
	out := takeOut(size)
	s.writing.Lock()
	for _, item := range items {
		*out = s.framing.frame(*out, item)
	}
	err := s.writeBytes(*out)
	s.writing.Unlock()
	giveOut(out)
	return err
}

func (s *Stream) writeBytes(b []byte) error {
	if now := time.Now(); now.UnixNano() > s.writeUntil.Load() { // not for each write: moving a timer costs
		until := now.Add(s.writeTimeout)
		s.writeUntil.Store(now.Add(s.writeTimeout / 4).UnixNano())
		if err := s.conn.SetWriteDeadline(until); err != nil {
			return fmt.Errorf("write to stream: %w", err)
		}
	}
	n, err := s.conn.Write(b)
	s.sent.Add(int64(n))
	if err != nil {
		return fmt.Errorf("write to stream: %w", err)
	}
	return nil
}

// Secure does the TLS handshake, after <proceed/> or as the first thing on a connection (XEP-0368), and waits at most for timeout; deadlines
// that were set are gone after it. A server gives what ServerTLS returned. It returns ErrInjected if the peer has sent anything that was not encrypted.
func (s *Stream) Secure(cfg *tls.Config, timeout time.Duration) error {
	if s.in.len() > 0 {
		return ErrInjected
	}
	secured, err := handshake(s.raw, cfg, s.server, timeout)
	if err != nil {
		return fmt.Errorf("tls handshake: %w", err)
	}
	s.conn, s.encrypted, s.bindings = secured.conn, true, secured.bindings
	s.writeUntil.Store(0)
	s.framing.restart()
	return nil
}

// Encrypted reports whether the stream is under TLS.
func (s *Stream) Encrypted() bool { return s.encrypted }

// Bindings are the channel bindings of the TLS connection, zero without TLS.
func (s *Stream) Bindings() sasl.Bindings { return s.bindings }

// RemoteAddr is the address of the peer's end of the connection.
func (s *Stream) RemoteAddr() net.Addr { return s.raw.RemoteAddr() }

// Bytes is how many bytes were received and sent, not counting TLS and lower layers.
func (s *Stream) Bytes() (received, sent int64) { return s.received.Load(), s.sent.Load() }

// Ping sends what the peer's transport answers by itself (WebSocket, where the answer shows as Blank), or white space.
func (s *Stream) Ping() error { return s.writeBytes(s.framing.ping()) }

// Limits of how long and for how many bytes Close waits for the peer.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// Close closes the connection after the peer has had the chance to read what was written: it waits for the peer's end for a second at
// most. Nobody may be in Next.
func (s *Stream) Close() error {
	defer s.in.release()
	if bye := s.framing.bye(); bye != nil {
		if err := s.writeBytes(bye); err != nil {
			return s.raw.Close()
		}
	}
	if err := s.closeWrite(); err != nil {
		return s.raw.Close()
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(lingerTime)); err == nil {
		var scratch [512]byte
		for left := lingerBytes; left > 0; {
			n, err := s.conn.Read(scratch[:])
			if err != nil {
				break
			}
			left -= n
		}
	}
	return s.raw.Close()
}

func (s *Stream) closeWrite() error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(lingerTime)); err != nil {
		return err
	}
	if t, ok := s.conn.(*tls.Conn); ok {
		if err := t.CloseWrite(); err != nil {
			return err
		}
	}
	half, ok := s.raw.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("cannot close one half")
	}
	return half.CloseWrite()
}

// Abort closes the connection at once. A Next or Write that waits ends with an error.
func (s *Stream) Abort() error { return s.raw.Close() }
