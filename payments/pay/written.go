package pay

import (
	"strings"
	"unicode/utf8"

	"palabre.dev/palabre/xmpp"
)

// writable says whether a text can stand in XML (1.0 §2.2). One that cannot would end the stream of whoever is told it.
func writable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}

// written refuses a request with a text that cannot stand in XML. None comes by a stream, but a page asks in JSON.
func written(e *xmpp.Element) error {
	for _, a := range e.Attrs {
		if !writable(a.Value) {
			return badText("%s: it holds what XML cannot", a.Local)
		}
	}
	for _, n := range e.Nodes {
		if n.Element == nil && !writable(n.Text) {
			return badText("%s: it holds what XML cannot", e.Local)
		}
		if n.Element == nil {
			continue
		}
		if err := written(n.Element); err != nil {
			return err
		}
	}
	return nil
}
