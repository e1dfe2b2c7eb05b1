package group

import (
	"crypto/rand"
	"crypto/sha1" // it names a list, and protects nothing
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	nsCommands = "http://jabber.org/protocol/commands"
	hatForm    = "urn:xmpp:hats:commands"
	maxRows    = 1000 // of a table of who wears which hats
)

// hatCommands are the commands of XEP-0317 §4: what each is called, and who has it.
var hatCommands = map[string]struct {
	title string
	least affiliation
}{
	"create": {"Make or change a hat", owner}, "destroy": {"Take a hat away for good", owner}, "list": {"Hats", member},
	"assign": {"Give a hat to a member", admin}, "unassign": {"Take a hat from a member", admin}, "list-assigned": {"Who wears hats", member},
}

// hatHash names the list of hats: an app that has seen it knows by it whether it is still the same.
func (s *Settings) hatHash() string {
	sum := sha1.Sum([]byte(s.Hats))
	return hex.EncodeToString(sum[:])
}

// listCommands lists the commands of a group that somebody has (XEP-0050 §2.2).
func (g *Groups) listCommands(t *core.Transit, r *room) *plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	query := xmpp.NewElement(nsItems, "query").Set("node", nsCommands)
	for _, name := range slices.Sorted(maps.Keys(hatCommands)) {
		if c := hatCommands[name]; r.stands(t.Sender.JID).affiliation >= c.least {
			query.Add(xmpp.NewElement(nsItems, "item").Set("jid", r.jid.String()).Set("node", hatForm+":"+name).Set("name", c.title))
		}
	}
	return answer(t, query)
}

// command is one step of a command.
type command struct {
	name, session string
	settings      Settings
	members       map[xmpp.JID]standing // of those who wear hats
}

// answer is the answer to it.
func (c *command) answer(status string, form *xmpp.Element) *xmpp.Element {
	return xmpp.NewElement(nsCommands, "command", form).Set("node", hatForm+":"+c.name).Set("sessionid", c.session).Set("status", status)
}

// hatCommand decides about a command. None keeps anything between its steps: who knows the form may send it at once.
func (g *Groups) hatCommand(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	c, err := r.hatCommandFor(t.Sender.JID, payload)
	if err != nil {
		return nil, err
	}
	switch action := payload.Attr("action"); {
	case action == "cancel":
		return answer(t, c.answer("canceled", nil)), nil
	case action != "" && action != "execute" && action != "complete" && action != "next":
		return nil, xmpp.BadRequest.Because("no such action")
	case c.name == "list" || c.name == "list-assigned":
		return answer(t, c.answer("completed", c.listed())), nil
	}
	x := payload.Child(xmpp.NSData, "x")
	if x == nil {
		return answer(t, c.answer("executing", c.form().Element())), nil
	}
	form, err := xmpp.ParseForm(x)
	if err != nil || form.Type != "submit" || form.FormType() != hatForm && form.FormType() != "" {
		return nil, xmpp.BadRequest.Because("not an answer to the form of %s", hatForm)
	}
	p, err := g.carryOut(t, r, c, form)
	if err != nil {
		return nil, err
	}
	return g.answered(t, p, func() *xmpp.Element { return c.answer("completed", nil) }), nil
}

