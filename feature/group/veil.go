package group

import (
	"palabre.dev/palabre/xmpp"
)

// veiled is an entry of kind change as those see it to whom a group does not show addresses (XEP-0045 §4.2): with occupant ids in their place.
func (r *room) veiled(text string) (string, error) {
	st, err := parseStanza(text)
	if err != nil {
		return "", err
	}
	for i := range st.Nodes {
		if e := st.Nodes[i].Element; e != nil && e.Is(NS, "change") {
			st.Nodes[i].Element = r.veil(e)
		}
	}
	return string(st.Append(nil)), nil
}

// veil is a copy of an element with occupant ids where it and its children have addresses.
func (r *room) veil(e *xmpp.Element) *xmpp.Element {
	seen := xmpp.NewElement(e.Space, e.Local)
	for _, a := range e.Attrs {
		jid, err := xmpp.ParseJID(a.Value)
		if a.Local != "by" && a.Local != "jid" || err != nil {
			seen.Attrs = append(seen.Attrs, a)
			continue
		}
		seen.Set(a.Local+"-id", r.idOf(jid))
	}
	for _, node := range e.Nodes {
		if child := node.Element; child != nil && child.Space == NS {
			node.Element = r.veil(child)
		}
		seen.Nodes = append(seen.Nodes, node)
	}
	return seen
}
