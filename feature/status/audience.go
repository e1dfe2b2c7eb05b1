package status

import (
	"strings"

	"palabre.dev/palabre/xmpp"
)

// Namespaces of what a status can be.
const (
	nsTargeted = "urn:xmpp:pte:0"
	nsOMEMO    = "urn:xmpp:omemo:2"
	nsAtom     = "http://www.w3.org/2005/Atom"
)

// header is the part of an encrypted status that has the keys, nil if it is none.
func header(payload *xmpp.Element) *xmpp.Element {
	if !payload.Is(nsTargeted, "encrypted") {
		return nil
	}
	return payload.Child(nsOMEMO, "encrypted").Child(nsOMEMO, "header")
}

// check refuses what is no status, and gives those it is encrypted for as the table has them.
func (f *Feature) check(payload *xmpp.Element) (audience string, err error) {
	if size := len(payload.Append(nil, "")); size > f.cfg.MaxBytes {
		return "", xmpp.NotAcceptable.Because("a status has at most %d bytes", f.cfg.MaxBytes)
	}
	if payload.Is(nsAtom, "entry") {
		return "", nil
	}
	keys := header(payload)
	if keys == nil {
		return "", xmpp.NotAcceptable.Because("a status is an entry of Atom, or encrypted with OMEMO 2 (XEP-0477)")
	}
	var b strings.Builder
	b.WriteByte('\n')
	count := 0
	for e := range keys.Children() {
		if !e.Is(nsOMEMO, "keys") {
			continue
		}
		jid, err := xmpp.ParseJID(e.Attr("jid"))
		if err != nil || !jid.IsBare() {
			return "", xmpp.JIDMalformed.Because("keys are for a bare address")
		}
		if count++; count > f.cfg.MaxAudience {
			return "", xmpp.NotAcceptable.Because("a status is for at most %d people", f.cfg.MaxAudience)
		}
		b.WriteString(jid.String())
		b.WriteByte('\n')
	}
	if count == 0 {
		return "", xmpp.NotAcceptable.Because("this is encrypted for nobody")
	}
	return b.String(), nil
}

// isFor reports whether a status is for somebody.
func isFor(audience string, who xmpp.JID) bool {
	return audience == "" || strings.Contains(audience, "\n"+who.String()+"\n")
}

// show is what somebody sees of a status: if it is encrypted, their own keys alone; nothing if there are none.
func show(reader xmpp.JID, payload *xmpp.Element) *xmpp.Element {
	all := header(payload)
	if all == nil {
		return payload
	}
	var theirs []*xmpp.Element
	for e := range all.Children() {
		jid, err := xmpp.ParseJID(e.Attr("jid"))
		if e.Is(nsOMEMO, "keys") && err == nil && jid == reader {
			theirs = append(theirs, e)
		}
	}
	if len(theirs) == 0 {
		return nil
	}
	inner := payload.Child(nsOMEMO, "encrypted")
	return with(payload, inner, with(inner, all, bare(all).Add(theirs...)))
}

// bare is an element without what is in it.
func bare(e *xmpp.Element) *xmpp.Element {
	out := xmpp.NewElement(e.Space, e.Local)
	for _, attr := range e.Attrs {
		out.SetAttr(attr.Space, attr.Local, attr.Value)
	}
	return out
}

// with is an element with one of its children replaced, and without others of that name, which nobody has looked into.
func with(e, child, by *xmpp.Element) *xmpp.Element {
	out := bare(e)
	for one := range e.Children() {
		switch {
		case one == child:
			out.Add(by)
		case !one.Is(child.Space, child.Local):
			out.Add(one)
		}
	}
	return out
}
