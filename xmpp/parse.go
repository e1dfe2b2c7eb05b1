package xmpp

import (
	"errors"
	"strings"
	"sync"
)

// Why a stream cannot go on. A door answers with the stream error of the same meaning (RFC 6120 §4.9.3).
var (
	ErrNotWellFormed = errors.New("not well-formed")
	ErrRestricted    = errors.New("restricted xml")
	ErrTooLarge      = errors.New("too large")
	ErrNamespace     = errors.New("undeclared namespace prefix")
)

// Limits of what Parse accepts, beyond the size of the whole.
const (
	MaxDepth      = 64    // elements within elements
	MaxAttributes = 64    // of one element
	MaxElements   = 20000 // in one stanza: an encrypted message has one for each device
)

// Scope is what the start tag of a stream declares for all that follows it: the default namespace and prefixes.
type Scope struct {
	Default  string
	prefixes []Attr // Local is the prefix, Value the namespace
}

// Header is the start tag of a stream (RFC 6120 §4.7) or an RFC 7395 <open/>.
type Header struct {
	Space, Local string
	From, To     string
	ID, Lang     string
	Version      string
	Scope        Scope
}

// ParseOpen reads the start tag of a stream.
func ParseOpen(tag string) (Header, error) {
	p := parsers.Get().(*parser)
	defer p.release()
	p.begin(tag, Scope{})
	if err := checkCharacters(tag); err != nil {
		return Header{}, err
	}
	e, empty, err := p.startTag()
	if err != nil {
		return Header{}, err
	}
	if empty || p.pos != len(tag) {
		return Header{}, ErrNotWellFormed
	}
	h := HeaderOf(e)
	h.Scope = Scope{Default: p.frames[0].space, prefixes: append([]Attr(nil), p.prefixes...)}
	return h, nil
}

// HeaderOf reads the attributes of a stream's start from an element, such as an <open/> of RFC 7395.
func HeaderOf(e *Element) Header {
	lang, _ := e.LookupAttr(NSXML, "lang")
	return Header{Space: e.Space, Local: e.Local, From: e.Attr("from"), To: e.Attr("to"), ID: e.Attr("id"), Lang: lang, Version: e.Attr("version")}
}

// Parse reads exactly one element that stands in scope. The element keeps parts of src. Errors are, or wrap, ErrNotWellFormed,
// ErrRestricted, ErrTooLarge (depth, attributes, elements) and ErrNamespace; no input makes it panic.
func Parse(src string, scope Scope) (*Element, error) {
	if err := checkCharacters(src); err != nil {
		return nil, err
	}
	p := parsers.Get().(*parser)
	defer p.release()
	p.begin(src, scope)
	return p.element()
}

// parser is the state of one Parse, used again and again.
type parser struct {
	src      string
	pos      int
	prefixes []Attr
	frames   []frame // the open elements
	nodes    []Node  // the children so far of all open elements
	attrs    []Attr
	elements []Element // room for elements, handed out one by one
	count    int
	scopeNS  string
}

