package group

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const configForm = nsMUC + "#roomconfig"

// own decides about what owners do: the settings, and the end of a group (XEP-0045 §10).
func (g *Groups) own(t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stands(t.Sender.JID).affiliation < owner {
		return nil, xmpp.Forbidden
	}
	if !set {
		return answer(t, xmpp.NewElement(nsOwner, "query", r.settings.form("form").Element())), nil
	}
	if destroy := payload.Child(nsOwner, "destroy"); destroy != nil {
		return g.destroy(t, r, destroy), nil
	}
	x := payload.Child(xmpp.NSData, "x")
	if x == nil {
		return nil, xmpp.BadRequest
	}
	form, err := xmpp.ParseForm(x)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	if x.Attr("type") == "cancel" {
		if !r.settings.Locked {
			return answer(t, nil), nil
		}
		return g.destroy(t, r, xmpp.NewElement(nsOwner, "destroy")), nil
	}
	next := r.settings
	next.Locked = false
	if err := next.take(form); err != nil {
		return nil, err
	}
	return g.configure(t, r, next), nil
}

// configure plans new settings.
func (g *Groups) configure(t *core.Transit, r *room, next Settings) *plan {
	by := t.Sender.JID
	c := changing{by: by}
	c.check = func(_ context.Context, s state, stands standing) (*xmpp.Element, error) {
		if stands.affiliation < owner {
			return nil, xmpp.Forbidden
		}
		return changed("settings", by, "name", next.Name, "description", next.Description).Add(next.told()), nil
	}
	c.write = func(ctx context.Context, _ int64) error {
		text, err := next.text()
		if err != nil {
			return err
		}
		_, err = g.db.Exec(ctx, "update group_room set settings = $1 where id = $2", text, r.id)
		return err
	}
	c.done = func(int64) {
		before := r.settings
		r.settings = next
		for _, o := range r.occupants {
			if now := next.roleOf(r.stands(o.user).affiliation); now == absent {
				for _, a := range slices.Clone(o.here) {
					g.out(r, a, nil, "322")
				}
			} else if now != o.role && o.role != absent {
				o.role = now
			}
		}
		r.tellConfigured(before)
	}
	return g.answered(t, g.change(r, c), nil)
}

// tellConfigured tells those who are here what changed (XEP-0045 §10.2.1); r.mu is held.
func (r *room) tellConfigured(before Settings) {
	codes := []string{"104"}
	if before.Anonymous != r.settings.Anonymous {
		codes = append(codes, map[bool]string{true: "173", false: "172"}[r.settings.Anonymous])
	}
	x := xmpp.NewElement(nsUser, "x")
	for _, code := range codes {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", code))
	}
	st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", From: r.jid}).Add(x)
	r.spread(st, st.Append(nil)[len("<message"):])
}

