package transport

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"palabre.dev/palabre/xmpp"
)

// webFraming is a stream as one message for each element (RFC 7395 §3.3).
type webFraming struct {
	state       ws.State
	compression *compression
	rsv         wsflate.MessageState
	message     []byte // the fragments so far
	taken       int    // bytes of the frames since the last event
}

func (f *webFraming) restart() {}

// next takes frames until one of them ends a message, or means something by itself.
func (f *webFraming) next(s *Stream) (Event, bool, error) {
	for {
		head, size, ok, err := readFrameHeader(s.in.bytes())
		if err != nil || !ok {
			return Event{}, false, err
		}
		if err := f.check(&head, s.maxSize); err != nil {
			return Event{}, false, err
		}
		total := size + int(head.Length)
		if s.in.len() < total {
			return Event{}, false, nil
		}
		payload := s.in.bytes()[size:total]
		if head.Masked {
			ws.Cipher(payload, head.Mask, 0)
		}
		s.in.drop(total) // the bytes stay where they are until the next fill
		f.taken += total
		event, done, err := f.take(s, head, payload)
		if done || err != nil {
			event.Size = max(event.Size, f.taken)
			f.taken = 0
			return event, true, err
		}
	}
}

// errFrame wraps what RFC 6455 does not allow.
var errFrame = errors.New("websocket frame")

func (f *webFraming) check(head *ws.Header, maxSize int) error {
	if head.Length > int64(maxSize-len(f.message)) || f.taken > 2*maxSize { // fragments may be empty, but not for ever
		return xmpp.ErrTooLarge
	}
	state := f.state
	if f.compression.agreed {
		state = state.Set(ws.StateExtended)
	}
	if err := ws.CheckHeader(*head, state); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	return nil
}

// take handles one whole frame.
func (f *webFraming) take(s *Stream, head ws.Header, payload []byte) (Event, bool, error) {
	if f.compression.agreed {
		var err error
		if head, err = f.rsv.UnsetBits(head); err != nil {
			return Event{}, false, fmt.Errorf("%w: %w", errFrame, err)
		}
	}
	if head.Rsv != 0 {
		return Event{}, false, fmt.Errorf("%w: unknown extension", errFrame)
	}
	switch head.OpCode {
	case ws.OpPing:
		return Event{Kind: Blank}, true, s.writeBytes(f.appendFrame(nil, ws.OpPong, 0, payload, nil))
	case ws.OpPong:
		return Event{Kind: Blank}, true, nil
	case ws.OpClose:
		return Event{}, true, io.EOF
	case ws.OpBinary:
		return Event{}, true, fmt.Errorf("%w: not text", errFrame)
	}
	if !head.Fin {
		f.message = append(f.message, payload...)
		f.state = f.state.Set(ws.StateFragmented)
		return Event{}, false, nil
	}
	if f.state.Fragmented() {
		payload = append(f.message, payload...)
		f.message = nil
		f.state = f.state.Clear(ws.StateFragmented)
	}
	event, err := f.event(payload, s.maxSize)
	return event, true, err
}

// event reads a whole message.
func (f *webFraming) event(payload []byte, maxSize int) (Event, error) {
	if f.rsv.IsCompressed() {
		var err error
		if payload, err = inflate(payload, maxSize); err != nil {
			return Event{}, err
		}
	}
	text := bytes.TrimSpace(payload)
	if len(text) == 0 {
		return Event{Kind: Blank, Size: len(payload)}, nil
	}
	e, err := xmpp.Parse(string(text), xmpp.Scope{})
	if err != nil {
		return Event{}, err
	}
	if e.Space != xmpp.NSFraming {
		return Event{Kind: Element, Element: e, Size: len(payload)}, nil
	}
	if e.Local == "close" {
		return Event{Kind: Close}, nil
	}
	header := xmpp.HeaderOf(e)
	return Event{Kind: Open, Header: &header}, nil
}

// readFrameHeader reads the head of a frame; ok is false if it is not whole.
func readFrameHeader(b []byte) (head ws.Header, size int, ok bool, err error) {
	r := bytes.NewReader(b)
	head, err = ws.ReadHeader(r)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return head, 0, false, nil
	}
	if err != nil {
		return head, 0, false, fmt.Errorf("%w: %w", errFrame, err)
	}
	return head, len(b) - r.Len(), true, nil
}

func (f *webFraming) header(h xmpp.Header) []byte {
	return append(appendHeader(append(make([]byte, 0, 256), "<open xmlns='"+xmpp.NSFraming+"'"...), h), '/', '>')
}

func (f *webFraming) element(e *xmpp.Element) []byte {
	if e.Space == xmpp.NSStream {
		return appendPrefixed(nil, e, "", " xmlns:stream='"+xmpp.NSStream+"'")
	}
	return e.Append(nil, "")
}

func (f *webFraming) end() []byte { return []byte("<close xmlns='" + xmpp.NSFraming + "'/>") }

const declaration = " xmlns='" + xmpp.NSClient + "'"

func (f *webFraming) size(item []byte) int { return len(item) + len(declaration) + ws.MaxHeaderSize }

// frame appends one message. A stanza stands alone there and declares its namespace (RFC 7395 §3.3.3).
func (f *webFraming) frame(dst, item []byte) []byte {
	if len(bytes.TrimSpace(item)) == 0 {
		return dst
	}
	at := stanzaName(item)
	name, rest := item[:at], item[at:]
	if at > 0 {
		name = append(name[:at:at], declaration...)
	}
	if small := f.compression.deflate(name, rest); small != nil {
		return f.appendFrame(dst, ws.OpText, ws.Rsv(true, false, false), small, nil)
	}
	return f.appendFrame(dst, ws.OpText, 0, name, rest)
}

// stanzaName is where the name of a stanza without a namespace of its own ends, 0 for anything else.
func stanzaName(item []byte) int {
	for _, name := range [...]string{"<message", "<presence", "<iq"} {
		n := len(name)
		if len(item) > n && string(item[:n]) == name && strings.IndexByte(" />", item[n]) >= 0 {
			if bytes.HasPrefix(item[n:], []byte(" xmlns=")) {
				return 0
			}
			return n
		}
	}
	return 0
}

// appendFrame appends a frame whose payload is a and b.
func (f *webFraming) appendFrame(dst []byte, op ws.OpCode, rsv byte, a, b []byte) []byte {
	n, masked := len(a)+len(b), byte(0)
	if f.state.ClientSide() {
		masked = 0x80
	}
	dst = append(dst, 0x80|rsv<<4|byte(op))
	switch {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	if masked == 0 {
		return append(append(dst, a...), b...)
	}
	var mask [4]byte
	rand.Read(mask[:])
	dst = append(dst, mask[:]...)
	start := len(dst)
	dst = append(append(dst, a...), b...)
	ws.Cipher(dst[start:], mask, 0)
	return dst
}

func (f *webFraming) ping() []byte { return f.appendFrame(nil, ws.OpPing, 0, nil, nil) }

func (f *webFraming) bye() []byte {
	return f.appendFrame(nil, ws.OpClose, 0, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""), nil)
}
