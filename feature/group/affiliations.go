package group

import (
	"slices"
	"strconv"
	"strings"

	"palabre.dev/palabre/xmpp"
)

// An app that asks for it when it comes in is told at once who stands how with a group, unless it has the newest version of that (XEP-0463). What has changed
// since an older version is not kept apart: it gets the whole list then.

// asksVersion reports whether a presence that comes in asks for the affiliations, and since which version.
func asksVersion(st *xmpp.Stanza) (since string, asks bool) {
	mav := st.Child(nsMUC, "x").Child(nsAffiliations, "mav")
	return mav.Attr("since"), mav != nil
}

// stoodVersion names how people stand with the group now; r.mu is held.
func (r *room) stoodVersion() string { return strconv.FormatInt(r.stood, 10) }

// tellAffiliations gives the whole list to a session that comes in, by pages, or refuses it; r.mu is held.
func (r *room) tellAffiliations(to *attendee, since string) {
	stands := r.stands(to.user).affiliation
	if stands < member || !r.seesAddresses(to.user) {
		x := xmpp.NewElement(nsUser, "x", xmpp.NewElement(nsAffiliations, "mav"))
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "error", From: r.jid, To: to.session.JID}
		to.session.Send(st.Add(x, xmpp.Forbidden.Element()))
		return
	}
	to.versioned = true
	if since == r.stoodVersion() {
		return
	}
	var items []*xmpp.Element
	for user, s := range r.members {
		if s.affiliation >= member || s.affiliation == outcast && stands >= admin {
			items = append(items, affiliationItem(user, s))
		}
	}
	slices.SortFunc(items, func(a, b *xmpp.Element) int { return strings.Compare(a.Attr("jid"), b.Attr("jid")) })
	after := ""
	for n := 1; len(items) > 0; n++ {
		page := items[:min(maxItems, len(items))]
		items = items[len(page):]
		until := r.stoodVersion()
		if len(items) > 0 {
			until += "." + strconv.Itoa(n)
		}
		r.sendAffiliations(to, after, until, page)
		after = until
	}
}

func affiliationItem(user xmpp.JID, s standing) *xmpp.Element {
	item := xmpp.NewElement(nsUser, "item").Set("jid", user.String()).Set("affiliation", s.affiliation.String())
	if s.nick != "" {
		item.Set("nick", s.nick)
	}
	return item
}

func (r *room) sendAffiliations(to *attendee, since, until string, items []*xmpp.Element) {
	mav := xmpp.NewElement(nsAffiliations, "mav").Set("until", until)
	if since != "" {
		mav.Set("since", since)
	}
	x := xmpp.NewElement(nsUser, "x", mav).Add(items...)
	to.session.Send((&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: to.session.JID}).Add(x))
}

// nowStood notes that people stand otherwise from an entry on, and tells those who have asked; r.mu is held.
func (r *room) nowStood(id int64, all []granted) {
	var items []*xmpp.Element
	for _, one := range all {
		if one.before.affiliation != one.now.affiliation {
			items = append(items, affiliationItem(one.user, one.now))
		}
	}
	if len(items) == 0 {
		return
	}
	before := r.stoodVersion()
	r.stood = id
	for _, a := range r.attending {
		if a.versioned && a.occupant != nil && r.seesAddresses(a.user) && r.stands(a.user).affiliation >= member {
			r.sendAffiliations(a, before, r.stoodVersion(), items)
		}
	}
}