type frame struct {
	element  *Element
	name     string // as written, with its prefix
	space    string // the default namespace within
	start    int    // where the element begins in src
	nodes    int    // where its children begin in parser.nodes
	prefixes int    // how many prefixes were declared outside
	prefixed bool   // a prefix is used in it: its bytes do not stand alone
	declared bool   // it declares its own default namespace
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

func (p *parser) begin(src string, scope Scope) {
	p.src, p.pos, p.count = src, 0, 0
	p.prefixes = append(p.prefixes[:0], scope.prefixes...)
	p.scopeNS = scope.Default
	p.elements = nil
}

func (p *parser) release() {
	clear(p.nodes[:cap(p.nodes)])
	clear(p.frames[:cap(p.frames)])
	clear(p.attrs[:cap(p.attrs)])
	clear(p.prefixes[:cap(p.prefixes)])
	p.nodes, p.frames, p.attrs, p.prefixes = p.nodes[:0], p.frames[:0], p.attrs[:0], p.prefixes[:0]
	p.src, p.elements, p.scopeNS = "", nil, ""
	if cap(p.nodes) <= 4096 {
		parsers.Put(p)
	}
}

func (p *parser) element() (*Element, error) {
	for {
		if err := p.text(); err != nil {
			return nil, err
		}
		if p.pos+1 >= len(p.src) {
			return nil, ErrNotWellFormed
		}
		var err error
		switch p.src[p.pos+1] {
		case '/':
			var done *Element
			if done, err = p.endTag(); done != nil {
				return p.last(done)
			}
		case '!':
			err = p.cdata()
		case '?':
			err = ErrRestricted
		default:
			var done *Element
			if done, err = p.open(); done != nil {
				return p.last(done)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// last refuses anything that follows the element.
func (p *parser) last(e *Element) (*Element, error) {
	if p.pos != len(p.src) {
		return nil, ErrNotWellFormed
	}
	return e, nil
}

// text takes the character data up to the next tag.
func (p *parser) text() error {
	i := strings.IndexByte(p.src[p.pos:], '<')
	if i < 0 || len(p.frames) == 0 && i > 0 {
		return ErrNotWellFormed
	}
	if i == 0 {
		return nil
	}
	raw := p.src[p.pos : p.pos+i]
	if strings.Contains(raw, "]]>") {
		return ErrNotWellFormed
	}
	text, err := unescape(raw)
	if err != nil {
		return err
	}
	p.nodes = append(p.nodes, Node{Text: text})
	p.pos += i
	return nil
}

func (p *parser) cdata() error {
	const open = "<![CDATA["
	if len(p.frames) == 0 || !strings.HasPrefix(p.src[p.pos:], open) {
		return ErrRestricted
	}
	start := p.pos + len(open)
	n := strings.Index(p.src[start:], "]]>")
	if n < 0 {
		return ErrNotWellFormed
	}
	p.nodes = append(p.nodes, Node{Text: newlines(p.src[start : start+n])})
	p.pos = start + n + 3
	return nil
}

// open takes a start tag; it returns the element when it is the outermost one and closes itself.
func (p *parser) open() (*Element, error) {
	if p.count++; p.count > MaxElements || len(p.frames) >= MaxDepth {
		return nil, ErrTooLarge
	}
	e, empty, err := p.startTag()
	if err != nil || !empty {
		return nil, err
	}
	return p.close(e), nil
}

// close ends the innermost element and hands it to its parent; the outermost is returned.
func (p *parser) close(e *Element) *Element {
	top := len(p.frames) - 1
	f := p.frames[top]
	p.frames = p.frames[:top]
	if children := p.nodes[f.nodes:]; len(children) > 0 {
		e.Nodes = append(make([]Node, 0, len(children)), children...)
	}
	p.nodes = p.nodes[:f.nodes]
	p.prefixes = p.prefixes[:f.prefixes]
	if !f.prefixed {
		e.raw, e.rawFree = p.src[f.start:p.pos], f.declared
	}
	if top == 0 {
		return e
	}
	p.frames[top-1].prefixed = p.frames[top-1].prefixed || f.prefixed
	p.nodes = append(p.nodes, Node{Element: e})
	return nil
}

func (p *parser) endTag() (*Element, error) {
	if len(p.frames) == 0 {
		return nil, ErrNotWellFormed
	}
	f := &p.frames[len(p.frames)-1]
	rest := p.src[p.pos+2:]
	if !strings.HasPrefix(rest, f.name) {
		return nil, ErrNotWellFormed
	}
	n := len(f.name)
	for n < len(rest) && isSpace(rest[n]) {
		n++
	}
	if n >= len(rest) || rest[n] != '>' {
		return nil, ErrNotWellFormed
	}
	p.pos += 2 + n + 1
	return p.close(f.element), nil
}

// room hands out the memory for one element; those of a stanza share few allocations.
func (p *parser) room() *Element {
	if len(p.elements) == 0 {
		p.elements = make([]Element, min(4<<min(p.count/4, 4), 64))
	}
	e := &p.elements[0]
	p.elements = p.elements[1:]
	return e
}
