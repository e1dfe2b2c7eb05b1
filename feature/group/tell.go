package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// tellEntry gives what was kept to all who attend, and wakes the members who do not. It is called in the order of the log.
func (g *Groups) tellEntry(_ context.Context, r *room, st *xmpp.Stanza, e *entry) {
	r.mu.Lock()
	r.told = e.id
	r.spreadEntry(st, e)
	r.leaving = nil
	r.mu.Unlock()
	if g.others.Waker != nil && e.kind == saidEntry {
		g.wakes.said(r, st, e.author)
	}
}

// tellPassing gives what is not kept, such as that somebody is writing, to all who attend.
func (r *room) tellPassing(st *xmpp.Stanza) {
	const head = "<message"
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spread(st, st.Append(nil)[len(head):])
}

// spread puts the same bytes into the queue of every session that attends; r.mu is held.
func (r *room) spread(st *xmpp.Stanza, shared []byte) {
	for _, a := range r.attending {
		a.session.Deliver(core.Delivery{Stanza: st, Head: a.head, Bytes: shared})
	}
}

// spreadEntry is spread for an entry. A change names people by their addresses, which not everybody may see; r.mu is held.
func (r *room) spreadEntry(st *xmpp.Stanza, e *entry) {
	shared := e.shared(r.jid)
	if e.kind != changeEntry || !r.settings.Anonymous {
		r.spread(st, shared)
		for _, a := range r.leaving {
			a.session.Deliver(core.Delivery{Stanza: st, Head: a.head, Bytes: shared})
		}
		return
	}
	text, err := r.veiled(e.text)
	if err != nil {
		return // it was made here; who attends finds the gap
	}
	veiled := (&entry{id: e.id, after: e.after, text: text}).shared(r.jid)
	for _, a := range r.attending {
		bytes := veiled
		if r.seesAddresses(a.user) {
			bytes = shared
		}
		a.session.Deliver(core.Delivery{Stanza: st, Head: a.head, Bytes: bytes})
	}
	for _, a := range r.leaving {
		a.session.Deliver(core.Delivery{Stanza: st, Head: a.head, Bytes: veiled})
	}
}

// seesAddresses reports whether somebody may know who the others are elsewhere (XEP-0045 §4.2); r.mu is held.
func (r *room) seesAddresses(user xmpp.JID) bool {
	return !r.settings.Anonymous || r.stands(user).affiliation >= admin
}
