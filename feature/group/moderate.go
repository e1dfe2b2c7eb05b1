package group

import (
	"context"
	"errors"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
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
		if err := g.bury(ctx, r, id, from, reason); err != nil {
			return err
		}
		return g.keep(ctx, r, e)
	}, tell: func(ctx context.Context) { g.tellEntry(ctx, r, st, e) }}
	return g.answered(t, p, nil), nil
}

// bury puts in the place of a message that it was taken away (XEP-0424 §5.2, XEP-0425 §5); ctx carries a transaction.
func (g *Groups) bury(ctx context.Context, r *room, id int64, by xmpp.JID, reason string) error {
	var text string
	err := g.db.QueryRow(ctx, "select stanza from group_entry where id = $1 and room = $2 and kind <> $3", id, r.id, int64(changeEntry)).Scan(&text)
	if errors.Is(err, store.ErrNoRows) {
		return xmpp.ItemNotFound
	}
	if err != nil {
		return err
	}
	st, err := parseStanza(text)
	if err != nil {
		return err
	}
	grave := &xmpp.Stanza{Kind: st.Kind, Type: st.Type, ID: st.ID, From: st.From}
	retracted := xmpp.NewElement(nsRetract, "retracted", xmpp.NewElement(nsModerate, "moderated").Set("by", by.String())).Set("stamp", xmpp.FormatTime(g.now()))
	if reason != "" {
		retracted.Add(xmpp.NewText(nsRetract, "reason", reason))
	}
	grave.Add(retracted, st.Child(nsWho, "occupant-id"))
	_, err = g.db.Exec(ctx, "update group_entry set stanza = $1, kind = $2 where id = $3", string(grave.Append(nil)), int64(tombstone), id)
	return err
}
