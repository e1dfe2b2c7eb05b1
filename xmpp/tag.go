package xmpp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// startTag takes the tag at pos and opens its element.
func (p *parser) startTag() (e *Element, empty bool, err error) {
	f := frame{start: p.pos, nodes: len(p.nodes), prefixes: len(p.prefixes), space: p.scopeNS}
	if n := len(p.frames); n > 0 {
		f.space = p.frames[n-1].space
	}
	p.pos++
	if f.name, err = p.name(); err != nil {
		return nil, false, err
	}
	if empty, err = p.attributes(&f); err != nil {
		return nil, false, err
	}
	e = p.room()
	prefix, local, prefixed := strings.Cut(f.name, ":")
	if !prefixed {
		e.Space, e.Local = f.space, f.name
	} else if e.Space, err = p.resolve(prefix, local); err != nil {
		return nil, false, err
	} else {
		e.Local, f.prefixed = local, true
	}
	if e.Attrs, err = p.resolveAttrs(&f); err != nil {
		return nil, false, err
	}
	f.element = e
	p.frames = append(p.frames, f)
	return e, empty, nil
}

// attributes collects the attributes as written in p.attrs and takes namespace declarations into scope.
func (p *parser) attributes(f *frame) (empty bool, err error) {
	p.attrs = p.attrs[:0]
	for {
		spaced := p.space()
		if p.pos >= len(p.src) {
			return false, ErrNotWellFormed
		}
		switch p.src[p.pos] {
		case '>':
			p.pos++
			return false, nil
		case '/':
			if !strings.HasPrefix(p.src[p.pos:], "/>") {
				return false, ErrNotWellFormed
			}
			p.pos += 2
			return true, nil
		}
		if !spaced {
			return false, ErrNotWellFormed
		}
		if err := p.attribute(f); err != nil {
			return false, err
		}
	}
}

func (p *parser) attribute(f *frame) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	p.space()
	if p.pos >= len(p.src) || p.src[p.pos] != '=' {
		return ErrNotWellFormed
	}
	p.pos++
	p.space()
	value, err := p.value()
	if err != nil {
		return err
	}
	if name == "xmlns" {
		if f.declared {
			return ErrNotWellFormed
		}
		f.space, f.declared = value, true
		return nil
	}
	if prefix, ok := strings.CutPrefix(name, "xmlns:"); ok {
		return p.declare(f, prefix, value)
	}
	if len(p.attrs) >= MaxAttributes {
		return ErrTooLarge
	}
	for i := range p.attrs {
		if p.attrs[i].Local == name {
			return ErrNotWellFormed
		}
	}
	p.attrs = append(p.attrs, Attr{Local: name, Value: value})
	return nil
}

func (p *parser) declare(f *frame, prefix, space string) error {
	if prefix == "" || prefix == "xmlns" || space == "" || (prefix == "xml") != (space == NSXML) || strings.Contains(prefix, ":") {
		return ErrNamespace
	}
	if len(p.prefixes)-f.prefixes >= MaxAttributes {
		return ErrTooLarge
	}
	for _, other := range p.prefixes[f.prefixes:] {
		if other.Local == prefix {
			return ErrNotWellFormed
		}
	}
	p.prefixes = append(p.prefixes, Attr{Local: prefix, Value: space})
	return nil
}

// value takes a quoted attribute value.
func (p *parser) value() (string, error) {
	if p.pos >= len(p.src) || p.src[p.pos] != '\'' && p.src[p.pos] != '"' {
		return "", ErrNotWellFormed
	}
	start := p.pos + 1
	n := strings.IndexByte(p.src[start:], p.src[p.pos])
	if n < 0 || strings.IndexByte(p.src[start:start+n], '<') >= 0 {
		return "", ErrNotWellFormed
	}
	p.pos = start + n + 1
	raw := p.src[start : start+n]
	if strings.ContainsAny(raw, "\n\t\r") { // XML 1.0 §3.3.3
		raw = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ", "\r", " ").Replace(raw)
	}
	return unescape(raw)
}

func (p *parser) space() bool {
	start := p.pos
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	return p.pos > start
}

// name takes a qualified name.
func (p *parser) name() (string, error) {
	start, colons := p.pos, 0
	for p.pos < len(p.src) && isNameByte(p.src[p.pos]) {
		if p.src[p.pos] == ':' {
			colons++
		}
		p.pos++
	}
	name := p.src[start:p.pos]
	if name == "" || !isNameStart(name[0]) || colons > 1 || name[len(name)-1] == ':' {
		return "", ErrNotWellFormed
	}
	if colons == 1 && !isNameStart(name[strings.IndexByte(name, ':')+1]) {
		return "", ErrNotWellFormed
	}
	return name, nil
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func isNameByte(c byte) bool {
	return isNameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':'
}

func (p *parser) resolve(prefix, name string) (string, error) {
	if prefix == "xml" {
		return NSXML, nil
	}
	for i := len(p.prefixes) - 1; i >= 0; i-- {
		if p.prefixes[i].Local == prefix {
			return p.prefixes[i].Value, nil
		}
	}
	return "", fmt.Errorf("%w: %s:%s", ErrNamespace, prefix, name)
}

// resolveAttrs replaces prefixes by namespaces and copies the attributes out.
func (p *parser) resolveAttrs(f *frame) ([]Attr, error) {
	if len(p.attrs) == 0 {
		return nil, nil
	}
	out := append(make([]Attr, 0, len(p.attrs)), p.attrs...)
	for i := range out {
		prefix, local, prefixed := strings.Cut(out[i].Local, ":")
		if !prefixed {
			continue
		}
		space, err := p.resolve(prefix, local)
		if err != nil {
			return nil, err
		}
		if _, twice := lookupAttr(out[:i], space, local); twice {
			return nil, ErrNotWellFormed
		}
		out[i].Space, out[i].Local = space, local
		f.prefixed = f.prefixed || prefix != "xml"
	}
	return out, nil
}