// hatCommandFor finds the command that is meant, for somebody who has it.
func (r *room) hatCommandFor(who xmpp.JID, payload *xmpp.Element) (*command, error) {
	name, _ := strings.CutPrefix(payload.Attr("node"), hatForm+":")
	known, ok := hatCommands[name]
	if !ok {
		return nil, xmpp.ItemNotFound
	}
	c := &command{name: name, session: payload.Attr("sessionid"), members: map[xmpp.JID]standing{}}
	if c.session == "" || len(c.session) > 64 {
		c.session = rand.Text()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	stands := r.stands(who).affiliation
	switch {
	case r.destroyed != "":
		return nil, r.gone()
	case stands < known.least, name == "list-assigned" && r.settings.Anonymous && stands < admin:
		return nil, xmpp.Forbidden
	}
	c.settings = r.settings
	for user, s := range r.members {
		if s.hats != "" {
			c.members[user] = s
		}
	}
	return c, nil
}

// carryOut plans what a form asks for.
func (g *Groups) carryOut(t *core.Transit, r *room, c *command, form *xmpp.Form) (*plan, error) {
	by, uri := t.Sender.JID, form.Get("hats#uri")
	switch c.name {
	case "create":
		h := hat{uri: uri, hue: form.Get("hats#hue"), title: strings.TrimSpace(form.Get("hats#title"))}
		if err := h.check(); err != nil {
			return nil, err
		}
		return g.reconfigured(r, by, forOwners, func(next *Settings) error { return next.putHat(h) }), nil
	case "destroy":
		return g.reconfigured(r, by, forOwners, func(next *Settings) error {
			all := next.hats()
			rest := slices.DeleteFunc(slices.Clone(all), func(h hat) bool { return h.uri == uri })
			if len(rest) == len(all) {
				return xmpp.ItemNotFound.Because("there is no such hat")
			}
			next.setHats(rest)
			return nil
		}), nil
	}
	user, err := xmpp.ParseJID(form.Get("hats#jid"))
	if err != nil {
		return nil, xmpp.JIDMalformed
	}
	return g.giving(r, by, user.Bare(), uri, c.name == "assign"), nil
}

func forOwners(_ state, by standing) error {
	if by.affiliation < owner {
		return xmpp.Forbidden.Because("that is for owners")
	}
	return nil
}

// putHat defines a hat, or defines it anew.
func (s *Settings) putHat(h hat) error {
	all := s.hats()
	if i := slices.IndexFunc(all, func(one hat) bool { return one.uri == h.uri }); i >= 0 {
		all[i] = h
	} else if all = append(all, h); len(all) > maxHats {
		return xmpp.NotAllowed.Because("a group has at most %d hats", maxHats)
	}
	s.setHats(all)
	return nil
}

// form is what a command asks.
func (c *command) form() *xmpp.Form {
	form := xmpp.NewForm("form", hatForm)
	form.Title = hatCommands[c.name].title
	if c.name == "create" {
		form.Add("hats#title", "text-single", "What it is called").Add("hats#uri", "text-single", "Its address").Add("hats#hue", "text-single", "Its colour, 0 to 360")
		form.Field("hats#title").Required, form.Field("hats#uri").Required = true, true
		return form
	}
	if c.name != "destroy" {
		form.Add("hats#jid", "jid-single", "Whose")
		form.Field("hats#jid").Required = true
	}
	form.Add("hats#uri", "list-single", "Which hat")
	which := form.Field("hats#uri")
	which.Required = true
	for _, h := range c.settings.hats() {
		which.Options = append(which.Options, xmpp.Option{Label: h.title, Value: h.uri})
	}
	return form
}

// listed is the table of all hats, or of who wears which.
func (c *command) listed() *xmpp.Element {
	form := xmpp.NewForm("result", hatForm)
	form.Title = hatCommands[c.name].title
	x, reported := form.Element(), xmpp.NewElement(xmpp.NSData, "reported")
	columns := []string{"hats#title", "hats#uri", "hats#hue"}
	if c.name == "list-assigned" {
		columns = append([]string{"hats#jid"}, columns...)
	}
	for _, column := range columns {
		reported.Add(xmpp.NewElement(xmpp.NSData, "field").Set("var", column))
	}
	x.Add(reported)
	rows := 0
	row := func(values map[string]string) {
		if rows++; rows > maxRows {
			return
		}
		item := xmpp.NewElement(xmpp.NSData, "item")
		for _, column := range columns {
			item.Add(xmpp.NewElement(xmpp.NSData, "field", xmpp.NewText(xmpp.NSData, "value", values[column])).Set("var", column))
		}
		x.Add(item)
	}
	for _, h := range c.settings.hats() {
		values := map[string]string{"hats#title": h.title, "hats#uri": h.uri, "hats#hue": h.hue}
		if c.name == "list" {
			row(values)
			continue
		}
		for _, user := range slices.SortedFunc(maps.Keys(c.members), func(a, b xmpp.JID) int { return strings.Compare(a.String(), b.String()) }) {
			if slices.Contains(strings.Fields(c.members[user].hats), h.uri) {
				values["hats#jid"] = user.String()
				row(values)
			}
		}
	}
	return x
}
