package group

import (
	"context"
	"unicode/utf8"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxSubject is how many characters a subject may have, maxSubjectBytes how large the message may be that says it, which all get who come in.
const (
	maxSubject      = 1000
	maxSubjectBytes = 16 << 10
)

// setSubject decides about a new subject (XEP-0045 §8.1).
func (g *Groups) setSubject(t *core.Transit, r *room, nick, text string, seen int64, given bool) (*plan, error) {
	if utf8.RuneCountInString(text) > maxSubject {
		return nil, xmpp.NotAcceptable.Because("a subject has at most %d characters", maxSubject)
	}
	user := t.Sender.JID
	r.mu.Lock()
	if r.stands(user).affiliation < admin && !r.settings.MembersEditInfo {
		r.mu.Unlock()
		return nil, xmpp.Forbidden.Because("only administrators change the subject")
	}
	r.mu.Unlock()
	st := r.asSaid(t.Stanza, user, nick)
	e := &entry{kind: changeEntry, author: user, text: string(st.Append(nil))}
	if len(e.text) > maxSubjectBytes {
		return nil, xmpp.NotAcceptable.Because("what says a subject has at most %d bytes", maxSubjectBytes)
	}
	return &plan{room: r, write: func(ctx context.Context) error {
		if err := g.stillWrites(ctx, r, user, seen, given); err != nil {
			return err
		}
		if r.tail.change != seen {
			return xmpp.ResourceConstraint.Because("the group has just been changed; try again")
		}
		if err := g.keep(ctx, r, e); err != nil {
			return err
		}
		_, err := g.db.Exec(ctx, "update group_room set subject = $1 where id = $2", e.text, r.id)
		return err
	}, tell: func(ctx context.Context) {
		r.mu.Lock()
		r.subject = e.text
		r.mu.Unlock()
		g.tellEntry(ctx, r, st, e)
	}}, nil
}

// subjectFor is the subject as it is told to who comes in (XEP-0045 §7.2.15); r.mu is held.
func (r *room) subjectFor(to xmpp.JID) *xmpp.Stanza {
	if r.subject != "" {
		if st, err := parseStanza(r.subject); err == nil {
			st.To = to
			return st
		}
	}
	return (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: r.jid, To: to}).Add(xmpp.NewText(xmpp.NSClient, "subject", ""))
}
