package xmpp

import "iter"

// Attr is one attribute. Space is empty for an attribute without a prefix; xml:lang has Space NSXML.
type Attr struct {
	Space, Local, Value string
}

// Node is a child: an element, or, when Element is nil, text.
type Node struct {
	Element *Element
	Text    string
}

// Element is one XML element. An element that was parsed keeps the bytes it came as, and Append writes those again. It is shared
// between readers and must not be changed in depth: to change a descendant of a parsed element, change a Clone.
type Element struct {
	Space, Local string
	Attrs        []Attr
	Nodes        []Node

	raw     string // the bytes as received; empty once built or changed
	rawFree bool   // raw declares its own default namespace: it may stand anywhere
}

// NewElement makes an element with these children.
func NewElement(space, local string, children ...*Element) *Element {
	e := &Element{Space: space, Local: local}
	return e.Add(children...)
}

// NewText makes an element that holds text.
func NewText(space, local, text string) *Element {
	return &Element{Space: space, Local: local, Nodes: []Node{{Text: text}}}
}

// Is reports whether the element has this name.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.Local == local && e.Space == space
}

// Attr is the value of an attribute without a prefix, "" if it is absent (or e is nil).
func (e *Element) Attr(local string) string {
	value, _ := e.LookupAttr("", local)
	return value
}

// LookupAttr is the value of an attribute, and whether it is there.
func (e *Element) LookupAttr(space, local string) (string, bool) {
	if e == nil {
		return "", false
	}
	return lookupAttr(e.Attrs, space, local)
}

func lookupAttr(attrs []Attr, space, local string) (string, bool) {
	for i := range attrs {
		if attrs[i].Local == local && attrs[i].Space == space {
			return attrs[i].Value, true
		}
	}
	return "", false
}

// Set writes an attribute without a prefix and returns the element.
func (e *Element) Set(local, value string) *Element { return e.SetAttr("", local, value) }

// SetAttr writes an attribute and returns the element.
func (e *Element) SetAttr(space, local, value string) *Element {
	e.raw = ""
	for i := range e.Attrs {
		if e.Attrs[i].Local == local && e.Attrs[i].Space == space {
			e.Attrs[i].Value = value
			return e
		}
	}
	e.Attrs = append(e.Attrs, Attr{Space: space, Local: local, Value: value})
	return e
}

// Add appends child elements, leaving out nil ones, and returns the element.
func (e *Element) Add(children ...*Element) *Element {
	e.raw = ""
	for _, child := range children {
		if child != nil {
			e.Nodes = append(e.Nodes, Node{Element: child})
		}
	}
	return e
}

// AddText appends text and returns the element.
func (e *Element) AddText(text string) *Element {
	e.raw = ""
	e.Nodes = append(e.Nodes, Node{Text: text})
	return e
}

// Child is the first child element with this name, or nil (also for a nil e, so that look-ups chain).
func (e *Element) Child(space, local string) *Element {
	if e == nil {
		return nil
	}
	return childOf(e.Nodes, space, local)
}

func childOf(nodes []Node, space, local string) *Element {
	for i := range nodes {
		if nodes[i].Element.Is(space, local) {
			return nodes[i].Element
		}
	}
	return nil
}

// First is the first child element, or nil.
func (e *Element) First() *Element {
	for child := range e.Children() {
		return child
	}
	return nil
}

// Children are the child elements in order.
func (e *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for i := range e.Nodes {
			if child := e.Nodes[i].Element; child != nil && !yield(child) {
				return
			}
		}
	}
}

// Text is the element's own text, without that of descendants.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	text := ""
	for i := range e.Nodes {
		text += e.Nodes[i].Text
	}
	return text
}

// ChildText is the text of the first child with this name, "" if there is none.
func (e *Element) ChildText(space, local string) string { return e.Child(space, local).Text() }

// Clone is a deep copy that may be changed in depth.
func (e *Element) Clone() *Element {
	clone := &Element{Space: e.Space, Local: e.Local, Attrs: append([]Attr(nil), e.Attrs...), Nodes: make([]Node, len(e.Nodes))}
	for i, node := range e.Nodes {
		if node.Element != nil {
			node.Element = node.Element.Clone()
		}
		clone.Nodes[i] = node
	}
	return clone
}
