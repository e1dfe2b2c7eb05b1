package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// tellEntry gives what was kept to all who attend, and wakes the members who do not. It is called in the order of the log.
func (g *Groups) tellEntry(ctx context.Context, r *room, st *xmpp.Stanza, e *entry) {
	r.mu.Lock()
	r.told = e.id
	r.spread(st, e.shared(r.jid))
	missing := g.missing(r)
	r.mu.Unlock()
	for _, jid := range missing {
		g.wake(ctx, r, jid, st)
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

// missing are the members of whom no session attends; r.mu is held.
func (g *Groups) missing(r *room) (missing []xmpp.JID) {
	if g.waker == nil {
		return nil
	}
	here := make(map[xmpp.JID]bool, len(r.attending))
	for _, a := range r.attending {
		if !a.session.Dormant() {
			here[a.user] = true
		}
	}
	for jid, s := range r.members {
		if s.affiliation >= member && !here[jid] {
			missing = append(missing, jid)
		}
	}
	return missing
}

// wake has a member's devices woken.
func (g *Groups) wake(ctx context.Context, r *room, user xmpp.JID, st *xmpp.Stanza) {
	account, err := g.server.Account(ctx, user)
	if err != nil {
		g.log.Debug("a member cannot be woken", "err", err)
		return
	}
	g.waker.Missed(ctx, account, r.jid, calls(st, user))
}

// calls reports whether a message names somebody (XEP-0372).
func calls(st *xmpp.Stanza, user xmpp.JID) bool {
	for i := range st.Nodes {
		if e := st.Nodes[i].Element; e != nil && e.Is("urn:xmpp:reference:0", "reference") && e.Attr("type") == "mention" && e.Attr("uri") == "xmpp:"+user.String() {
			return true
		}
	}
	return false
}
