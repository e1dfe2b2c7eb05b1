package group

import (
	"context"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	nsModerate = "urn:xmpp:message-moderate:1"
	nsRetract  = "urn:xmpp:message-retract:1"
)

// moderate plans that a message is taken away by who may (XEP-0425 §4): its text goes out of the log.
func (g *Groups) moderate(_ context.Context, t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	id, err := strconv.ParseInt(payload.Attr("id"), 10, 64)
	if err != nil || payload.Child(nsRetract, "retract") == nil {
		return nil, xmpp.BadRequest
	}
	by := t.Sender.JID
	reason := payload.ChildText(nsModerate, "reason")
	if len(reason) > maxReason {
		return nil, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stands(by).affiliation < admin {
		return nil, xmpp.Forbidden.Because("only administrators take messages away")
	}
	from := r.jid
	if nick := r.stands(by).nick; nick != "" {
		from = r.in(nick)
	}
	moderated := xmpp.NewElement(nsModerate, "moderated", r.occupantID(by)).Set("by", from.String())
	retract := xmpp.NewElement(nsRetract, "retract", moderated).Set("id", payload.Attr("id"))
	if reason != "" {
		retract.Add(xmpp.NewText(nsRetract, "reason", reason))
	}
	st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", ID: "m" + payload.Attr("id"), From: r.jid}).Add(retract)
	e := &entry{kind: changeEntry, author: by, text: string(st.Append(nil))}
	p := &plan{room: r, write: func(ctx context.Context) error {
		stands, err := g.readStanding(ctx, r, by)
		if err != nil {
			return err
		}
		if stands.affiliation < admin {
			return xmpp.Forbidden
		}
		if err := g.bury(ctx, r, id, g.moderated(from, reason)); err != nil {
			return err
		}
		return g.keep(ctx, r, e)
	}, tell: func(ctx context.Context) { g.tellEntry(ctx, r, st, e) }}
	return g.answered(t, p, nil), nil
}

// moderated is what stands in the place of a message that was taken away (XEP-0425 §5).
func (g *Groups) moderated(by xmpp.JID, reason string) *xmpp.Element {
	e := xmpp.NewElement(nsRetract, "retracted", xmpp.NewElement(nsModerate, "moderated").Set("by", by.String())).Set("stamp", xmpp.FormatTime(g.now()))
	if reason != "" {
		e.Add(xmpp.NewText(nsRetract, "reason", reason))
	}
	return e
}
