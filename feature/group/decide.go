package group

import (
	"context"
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// plan is what was decided about a stanza: what to write, in the log of which group, and what to do when it was kept.
type plan struct {
	room  *room
	write core.Write
	tell  func(ctx context.Context)
	// changes says that something may follow from it in other groups.
	changes bool
}

// planned is the plan of a stanza on its way.
var planned = new(core.Note[*plan])

// Decide is asked before anything is kept (core.Deciding).
func (g *Groups) Decide(ctx context.Context, t *core.Transit) (int64, core.Write, error) {
	p, err := g.decide(ctx, t)
	if err != nil || p == nil {
		return 0, nil, err
	}
	planned.Set(t, p)
	if p.room == nil {
		return 0, p.write, nil
	}
	return p.room.id, p.write, nil
}

// Handle tells what was kept (core.Service).
func (g *Groups) Handle(ctx context.Context, t *core.Transit) error {
	if p := planned.Get(t); p != nil && p.tell != nil {
		p.tell(ctx)
		if p.changes {
			g.hurry()
		}
	}
	return nil
}

func (g *Groups) decide(ctx context.Context, t *core.Transit) (*plan, error) {
	if t.Sender == nil { // nobody else can come here yet
		return nil, xmpp.ServiceUnavailable
	}
	st := t.Stanza
	if st.IsError() || st.Kind == xmpp.IQ && !st.IsRequest() {
		return g.returned(ctx, t)
	}
	if st.To.Local() == "" {
		if st.Kind == xmpp.IQ {
			return g.askedService(ctx, t)
		}
		return nil, xmpp.ServiceUnavailable
	}
	r, err := g.rooms.get(ctx, st.To.Local())
	if errors.Is(err, errNoRoom) {
		if st.Kind == xmpp.Presence && st.Type == "" {
			return g.found(ctx, t)
		}
		if st.Kind == xmpp.Presence {
			return nil, nil
		}
		return nil, xmpp.ItemNotFound
	}
	if err != nil {
		return nil, err
	}
	switch st.Kind {
	case xmpp.Message:
		return g.message(ctx, t, r)
	case xmpp.Presence:
		return g.presence(ctx, t, r)
	}
	return g.asked(ctx, t, r)
}

// message is what is sent to a group or to somebody in it.
func (g *Groups) message(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	switch {
	case t.Stanza.MessageType() == "groupchat" && t.Stanza.To.IsBare():
		return g.say(t, r)
	case t.Stanza.MessageType() == "groupchat":
		return nil, xmpp.BadRequest.Because("what is said to all goes to the address of the group")
	case t.Stanza.To.IsBare():
		return g.form(ctx, t, r)
	}
	return g.whisper(t, r)
}

// presence is somebody who comes, goes, or says how they are.
func (g *Groups) presence(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	switch t.Stanza.Type {
	case "":
		if t.Stanza.To.IsBare() {
			return nil, xmpp.JIDMalformed
		}
		return g.come(ctx, t, r)
	case "unavailable":
		return g.leave(t, r), nil
	}
	return nil, nil
}
