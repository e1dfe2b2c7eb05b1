package group

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

var insertRoom = store.NewInsert("group_room", "id", "name", "settings", "subject", "version", "secret")

// found makes a group: its first occupant is its owner (XEP-0045 §10.1).
func (g *Groups) found(ctx context.Context, t *core.Transit) (*plan, error) {
	if t.Via == nil || t.Stanza.To.IsBare() || t.Stanza.Child(nsMUC, "x") == nil {
		return nil, xmpp.ItemNotFound
	}
	nick, err := cleanNick(t.Stanza.To.Resource())
	if err != nil {
		return nil, err
	}
	if _, err := xmpp.NewJID(t.Stanza.To.Local(), g.domain.Domain(), ""); err != nil {
		return nil, xmpp.JIDMalformed
	}
	settings := privateSettings()
	if g.cfg.OpenByDefault {
		settings = openSettings()
	}
	settings.Locked = true
	p, _, err := g.makeRoom(t.Sender, t.Stanza.To.Local(), nick, settings)
	if err != nil {
		return nil, err
	}
	p.tell = func(ctx context.Context) {
		r, err := g.rooms.get(ctx, t.Stanza.To.Local())
		if err != nil {
			g.log.Error("a group that was just made is not there", "err", err)
			return
		}
		g.enter(ctx, t, r, nick, "201")
	}
	return p, nil
}

// makeRoom plans a group with its owner.
func (g *Groups) makeRoom(maker *core.Account, name, nick string, settings Settings) (*plan, int64, error) {
	text, err := settings.text()
	if err != nil {
		return nil, 0, err
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return nil, 0, err
	}
	id := g.db.Next()
	return &plan{room: &room{id: id}, write: func(ctx context.Context) error {
		var n int
		if err := g.db.QueryRow(ctx, "select count(*) from group_room where name = $1", name).Scan(&n); err != nil {
			return fmt.Errorf("make group: %w", err)
		}
		if n > 0 { // somebody was faster
			return xmpp.Conflict
		}
		if err := g.mayFound(ctx, maker, id); err != nil {
			return err
		}
		if err := g.db.Append(ctx, insertRoom, id, name, text, "", id, hex.EncodeToString(secret)); err != nil {
			return err
		}
		r := &room{id: id}
		what := changed("made", maker.JID, "nick", nick).Add(settings.told(), whoStands(maker.JID, standing{}, standing{affiliation: owner, nick: nick}))
		jid, err := xmpp.NewJID(name, g.domain.Domain(), "")
		if err != nil {
			return err
		}
		st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: jid}).Add(what)
		e := &entry{kind: changeEntry, author: maker.JID, text: string(st.Append(nil))}
		if err := g.keep(ctx, r, e); err != nil {
			return err
		}
		return g.writeStanding(ctx, r, maker.JID, standing{affiliation: owner, nick: nick, since: e.id, like: likeness(nick)})
	}}, id, nil
}

// mayFound refuses who has made too many groups in a day, within the transaction of ctx.
func (g *Groups) mayFound(ctx context.Context, account *core.Account, now int64) error {
	day := now - 86_400e6
	var n int
	err := g.db.QueryRow(ctx, `select count(*) from group_room r join group_member m on m.room = r.id and m.affiliation = $1 and m.jid = $2
		where r.id > $3`, int64(owner), account.JID.String(), day).Scan(&n)
	if err != nil {
		return fmt.Errorf("count groups: %w", err)
	}
	if n >= g.cfg.MaxGroupsPerDay {
		return xmpp.ResourceConstraint.Because("at most %d new groups in a day", g.cfg.MaxGroupsPerDay)
	}
	return nil
}

// come decides about somebody who comes in, changes their nick, or says how they are.
func (g *Groups) come(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	if t.Via == nil {
		return nil, xmpp.NotAcceptable
	}
	nick, err := cleanNick(t.Stanza.To.Resource())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	user := t.Sender.JID
	a := r.attending[t.Via]
	if here := a != nil && a.occupant != nil; here && t.Stanza.Child(nsMUC, "x") == nil {
		if a.occupant.nick == nick {
			return r.inTurn(func() { g.said(t, r) }), nil
		}
		if !g.joins.allow(user.String()+" "+r.jid.String(), maxJoins, g.now()) {
			return nil, xmpp.ResourceConstraint.Because("at most %d times in a minute", maxJoins)
		}
		if err := r.mayBeCalled(user, nick); err != nil {
			return nil, err
		}
		return g.rename(t, r, nick), nil
	}
	if t.Stanza.Child(nsMUC, "x") == nil {
		return notHere(t), nil
	}
	if !g.joins.allow(user.String()+" "+r.jid.String(), maxJoins, g.now()) {
		return nil, xmpp.ResourceConstraint.Because("at most %d times in a minute", maxJoins)
	}
	if err := g.mayEnter(t, r, nick); err != nil {
		return nil, err
	}
	if s := r.stands(user); s.invited() {
		return g.accept(r, user, s.offered, nick).then(func(ctx context.Context) { g.enter(ctx, t, r, nick) }), nil
	}
	if s := r.stands(user); s.affiliation >= member && s.nick != nick && r.byUser(user) == nil {
		p := g.change(r, g.naming(r, user, nick))
		return p.then(func(ctx context.Context) { g.enter(ctx, t, r, nick) }), nil
	}
	return &plan{room: r, write: func(context.Context) error { return nil }, tell: func(ctx context.Context) { g.enter(ctx, t, r, nick) }}, nil
}

