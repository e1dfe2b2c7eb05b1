package group

import (
	"context"
	"encoding/json"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// end is where to go instead of a group that is no more, and why.
type end struct {
	Instead string `json:"instead,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// gone is the error for a group that is no more (XEP-0045 §10.9); r.mu is held.
func (r *room) gone() *xmpp.Error {
	var e end
	if err := json.Unmarshal([]byte(r.destroyed), &e); err != nil || e == (end{}) {
		return xmpp.Gone
	}
	told := xmpp.Gone
	if e.Reason != "" {
		told = told.Because("%s", e.Reason)
	}
	if e.Instead != "" {
		told = told.With(xmpp.NewElement(NS, "instead").Set("jid", e.Instead))
	}
	return told
}

// destroy plans the end of a group (XEP-0045 §10.9); r.mu is held.
func (g *Groups) destroy(t *core.Transit, r *room, request *xmpp.Element) (*plan, error) {
	by := t.Sender.JID
	last := end{Instead: request.Attr("jid"), Reason: request.ChildText(nsOwner, "reason")}
	if _, err := xmpp.ParseJID(last.Instead); last.Instead != "" && err != nil {
		return nil, xmpp.JIDMalformed
	}
	if len(last.Reason) > maxReason {
		return nil, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	b, err := json.Marshal(last)
	if err != nil {
		return nil, err
	}
	c := changing{by: by}
	c.check = func(_ context.Context, _ state, stands standing) (*xmpp.Element, error) {
		if stands.affiliation < owner {
			return nil, xmpp.Forbidden
		}
		return changed("destroyed", by, "instead", last.Instead, "reason", last.Reason), nil
	}
	c.write = func(ctx context.Context, _ int64) error {
		for _, table := range []string{"group_link", "group_request"} {
			if _, err := g.db.Exec(ctx, "delete from "+table+" where room = $1", r.id); err != nil {
				return err
			}
		}
		if _, err := g.db.Exec(ctx, "update group_room set destroyed = $1 where id = $2", string(b), r.id); err != nil {
			return err
		}
		return g.over(ctx, r, by)
	}
	c.done = func(int64) { r.destroyed = string(b) }
	c.after = func(context.Context) { r.tellDestroyed(last) }
	return g.answered(t, g.change(r, c), nil), nil
}

// tellDestroyed shows all out of a group that is no more.
func (r *room) tellDestroyed(last end) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.attending {
		if a.occupant == nil {
			continue
		}
		gone := xmpp.NewElement(nsUser, "destroy")
		if last.Instead != "" {
			gone.Set("jid", last.Instead)
		}
		if last.Reason != "" {
			gone.Add(xmpp.NewText(nsUser, "reason", last.Reason))
		}
		st := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(a.occupant.nick), To: a.session.JID}
		x := xmpp.NewElement(nsUser, "x", xmpp.NewElement(nsUser, "item").Set("affiliation", "none").Set("role", "none"), gone)
		a.session.Send(st.Add(x.Add(xmpp.NewElement(nsUser, "status").Set("code", "110"))))
		a.occupant, a.presence = nil, nil
	}
	clear(r.attending)
	clear(r.occupants)
}
