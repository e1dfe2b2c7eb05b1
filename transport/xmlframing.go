package transport

import (
	"bytes"
	"strings"

	"palabre.dev/palabre/xmpp"
)

// xmlFraming is a stream as one long document (RFC 6120 §4).
type xmlFraming struct {
	framer xmpp.Framer
	scope  xmpp.Scope
	space  string // of the stanzas
}

func (x *xmlFraming) restart() { x.framer.Reset() }

func (x *xmlFraming) next(s *Stream) (Event, bool, error) {
	for s.in.len() > 0 {
		piece, n, err := x.framer.Next(s.in.bytes(), s.maxSize)
		if err != nil || piece == xmpp.More {
			return Event{}, false, err
		}
		event := Event{Size: n}
		switch piece {
		case xmpp.Blank:
			event.Kind = Blank
		case xmpp.Close:
			event.Kind = Close
			err = x.checkClose(s.in.bytes()[:n])
		case xmpp.Prolog:
			err = checkProlog(s.in.bytes()[:n])
		case xmpp.Open:
			event.Kind = Open
			event.Header, err = x.open(string(s.in.bytes()[:n]))
		case xmpp.Whole:
			event.Kind = Element
			event.Element, err = xmpp.Parse(string(s.in.bytes()[:n]), x.scope)
		}
		s.in.drop(n)
		if err != nil || piece != xmpp.Prolog {
			return event, true, err
		}
	}
	return Event{}, false, nil
}

func (x *xmlFraming) open(tag string) (*xmpp.Header, error) {
	h, err := xmpp.ParseOpen(tag)
	if err != nil {
		return nil, err
	}
	x.scope = h.Scope
	if x.space == xmpp.NSComponent && x.scope.Default == xmpp.NSComponent {
		x.scope.Default = xmpp.NSClient
	}
	return &h, nil
}

func (x *xmlFraming) checkClose(tag []byte) error {
	name := bytes.TrimRight(tag[2:len(tag)-1], " \t\r\n")
	if _, local, prefixed := bytes.Cut(name, []byte(":")); prefixed {
		name = local
	}
	if string(name) != "stream" {
		return xmpp.ErrNotWellFormed
	}
	return nil
}

// ErrEncoding means that the peer's XML declaration names an encoding other than UTF-8 (RFC 6120 §11.6).
var ErrEncoding error = encodingError{}

type encodingError struct{}

func (encodingError) Error() string { return "encoding is not utf-8" }

// checkProlog refuses a declaration of another encoding.
func checkProlog(declaration []byte) error {
	lower := strings.ToLower(string(declaration))
	_, after, found := strings.Cut(lower, "encoding")
	if !found {
		return nil
	}
	value := strings.TrimLeft(after, " \t\r\n=")
	if strings.HasPrefix(value, "'utf-8'") || strings.HasPrefix(value, `"utf-8"`) {
		return nil
	}
	return ErrEncoding
}

func (x *xmlFraming) header(h xmpp.Header) []byte {
	b := append(make([]byte, 0, 256), "<?xml version='1.0'?><stream:stream xmlns='"...)
	b = append(append(b, x.space...), "' xmlns:stream='"+xmpp.NSStream+"'"...)
	return append(appendHeader(b, h), '>')
}

// appendHeader writes the attributes that RFC 6120 §4.7 and RFC 7395 §3.4 share.
func appendHeader(b []byte, h xmpp.Header) []byte {
	for _, attr := range [...][2]string{{"from", h.From}, {"to", h.To}, {"id", h.ID}, {"xml:lang", h.Lang}, {"version", h.Version}} {
		if attr[1] == "" {
			continue
		}
		value := strings.ReplaceAll(string(xmpp.AppendEscaped(nil, attr[1])), "'", "&apos;")
		b = append(append(append(append(append(b, ' '), attr[0]...), "='"...), value...), '\'')
	}
	return b
}

func (x *xmlFraming) element(e *xmpp.Element) []byte {
	if e.Space == xmpp.NSStream {
		return appendPrefixed(nil, e, x.space, "")
	}
	return e.Append(nil, x.space)
}

// appendPrefixed writes an element of the stream's namespace with the prefix stream:, declared by declaration if that is not done
// outside. Its children stand in a scope whose default namespace is space.
func appendPrefixed(b []byte, e *xmpp.Element, space, declaration string) []byte {
	b = append(append(append(b, "<stream:"...), e.Local...), declaration...)
	if len(e.Nodes) == 0 {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	for child := range e.Children() {
		b = child.Append(b, space)
	}
	return append(append(append(b, "</stream:"...), e.Local...), '>')
}

func (x *xmlFraming) end() []byte { return []byte("</stream:stream>") }

func (x *xmlFraming) size(item []byte) int { return len(item) }

func (x *xmlFraming) frame(dst, item []byte) []byte { return append(dst, item...) }

func (x *xmlFraming) ping() []byte { return []byte(" ") }

func (x *xmlFraming) bye() []byte { return nil }
