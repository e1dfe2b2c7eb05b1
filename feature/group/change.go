package group

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// changing is a change of a group: looked at and written in one transaction, put into the log, and then done in memory and told.
type changing struct {
	by xmpp.JID // bare; who does it
	// check looks, within the transaction, whether it may be done, and says what the log gets of it; nil for nothing to do.
	check func(ctx context.Context, s state, by standing) (*xmpp.Element, error)
	// write keeps it; id is that of its entry. It may add to what check has said.
	write func(ctx context.Context, id int64) error
	// done does it in memory; r.mu is held.
	done func(id int64)
	// after is what else is to be told, when all know of the change.
	after func(ctx context.Context)
}

// change plans a change. Whoever writes meanwhile looks again whether they still may.
func (g *Groups) change(r *room, c changing) *plan {
	e := &entry{kind: changeEntry, author: c.by}
	var st *xmpp.Stanza
	return &plan{room: r, changes: true, write: func(ctx context.Context) error {
		st = nil
		s, err := g.readState(ctx, r)
		if err != nil {
			return err
		}
		if s.destroyed {
			return xmpp.Gone
		}
		by, err := g.readStanding(ctx, r, c.by)
		if err != nil {
			return err
		}
		what, err := c.check(ctx, s, by)
		if err != nil || what == nil {
			return err
		}
		id := g.db.Next()
		if err := c.write(ctx, id); err != nil {
			return err
		}
		if _, err := g.db.Exec(ctx, "update group_room set version = $1 where id = $2", id, r.id); err != nil {
			return fmt.Errorf("note change: %w", err)
		}
		changed := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: r.jid}).Add(what)
		e.text = string(changed.Append(nil))
		if err := g.keepAs(ctx, r, e, id); err != nil {
			return err
		}
		st, r.tail.change = changed, id
		return nil
	}, tell: func(ctx context.Context) {
		if st != nil {
			r.mu.Lock()
			c.done(e.id)
			r.version = e.id
			r.mu.Unlock()
			g.tellEntry(ctx, r, st, e)
		}
		if st != nil && c.after != nil {
			c.after(ctx)
		}
	}}
}

// changed is the element that says in the log, and to those who attend, what became of the group (docs/protocol/groups.md).
func changed(what string, by xmpp.JID, attrs ...string) *xmpp.Element {
	e := xmpp.NewElement(NS, "change").Set("what", what).Set("by", by.String())
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			e.Set(attrs[i], attrs[i+1])
		}
	}
	return e
}

// whoStands is the part of a change that says how somebody stands with the group now, and did before.
func whoStands(user xmpp.JID, before, now standing) *xmpp.Element {
	e := xmpp.NewElement(NS, "who").Set("jid", user.String()).Set("affiliation", now.affiliation.String()).Set("was", before.affiliation.String())
	if now.nick != "" {
		e.Set("nick", now.nick)
	}
	if now.hats != "" {
		e.Set("hats", now.hats)
	}
	if now.invited() {
		e.Set("invited", "true").Set("offered", now.offered.String())
	}
	return e
}

// then adds what happens when a plan was carried out, whether or not there was anything to change.
func (p *plan) then(do func(ctx context.Context)) *plan {
	tell := p.tell
	p.tell = func(ctx context.Context) {
		if tell != nil {
			tell(ctx)
		}
		do(ctx)
	}
	return p
}

// answered makes a plan answer the iq that asked for it, when it was done.
func (g *Groups) answered(t *core.Transit, p *plan, payload func() *xmpp.Element) *plan {
	return p.then(func(context.Context) {
		var body *xmpp.Element
		if payload != nil {
			body = payload()
		}
		t.Via.Send(t.Stanza.Reply(body))
	})
}
