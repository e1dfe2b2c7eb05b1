package group

import (
	"context"
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// whisper decides about a message to one occupant (XEP-0045 §7.5).
func (g *Groups) whisper(t *core.Transit, r *room) (*plan, error) {
	nick, err := cleanNick(t.Stanza.To.Resource())
	if err != nil {
		return nil, err
	}
	if t.Via == nil {
		return nil, xmpp.NotAcceptable
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	me, o := r.attending[t.Via], r.occupants[likeness(nick)]
	switch {
	case r.destroyed != "":
		return nil, r.gone()
	case me == nil || me.occupant == nil:
		return nil, xmpp.NotAcceptable.Because("join first")
	case o == nil || o.nick != nick:
		return nil, xmpp.ItemNotFound
	case me.occupant.role < participant:
		return nil, xmpp.Forbidden
	}
	st := t.Stanza.Copy()
	st.From = r.in(me.occupant.nick)
	st.Remove(r.forged)
	st.Add(xmpp.NewElement(nsUser, "x"), r.occupantID(t.Sender.JID))
	return &plan{tell: func(ctx context.Context) { g.passOn(ctx, t, r, o, st) }}, nil
}

// passOn gives a message to all devices with which somebody is in the room. Their account keeps it once.
func (g *Groups) passOn(ctx context.Context, t *core.Transit, r *room, o *occupant, st *xmpp.Stanza) {
	r.mu.Lock()
	var here []*core.Session
	for _, a := range o.here {
		here = append(here, a.session)
	}
	r.mu.Unlock()
	if len(here) == 0 {
		g.refuse(t, xmpp.RecipientUnavailable)
		return
	}
	for i, session := range here {
		to := st.Copy()
		to.To = session.JID
		if i > 0 {
			session.Send(to)
			continue
		}
		if err := g.server.Route(ctx, to); err != nil {
			var told *xmpp.Error
			if !errors.As(err, &told) {
				g.log.Error("a private message of a group did not arrive", "err", err)
				told = xmpp.InternalServerError
			}
			g.refuse(t, told)
			return
		}
	}
}