// notHere tells an app that says how it is, and believes to be in a room which it is not in, that it is not (XEP-0045 §7.2.1): it would miss what it does not know of.
func notHere(t *core.Transit) *plan {
	item := xmpp.NewElement(nsUser, "item", xmpp.NewText(nsUser, "reason", "You are not in the room.")).Set("affiliation", "none").Set("role", "none")
	x := xmpp.NewElement(nsUser, "x", item)
	for _, code := range []string{"110", "307", "333"} {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", code))
	}
	st := (&xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: t.Stanza.To, To: t.Via.JID}).Add(x)
	return &plan{tell: func(context.Context) { t.Via.Send(st) }}
}

// mayEnter refuses who may not come in (XEP-0045 §7.2); r.mu is held.
func (g *Groups) mayEnter(t *core.Transit, r *room, nick string) error {
	user := t.Sender.JID
	stands := r.stands(user)
	if stands.invited() { // they come in by that
		stands.affiliation = stands.offered
	}
	password := t.Stanza.Child(nsMUC, "x").ChildText(nsMUC, "password")
	most := r.settings.MaxUsers
	if most == 0 {
		most = g.cfg.most(r.settings)
	}
	switch {
	case r.destroyed != "":
		return r.gone()
	case stands.affiliation == outcast:
		return xmpp.Forbidden.Because("you were banned from this group")
	case r.settings.Locked && stands.affiliation < owner:
		return xmpp.ItemNotFound
	case r.settings.MembersOnly && stands.affiliation < member:
		return xmpp.RegistrationRequired.Because("only members come in")
	case r.settings.Password != "" && password != r.settings.Password && stands.affiliation < member:
		return xmpp.NotAuthorized.Because("the password is another one")
	case stands.affiliation < admin && r.byUser(user) == nil && len(r.occupants) >= most:
		return xmpp.ServiceUnavailable.Because("the group is full")
	}
	return r.mayBeCalled(user, nick)
}

// enter puts a session into the room and tells it, in the order of XEP-0045 §7.1: who is there, itself, what was said, the subject. A device that
// comes while another one of the same account is there gets the nick of that one.
func (g *Groups) enter(ctx context.Context, t *core.Transit, r *room, nick string, statuses ...string) {
	defer g.goneIfEnded(ctx, t.Via)
	history, err := g.history(ctx, t, r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = g.mayEnter(t, r, nick) // something was changed meanwhile
	}
	if err != nil {
		g.refuse(t, err)
		return
	}
	a := r.add(t.Via)
	o := r.byUser(t.Sender.JID)
	if o == nil {
		o = &occupant{nick: nick, user: t.Sender.JID}
		o.role = r.settings.roleOf(r.stands(o.user).affiliation)
		r.occupants[likeness(nick)] = o
	} else if o.nick != nick {
		statuses = append(statuses, "210")
	}
	o.here = append(slices.DeleteFunc(o.here, func(one *attendee) bool { return one == a }), a)
	a.occupant, a.presence = o, r.presenceFrom(t.Stanza, o)
	g.remember(t.Via, r)
	since, asks := asksVersion(t.Stanza)
	if a.versioned = false; asks {
		r.tellAffiliations(a, since)
	}
	if r.tellsPresence(g.cfg.PresenceLimit) {
		r.showOthers(a)
		r.showAllAway(g.cfg.PresenceLimit, a)
	}
	r.tellPresence(g.cfg.PresenceLimit, o, a.presence, a, notice{})
	if !r.settings.Anonymous {
		statuses = append(statuses, "100")
	}
	t.Via.Send(r.about(o, a.presence, a, notice{codes: statuses}))
	if r.picture != "" {
		t.Via.Send(r.pictured(t.Via.JID))
	}
	for _, st := range history {
		t.Via.Send(st)
	}
	t.Via.Send(r.subjectFor(t.Via.JID))
}

// refuse tells a session why it did not come in.
func (g *Groups) refuse(t *core.Transit, err error) {
	var told *xmpp.Error
	if !errors.As(err, &told) {
		g.log.Error("somebody could not come into a group", "err", err)
		told = xmpp.InternalServerError
	}
	t.Via.Send(t.Stanza.ErrorReply(told))
}
