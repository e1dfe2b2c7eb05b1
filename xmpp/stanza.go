package xmpp

import (
	"errors"
	"fmt"
)

// Kind tells the three stanzas apart (RFC 6120 §8).
type Kind uint8

// The stanzas.
const (
	Message Kind = iota + 1
	Presence
	IQ
)

var kindNames = [...]string{Message: "message", Presence: "presence", IQ: "iq"}

// String is the name of the element.
func (k Kind) String() string { return kindNames[k] }

// Stanza is what travels. One that was parsed keeps the bytes of its children, and they are written again as they came. A stanza that
// has been handed on is shared: change a Copy.
type Stanza struct {
	Kind     Kind
	Type     string // "" as written; see MessageType for the default of messages
	ID       string
	Lang     string
	From, To JID
	Nodes    []Node // the children
	Extra    []Attr // attributes beyond the five
}

// ErrNotStanza is returned by NewStanza for any other element.
var ErrNotStanza = errors.New("not a stanza")

// NewStanza reads a message, presence or iq of namespace space (jabber:client, jabber:server …). It returns ErrNotStanza for
// another element, and an error that wraps ErrJID when from or to is malformed; the stanza is then returned too, so that it can be answered.
func NewStanza(e *Element, space string) (*Stanza, error) {
	s := &Stanza{Nodes: e.Nodes}
	switch {
	case e.Space != space:
		return nil, ErrNotStanza
	case e.Local == "message":
		s.Kind = Message
	case e.Local == "presence":
		s.Kind = Presence
	case e.Local == "iq":
		s.Kind = IQ
	default:
		return nil, ErrNotStanza
	}
	return s, s.readAttrs(e.Attrs)
}

func (s *Stanza) readAttrs(attrs []Attr) (err error) {
	for _, attr := range attrs {
		switch {
		case attr.Space == NSXML && attr.Local == "lang":
			s.Lang = attr.Value
		case attr.Space != "":
			s.Extra = append(s.Extra, attr)
		case attr.Local == "type":
			s.Type = attr.Value
		case attr.Local == "id":
			s.ID = attr.Value
		case attr.Local == "from":
			s.From, err = readAddress("from", attr.Value, err)
		case attr.Local == "to":
			s.To, err = readAddress("to", attr.Value, err)
		default:
			s.Extra = append(s.Extra, attr)
		}
	}
	return err
}

func readAddress(name, value string, earlier error) (JID, error) {
	jid, err := ParseJID(value)
	if err != nil {
		return JID{}, errors.Join(earlier, fmt.Errorf("%s: %w", name, err))
	}
	return jid, earlier
}

// MessageType is the type of a message: "normal" when it is absent or unknown (RFC 6121 §5.2.2).
func (s *Stanza) MessageType() string {
	switch s.Type {
	case "chat", "groupchat", "headline", "error":
		return s.Type
	}
	return "normal"
}

// IsError reports whether the stanza is an error answer.
func (s *Stanza) IsError() bool { return s.Type == "error" }

// IsRequest reports whether the stanza is an iq that wants an answer.
func (s *Stanza) IsRequest() bool { return s.Kind == IQ && (s.Type == "get" || s.Type == "set") }

// Child is the first child element with this name, or nil.
func (s *Stanza) Child(space, local string) *Element { return childOf(s.Nodes, space, local) }

// First is the first child element, or nil: the payload of an iq.
func (s *Stanza) First() *Element {
	for i := range s.Nodes {
		if s.Nodes[i].Element != nil {
			return s.Nodes[i].Element
		}
	}
	return nil
}

// Body is the text of a message's first body, "" if it has none.
func (s *Stanza) Body() string { return s.Child(NSClient, "body").Text() }

// Add appends child elements, leaving out nil ones, and returns the stanza. The nodes of a parsed stanza are copied first.
func (s *Stanza) Add(children ...*Element) *Stanza {
	s.Nodes = s.Nodes[:len(s.Nodes):len(s.Nodes)]
	for _, child := range children {
		if child != nil {
			s.Nodes = append(s.Nodes, Node{Element: child})
		}
	}
	return s
}

// Remove takes away the children for which drop is true and reports whether there were any. It leaves shared nodes as they are.
func (s *Stanza) Remove(drop func(*Element) bool) bool {
	var kept []Node
	removed := false
	for i, node := range s.Nodes {
		if node.Element != nil && drop(node.Element) {
			if !removed {
				kept = append(make([]Node, 0, len(s.Nodes)), s.Nodes[:i]...)
			}
			removed = true
		} else if removed {
			kept = append(kept, node)
		}
	}
	if removed {
		s.Nodes = kept
	}
	return removed
}

// Copy is a stanza of its own that shares the children.
func (s *Stanza) Copy() *Stanza {
	c := *s
	c.Nodes = s.Nodes[:len(s.Nodes):len(s.Nodes)]
	c.Extra = s.Extra[:len(s.Extra):len(s.Extra)]
	return &c
}

// Reply is the empty result of an iq, addressed back.
func (s *Stanza) Reply(children ...*Element) *Stanza {
	r := &Stanza{Kind: s.Kind, Type: "result", ID: s.ID, From: s.To, To: s.From}
	return r.Add(children...)
}

// ErrorReply is the stanza sent back as an error (RFC 6120 §8.3.1), without the offending payload.
func (s *Stanza) ErrorReply(err *Error) *Stanza {
	r := &Stanza{Kind: s.Kind, Type: "error", ID: s.ID, From: s.To, To: s.From}
	return r.Add(err.Element())
}

// Append writes the stanza to dst as it stands in a stream whose default namespace is jabber:client.
func (s *Stanza) Append(dst []byte) []byte { return s.appendIn(dst, NSClient, NSClient) }

// AppendAlone writes the stanza with its namespace jabber:client declared, so that it may stand anywhere: in a WebSocket frame
// (RFC 7395 §3.3.3), a carbon or an archive result.
func (s *Stanza) AppendAlone(dst []byte) []byte { return s.appendIn(dst, NSClient, "") }

func (s *Stanza) appendIn(dst []byte, space, context string) []byte {
	name := s.Kind.String()
	dst = append(dst, '<')
	dst = append(dst, name...)
	if space != context {
		dst = appendAttr(dst, "xmlns", space)
	}
	dst = appendPresent(dst, "type", s.Type)
	dst = appendPresent(dst, "from", s.From.text)
	dst = appendPresent(dst, "to", s.To.text)
	dst = appendPresent(dst, "id", s.ID)
	dst = appendPresent(dst, "xml:lang", s.Lang)
	dst = appendAttrs(dst, s.Extra)
	if len(s.Nodes) == 0 {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	dst = appendNodes(dst, s.Nodes, space)
	dst = append(dst, '<', '/')
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendPresent(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendAttr(dst, name, value)
}

// Element is the stanza as an element of jabber:client, to put within another.
func (s *Stanza) Element() *Element {
	e := &Element{Space: NSClient, Local: s.Kind.String(), Nodes: s.Nodes[:len(s.Nodes):len(s.Nodes)]}
	for _, attr := range [...]Attr{{"", "type", s.Type}, {"", "from", s.From.text}, {"", "to", s.To.text}, {"", "id", s.ID}, {NSXML, "lang", s.Lang}} {
		if attr.Value != "" {
			e.Attrs = append(e.Attrs, attr)
		}
	}
	e.Attrs = append(e.Attrs, s.Extra...)
	return e
}

// String is the stanza on its own.
func (s *Stanza) String() string { return string(s.AppendAlone(nil)) }
