package xmpp

import (
	"strconv"
	"strings"
)

// Append writes the element to dst as it stands within a parent whose default namespace is context: the bytes it came as where
// they mean the same there, otherwise anew.
func (e *Element) Append(dst []byte, context string) []byte {
	if e.raw != "" && (e.rawFree || e.Space == context) {
		return append(dst, e.raw...)
	}
	dst = append(dst, '<')
	dst = append(dst, e.Local...)
	if e.Space != context {
		dst = appendAttr(dst, "xmlns", e.Space)
	}
	dst = appendAttrs(dst, e.Attrs)
	if len(e.Nodes) == 0 {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	dst = appendNodes(dst, e.Nodes, e.Space)
	dst = append(dst, '<', '/')
	dst = append(dst, e.Local...)
	return append(dst, '>')
}

// String is the element on its own, with its namespace declared.
func (e *Element) String() string { return string(e.Append(nil, "")) }

func appendNodes(dst []byte, nodes []Node, context string) []byte {
	for i := range nodes {
		if child := nodes[i].Element; child != nil {
			dst = child.Append(dst, context)
		} else {
			dst = AppendEscaped(dst, nodes[i].Text)
		}
	}
	return dst
}

func appendAttrs(dst []byte, attrs []Attr) []byte {
	for i, attr := range attrs {
		switch attr.Space {
		case "":
			dst = appendAttr(dst, attr.Local, attr.Value)
		case NSXML:
			dst = appendAttr(dst, "xml:"+attr.Local, attr.Value)
		default: // a prefix of its own for each: rare
			prefix := "ns" + strconv.Itoa(i)
			dst = appendAttr(dst, "xmlns:"+prefix, attr.Space)
			dst = appendAttr(dst, prefix+":"+attr.Local, attr.Value)
		}
	}
	return dst
}

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, '=', '\'')
	dst = AppendEscapedAttr(dst, value)
	return append(dst, '\'')
}

// AppendEscaped writes text so that it means itself as the content of an element.
func AppendEscaped(dst []byte, text string) []byte { return appendEscaped(dst, text, "&<>\r") }

// appendEscaped escapes those characters of text that are in special. Attributes escape white space too, which a reader would
// otherwise fold (XML 1.0 §3.3.3).
func appendEscaped(dst []byte, text, special string) []byte {
	for {
		i := strings.IndexAny(text, special)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		dst = append(dst, escapes[text[i]]...)
		text = text[i+1:]
	}
}

var escapes = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\'': "&apos;", '\n': "&#10;", '\t': "&#9;", '\r': "&#13;"}

// AppendEscapedAttr writes text so that it means itself as the value of an attribute in single quotes.
func AppendEscapedAttr(dst []byte, text string) []byte {
	return appendEscaped(dst, text, "&<>'\n\t\r")
}
