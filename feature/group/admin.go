package group

import (
	"context"
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// nsAffiliations is XEP-0463.
const nsAffiliations = "urn:xmpp:muc:affiliations:1"

// maxItems is how many people one request may be about.
const maxItems = 200

// maxReason is how many bytes a reason may have, maxBans how many people one group may have banned.
const (
	maxReason = 2000
	maxBans   = 10_000
)

// list tells who stands how with a group, or who is here with which role (XEP-0045 §9.5), by pages of XEP-0059 for lists of affiliations.
func (g *Groups) list(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	item := payload.Child(nsAdmin, "item")
	if item == nil {
		return nil, xmpp.BadRequest
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.destroyed != "" {
		return nil, r.gone()
	}
	asker := r.stands(t.Sender.JID).affiliation
	if word := item.Attr("role"); word != "" {
		if me := r.byUser(t.Sender.JID); asker < admin && (me == nil || me.role < moderator) {
			return nil, xmpp.Forbidden
		}
		return answer(t, r.listRoles(word)), nil
	}
	wanted, ok := parseAffiliation(item.Attr("affiliation"))
	if !ok || wanted == none {
		return nil, xmpp.BadRequest
	}
	if asker < member || wanted == outcast && asker < admin || r.settings.Anonymous && asker < admin {
		return nil, xmpp.Forbidden
	}
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	return answer(t, r.listMembers(wanted, page, g.cfg.MaxPage)), nil
}

// listRoles lists who is here with a role; r.mu is held.
func (r *room) listRoles(word string) *xmpp.Element {
	query := xmpp.NewElement(nsAdmin, "query")
	for _, o := range r.occupants {
		if o.role.String() == word {
			query.Add(xmpp.NewElement(nsAdmin, "item").Set("jid", o.address().String()).Set("nick", o.nick).Set("role", word).Set("affiliation", r.stands(o.user).affiliation.String()))
		}
	}
	return query
}

// administer decides about changes of affiliations and roles (XEP-0045 §9, §10).
func (g *Groups) administer(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	var items []*xmpp.Element
	for e := range payload.Children() {
		if e.Is(nsAdmin, "item") {
			items = append(items, e)
		}
	}
	switch {
	case len(items) == 0:
		return nil, xmpp.BadRequest
	case len(items) > maxItems:
		return nil, xmpp.NotAllowed.Because("at most %d at once", maxItems)
	case items[0].Attr("role") != "":
		if len(items) > 1 {
			return nil, xmpp.FeatureNotImplemented.Because("one role at a time")
		}
		return g.setRole(t, r, items[0])
	}
	wishes := make([]wish, 0, len(items))
	twice := map[xmpp.JID]bool{}
	for _, item := range items {
		w, err := parseWish(item)
		if err != nil {
			return nil, err
		}
		if twice[w.user] {
			return nil, xmpp.BadRequest.Because("%s is named twice", w.user)
		}
		twice[w.user] = true
		if w.as >= member {
			if err := g.known(ctx, w.user); err != nil {
				return nil, err
			}
		}
		wishes = append(wishes, w)
	}
	r.mu.Lock()
	for i := range wishes {
		if o := r.byUser(wishes[i].user); o != nil {
			wishes[i].here = o.nick
		}
	}
	r.mu.Unlock()
	p := g.setAffiliations(t.Sender.JID, r, wishes)
	return g.answered(t, p, nil), nil
}

// known refuses who has no account here: nobody else can be a member yet.
func (g *Groups) known(ctx context.Context, user xmpp.JID) error {
	_, err := g.server.Account(ctx, user)
	if errors.Is(err, core.ErrNoAccount) {
		return xmpp.ItemNotFound.Because("%s has no account here", user)
	}
	return err
}

// wish is that somebody shall stand so with a group.
type wish struct {
	user   xmpp.JID // bare
	as     affiliation
	nick   string
	here   string // what they are called in the room now, '' if they are not there
	reason string
}

func parseWish(item *xmpp.Element) (wish, error) {
	as, ok := parseAffiliation(item.Attr("affiliation"))
	jid, err := xmpp.ParseJID(item.Attr("jid"))
	if !ok || err != nil || jid.Local() == "" {
		return wish{}, xmpp.BadRequest.Because("each item needs a jid and an affiliation")
	}
	w := wish{user: jid.Bare(), as: as, reason: item.ChildText(nsAdmin, "reason")}
	if len(w.reason) > maxReason {
		return wish{}, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	if nick := item.Attr("nick"); nick != "" {
		if w.nick, err = cleanNick(nick); err != nil {
			return wish{}, err
		}
	}
	return w, nil
}
