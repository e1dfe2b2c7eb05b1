package group

import (
	"context"
	"maps"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// say decides about a message to all.
func (g *Groups) say(t *core.Transit, r *room) (*plan, error) {
	if t.Via == nil {
		return nil, xmpp.NotAcceptable
	}
	r.mu.Lock()
	nick, err := r.mayWrite(t.Via)
	if err == nil && (t.Stanza.Body() != "" || isEncrypted(t.Stanza)) {
		err = r.takesTime(t.Sender.JID, g.now().UnixMicro())
	}
	given := err == nil && r.wasGivenVoice(t.Via)
	seen := r.version
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if subject := t.Stanza.Child(xmpp.NSClient, "subject"); subject != nil && t.Stanza.Body() == "" && t.Stanza.Child(xmpp.NSClient, "thread") == nil {
		return g.setSubject(t, r, nick, subject.Text(), seen, given)
	}
	st := r.asSaid(t.Stanza, t.Sender.JID, nick)
	e := &entry{kind: kindOf(st), author: t.Sender.JID, text: string(st.Append(nil))}
	if !lasts(st) {
		return &plan{tell: func(context.Context) { r.tellPassing(st) }}, nil
	}
	user := t.Sender.JID
	return &plan{room: r, tell: func(ctx context.Context) { g.tellEntry(ctx, r, st, e) }, write: func(ctx context.Context) error {
		if err := g.stillWrites(ctx, r, user, seen, given); err != nil {
			return err
		}
		if err := g.takeBack(ctx, r, st, user); err != nil {
			return err
		}
		return g.keep(ctx, r, e)
	}}, nil
}

// mayWrite is the nick under which a session writes, or why it may not; r.mu is held.
func (r *room) mayWrite(session *core.Session) (nick string, err error) {
	if r.destroyed != "" {
		return "", r.gone()
	}
	user := session.Account.JID
	stands := r.stands(user)
	a := r.attending[session]
	switch {
	case a != nil && a.occupant != nil:
		nick = a.occupant.nick
		if a.occupant.role < participant {
			return "", xmpp.Forbidden.Because("you may not write here")
		}
	case stands.affiliation >= member && stands.nick != "":
		nick = stands.nick
		if r.settings.roleOf(stands.affiliation) < participant {
			return "", xmpp.Forbidden.Because("only administrators write here")
		}
	default:
		return "", xmpp.NotAcceptable.Because("join first")
	}
	return nick, nil
}

// wasGivenVoice reports whether somebody writes for this visit alone; r.mu is held.
func (r *room) wasGivenVoice(session *core.Session) bool {
	a := r.attending[session]
	return a != nil && a.occupant != nil && r.settings.roleOf(r.stands(a.user).affiliation) == visitor
}

// maxSpoke is how many are remembered who wrote in a slow group, before those are forgotten who may write again.
const maxSpoke = 4096

// takesTime refuses who writes too soon again in a slow group; r.mu is held.
func (r *room) takesTime(user xmpp.JID, now int64) error {
	slow := int64(r.settings.Slow) * 1e6
	if slow == 0 || r.stands(user).affiliation >= admin {
		return nil
	}
	if last, spoke := r.spoke[user]; spoke && now-last < slow {
		return xmpp.PolicyViolation.Because("this group is slow: wait %d seconds", (slow-(now-last)+1e6-1)/1e6)
	}
	if len(r.spoke) >= maxSpoke {
		maps.DeleteFunc(r.spoke, func(_ xmpp.JID, last int64) bool { return now-last >= slow })
	}
	r.spoke[user] = now
	return nil
}

// stillWrites looks, within the transaction, whether somebody may still write whom the group let when its newest change was the one that was seen; given means that a
// visitor was given a voice.
func (g *Groups) stillWrites(ctx context.Context, r *room, user xmpp.JID, seen int64, given bool) error {
	if err := g.sight(ctx, r); err != nil || r.tail.change == seen {
		return err
	}
	state, err := g.readState(ctx, r)
	if err != nil {
		return err
	}
	if state.destroyed {
		return xmpp.Gone
	}
	stands, err := g.readStanding(ctx, r, user)
	if err != nil {
		return err
	}
	if as := state.settings.roleOf(stands.affiliation); as == absent || as == visitor && (!given || state.settings.OnlyAdminsWrite) {
		return xmpp.Forbidden.Because("you may not write here any more")
	}
	return nil
}

// asSaid is a message as everybody gets it: from its author's address in the room, with what only the room may say put right.
func (r *room) asSaid(st *xmpp.Stanza, user xmpp.JID, nick string) *xmpp.Stanza {
	said := st.Copy()
	said.To, said.From = xmpp.JID{}, r.in(nick)
	said.Remove(r.forged)
	return said.Add(r.occupantID(user))
}

// in is the address of an occupant.
func (r *room) in(nick string) xmpp.JID {
	full, err := r.jid.WithResource(nick)
	if err != nil {
		return r.jid // a nick is checked when it is taken
	}
	return full
}

// forged are elements that the room alone may add.
func (r *room) forged(e *xmpp.Element) bool {
	switch {
	case e.Space == nsWho, e.Space == NS && (e.Local == "entry" || e.Local == "change"), e.Space == nsUser, e.Space == nsHats:
		return true
	case e.Is(nsRetract, "retract"):
		return e.Child(nsModerate, "moderated") != nil
	case e.Is(xmpp.NSStanzaID, "stanza-id"):
		by, err := xmpp.ParseJID(e.Attr("by"))
		return err != nil || by == r.jid
	}
	return false
}

// lasts reports whether a message belongs into the log: what says something, or is about something that was said (XEP-0313 §5.1.3).
func lasts(st *xmpp.Stanza) bool {
	if st.Child(xmpp.NSHints, "no-store") != nil || st.Child(xmpp.NSHints, "no-permanent-store") != nil {
		return false
	}
	for i := range st.Nodes {
		e := st.Nodes[i].Element
		if e == nil {
			continue
		}
		switch e.Space {
		case xmpp.NSClient:
			if e.Local == "body" {
				return true
			}
		case xmpp.NSHints:
			if e.Local == "store" {
				return true
			}
		case "urn:xmpp:chat-markers:0":
			if e.Local == "displayed" {
				return true
			}
		case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:eme:0", "urn:xmpp:reactions:0", "urn:xmpp:message-retract:1", "urn:xmpp:message-correct:0", "urn:xmpp:fasten:0", "urn:xmpp:receipts":
			return true
		}
	}
	return false
}
