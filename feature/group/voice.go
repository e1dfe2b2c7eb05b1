package group

import (
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// wantVoice asks the moderators who are here whether a visitor may write (XEP-0045 §7.13, §8.6).
func (g *Groups) wantVoice(t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.byUser(t.Sender.JID)
	switch {
	case o == nil:
		return nil, xmpp.NotAcceptable.Because("join first")
	case o.role != visitor:
		return nil, xmpp.Conflict.Because("you may write")
	}
	return r.inTurn(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		form := xmpp.NewForm("form", voiceForm)
		form.Title = "Voice request"
		form.Add("muc#role", "list-single", "Requested role", "participant").Add("muc#jid", "jid-single", "User ID", t.Stanza.From.String()).
			Add("muc#roomnick", "text-single", "Room Nickname", o.nick).Add("muc#request_allow", "boolean", "Grant voice to this person?", "false")
		for _, a := range r.attending {
			if a.occupant != nil && a.occupant.role == moderator {
				a.session.Send((&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: a.session.JID}).Add(form.Element()))
			}
		}
	}), nil
}

// giveVoice does what a moderator has decided about a visitor who wants to write (XEP-0045 §8.6).
func (g *Groups) giveVoice(t *core.Transit, r *room, form *xmpp.Form, allow bool) (*plan, error) {
	by := t.Sender.JID
	nick, err := cleanNick(form.Get("muc#roomnick"))
	if err != nil {
		return nil, xmpp.BadRequest
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.mayGiveRole(by, nick, participant); err != nil {
		return nil, err
	}
	return r.inTurn(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		o, err := r.mayGiveRole(by, nick, participant) // something was changed meanwhile
		if err == nil && allow && o.role == visitor {
			g.giveRole(r, o, participant, notice{by: by})
		}
	}), nil
}