// end is where to go instead of a group that is no more, and why.
type end struct {
	Instead string `json:"instead,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// destroy plans the end of a group (XEP-0045 §10.9); r.mu is held.
func (g *Groups) destroy(t *core.Transit, r *room, request *xmpp.Element) *plan {
	by := t.Sender.JID
	last := end{Instead: request.Attr("jid"), Reason: request.ChildText(nsOwner, "reason")}
	c := changing{by: by}
	c.check = func(_ context.Context, _ state, stands standing) (*xmpp.Element, error) {
		if stands.affiliation < owner {
			return nil, xmpp.Forbidden
		}
		return changed("destroyed", by, "instead", last.Instead, "reason", last.Reason), nil
	}
	var text string
	c.write = func(ctx context.Context, _ int64) error {
		b, err := json.Marshal(last)
		if err != nil {
			return err
		}
		text = string(b)
		_, err = g.db.Exec(ctx, "update group_room set destroyed = $1 where id = $2", text, r.id)
		return err
	}
	c.done = func(int64) { r.destroyed = text }
	c.after = func(context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, a := range r.attending {
			if a.occupant != nil {
				gone := xmpp.NewElement(nsUser, "destroy", request.Child(nsOwner, "reason"))
				if last.Instead != "" {
					gone.Set("jid", last.Instead)
				}
				st := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(a.occupant.nick), To: a.session.JID}
				a.session.Send(st.Add(xmpp.NewElement(nsUser, "x", xmpp.NewElement(nsUser, "item").Set("affiliation", "none").Set("role", "none"), gone)))
			}
		}
		clear(r.attending)
		clear(r.occupants)
	}
	return g.answered(t, g.change(r, c), nil)
}

// form are the settings as owners see them (XEP-0045 §16.5.3).
func (s *Settings) form(kind string) *xmpp.Form {
	form := xmpp.NewForm(kind, configForm)
	form.Title = "Settings of the group"
	yes := func(name, label string, on bool) {
		form.Add(name, "boolean", label, map[bool]string{true: "1", false: "0"}[on])
	}
	form.Add(configForm+"_roomname", "text-single", "Name", s.Name)
	form.Add(configForm+"_roomdesc", "text-single", "Description", s.Description)
	yes(configForm+"_membersonly", "Only members come in", s.MembersOnly)
	yes(configForm+"_publicroom", "Can be found", !s.Hidden)
	yes(configForm+"_moderatedroom", "Only who was given a voice writes", s.Moderated)
	yes(configForm+"_persistentroom", "Stays when nobody is there", s.Persistent)
	yes(configForm+"_passwordprotectedroom", "Needs a password", s.Password != "")
	form.Add(configForm+"_roomsecret", "text-private", "Password", s.Password)
	form.Add(configForm+"_whois", "list-single", "Who sees addresses", map[bool]string{true: "moderators", false: "anyone"}[s.Anonymous])
	form.Fields[len(form.Fields)-1].Options = []xmpp.Option{{Label: "Moderators", Value: "moderators"}, {Label: "Everybody", Value: "anyone"}}
	form.Add(configForm+"_maxusers", "text-single", "Most occupants", strconv.Itoa(s.MaxUsers))
	yes(configForm+"_changesubject", "Members change name, subject and picture", s.MembersEditInfo)
	yes(configForm+"_allowinvites", "Members add others", s.MembersAdd)
	yes(NS+"#only-admins-write", "Only administrators write", s.OnlyAdminsWrite)
	yes(NS+"#approve", "Who wants to come in waits for an administrator", s.Approve)
	yes(NS+"#whole-history", "Members read what was said before they came", s.WholeHistory)
	form.Add(NS+"#slow", "text-single", "Seconds between two messages of a member", strconv.Itoa(s.Slow))
	return form
}

// Limits of settings.
const (
	maxName        = 100
	maxDescription = 2048
	maxSlow        = 86_400
)

// take reads the settings that an owner has sent; what is not in the form stays.
func (s *Settings) take(form *xmpp.Form) error {
	for _, f := range form.Fields {
		value := ""
		if len(f.Values) > 0 {
			value = f.Values[0]
		}
		if err := s.takeField(f.Var, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) takeField(name, value string) error {
	if on := s.flag(name); on != nil {
		v, ok := xmpp.Bool(value)
		if !ok {
			return xmpp.NotAcceptable.Because("%s is yes or no", name)
		}
		*on = v != (name == configForm+"_publicroom")
		return nil
	}
	switch name {
	case configForm + "_roomname":
		return takeText(&s.Name, value, maxName, "a name")
	case configForm + "_roomdesc":
		return takeText(&s.Description, value, maxDescription, "a description")
	case configForm + "_roomsecret":
		return takeText(&s.Password, value, maxName, "a password")
	case configForm + "_passwordprotectedroom":
		if v, ok := xmpp.Bool(value); ok && !v {
			s.Password = ""
		}
	case configForm + "_whois":
		s.Anonymous = value == "moderators"
	case configForm + "_maxusers":
		return takeNumber(&s.MaxUsers, value, 1<<20, "the most occupants")
	case NS + "#slow":
		return takeNumber(&s.Slow, value, maxSlow, "the pause")
	}
	return nil
}

// flag is the setting that a field turns on or off, nil if it is none.
func (s *Settings) flag(name string) *bool {
	switch name {
	case configForm + "_membersonly":
		return &s.MembersOnly
	case configForm + "_publicroom":
		return &s.Hidden
	case configForm + "_moderatedroom":
		return &s.Moderated
	case configForm + "_persistentroom":
		return &s.Persistent
	case configForm + "_changesubject":
		return &s.MembersEditInfo
	case configForm + "_allowinvites":
		return &s.MembersAdd
	case NS + "#only-admins-write":
		return &s.OnlyAdminsWrite
	case NS + "#approve":
		return &s.Approve
	case NS + "#whole-history":
		return &s.WholeHistory
	}
	return nil
}

func takeText(to *string, value string, most int, what string) error {
	if len([]rune(value)) > most {
		return xmpp.NotAcceptable.Because("%s has at most %d characters", what, most)
	}
	*to = value
	return nil
}

func takeNumber(to *int, value string, most int, what string) error {
	if value == "" || value == "none" {
		*to = 0
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		return xmpp.NotAcceptable.Because("%s is a number from 0 to %d", what, most)
	}
	*to = n
	return nil
}
