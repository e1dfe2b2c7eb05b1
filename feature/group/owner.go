package group

import (
	"context"
	"maps"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const configForm = nsMUC + "#roomconfig"

// own decides about what owners do: the settings, and the end of a group (XEP-0045 §10).
func (g *Groups) own(t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.destroyed != "" {
		return nil, r.gone()
	}
	stands := r.stands(t.Sender.JID)
	x := payload.Child(xmpp.NSData, "x")
	destroy := payload.Child(nsOwner, "destroy")
	if stands.affiliation < owner && (!set || destroy != nil || !r.settings.mayDescribe(stands.affiliation, x)) {
		return nil, xmpp.Forbidden
	}
	if !set {
		return answer(t, xmpp.NewElement(nsOwner, "query", r.settings.form("form").Element())), nil
	}
	if destroy != nil {
		return g.destroy(t, r, destroy)
	}
	if x == nil {
		return nil, xmpp.BadRequest
	}
	form, err := xmpp.ParseForm(x)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	if form.Type == "cancel" {
		if !r.settings.Locked {
			return answer(t, nil), nil
		}
		return g.destroy(t, r, xmpp.NewElement(nsOwner, "destroy"))
	}
	if kind := form.FormType(); form.Type != "submit" || kind != "" && kind != configForm {
		return nil, xmpp.BadRequest.Because("not an answer to the form of %s", configForm)
	}
	trial := r.settings
	if err := trial.take(form); err != nil {
		return nil, err
	}
	return g.configure(t, r, form), nil
}

// mayDescribe reports whether somebody who owns nothing may send a form: administrators, and members where that is the rule, say what a group is
// called and what it is for.
func (s *Settings) mayDescribe(as affiliation, x *xmpp.Element) bool {
	if x == nil || s.Locked || as < member || as < admin && !s.MembersEditInfo {
		return false
	}
	form, err := xmpp.ParseForm(x)
	if err != nil || form.Type != "submit" {
		return false
	}
	for _, f := range form.Fields {
		if f.Var != "FORM_TYPE" && f.Var != configField+"_roomname" && f.Var != configField+"_roomdesc" {
			return false
		}
	}
	return true
}

// configure plans new settings: what the form says, put on those that the group has when it is written.
func (g *Groups) configure(t *core.Transit, r *room, form *xmpp.Form) *plan {
	may := func(s state, by standing) error {
		if by.affiliation < owner && !s.settings.mayDescribe(by.affiliation, form.Element()) {
			return xmpp.Forbidden
		}
		return nil
	}
	return g.answered(t, g.reconfigured(r, t.Sender.JID, may, func(next *Settings) error {
		next.Locked = false
		return next.take(form)
	}), nil)
}

// reconfigured plans new settings: those that the group has when it is written, with what put makes of them.
func (g *Groups) reconfigured(r *room, by xmpp.JID, may func(state, standing) error, put func(*Settings) error) *plan {
	var next Settings
	var what *xmpp.Element
	var others bool // there are other hats
	var worn changedHats
	c := changing{by: by}
	c.check = func(ctx context.Context, s state, stands standing) (*xmpp.Element, error) {
		if err := may(s, stands); err != nil {
			return nil, err
		}
		next = s.settings
		if err := put(&next); err != nil {
			return nil, err
		}
		others = next.Hats != s.settings.Hats
		if next == s.settings {
			return nil, nil
		}
		if err := g.mayBeSo(ctx, r, next); err != nil {
			return nil, err
		}
		what = changed("settings", by, "name", next.Name, "description", next.Description).Add(next.told())
		return what, nil
	}
	c.write = func(ctx context.Context, _ int64) error {
		text, err := next.text()
		if err != nil {
			return err
		}
		if _, err = g.db.Exec(ctx, "update group_room set settings = $1 where id = $2", text, r.id); err != nil || !others {
			return err
		}
		worn, err = g.withoutHats(ctx, r, &next, what)
		return err
	}
	c.done = func(int64) {
		g.nowConfigured(r, next)
		if others {
			g.nowWorn(r, worn)
		}
	}
	return g.change(r, c)
}

// nowConfigured does in memory that the settings are others, and tells what that means for those who are here (XEP-0045 §10.2); r.mu is held.
func (g *Groups) nowConfigured(r *room, next Settings) {
	before := r.settings
	r.settings = next
	for _, o := range slices.Collect(maps.Values(r.occupants)) {
		a := r.stands(o.user).affiliation
		switch now := next.roleOf(a); {
		case now == absent:
			g.showOut(r, o, notice{codes: []string{"322"}})
		case now != before.roleOf(a) && now != o.role:
			g.giveRole(r, o, now, notice{})
		}
	}
	if !before.Locked {
		r.tellConfigured(before)
	}
}

// tellConfigured tells those who are here what changed (XEP-0045 §10.2.1); r.mu is held.
func (r *room) tellConfigured(before Settings) {
	codes := []string{"104"}
	if before.Anonymous != r.settings.Anonymous {
		codes = append(codes, map[bool]string{true: "173", false: "172"}[r.settings.Anonymous])
	}
	r.tellCodes(codes...)
}

// tellCodes tells those who are here of something that has become of the room; r.mu is held.
func (r *room) tellCodes(codes ...string) {
	x := xmpp.NewElement(nsUser, "x")
	for _, code := range codes {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", code))
	}
	st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: r.jid}).Add(x)
	r.spread(st, st.Append(nil)[len("<message"):])
}
