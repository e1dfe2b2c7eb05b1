package group

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"palabre.dev/palabre/xmpp"
)

// nsHats is XEP-0317. Owners define the hats of a group, which are a part of its settings; administrators give them to members and take them away.
const nsHats = "urn:xmpp:hats:0"

// Limits of hats.
const (
	maxHats     = 50  // that a group has
	maxWorn     = 10  // by one member
	maxHatURI   = 255 // bytes
	maxHatTitle = 100 // characters
)

// hat is one of a group; hue is an angle from 0 to 360 as it was written, "" for none.
type hat struct{ uri, hue, title string }

// line is a hat as the settings have it.
func (h hat) line() string {
	hue := h.hue
	if hue == "" {
		hue = "-"
	}
	return h.uri + " " + hue + " " + h.title
}

// hats are those that the settings define.
func (s *Settings) hats() (all []hat) {
	for line := range strings.SplitSeq(s.Hats, "\n") {
		if part := strings.SplitN(line, " ", 3); len(part) == 3 {
			all = append(all, hat{uri: part[0], hue: strings.TrimPrefix(part[1], "-"), title: part[2]})
		}
	}
	return all
}

// setHats puts others in their place.
func (s *Settings) setHats(all []hat) {
	lines := make([]string, len(all))
	for i, h := range all {
		lines[i] = h.line()
	}
	s.Hats = strings.Join(lines, "\n")
}

// takeHats reads the lines of a form: an address, a hue or "-", and what the hat is called.
func (s *Settings) takeHats(lines string) error {
	var all []hat
	for line := range strings.SplitSeq(lines, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		part := strings.SplitN(line, " ", 3)
		if len(part) < 3 {
			return xmpp.NotAcceptable.Because("a hat is an address, a hue or -, and what it is called")
		}
		h := hat{uri: part[0], hue: strings.TrimPrefix(part[1], "-"), title: strings.TrimSpace(part[2])}
		if err := h.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(other hat) bool { return other.uri == h.uri }) {
			return xmpp.NotAcceptable.Because("each hat has an address of its own")
		}
		all = append(all, h)
	}
	if len(all) > maxHats {
		return xmpp.NotAcceptable.Because("a group has at most %d hats", maxHats)
	}
	s.setHats(all)
	return nil
}

// check refuses what is no hat.
func (h hat) check() error {
	if u, err := url.Parse(h.uri); err != nil || u.Scheme == "" || len(h.uri) > maxHatURI || strings.ContainsFunc(h.uri, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return xmpp.NotAcceptable.Because("a hat has an absolute address of at most %d bytes", maxHatURI)
	}
	if n := len([]rune(h.title)); n == 0 || n > maxHatTitle || strings.ContainsFunc(h.title, unicode.IsControl) {
		return xmpp.NotAcceptable.Because("a hat is called something, with at most %d characters", maxHatTitle)
	}
	if h.hue == "" {
		return nil
	}
	if hue, err := strconv.ParseFloat(h.hue, 64); err != nil || len(h.hue) > 16 || !(hue >= 0 && hue <= 360) {
		return xmpp.NotAcceptable.Because("a hue is an angle from 0 to 360")
	}
	return nil
}

// wear is how somebody stands who wears one more hat, or one less.
func (s standing) wear(uri string, on bool) standing {
	worn := slices.DeleteFunc(strings.Fields(s.hats), func(one string) bool { return one == uri })
	if on {
		worn = append(worn, uri)
		slices.Sort(worn)
	}
	s.hats = strings.Join(worn, " ")
	return s
}

// wearOnly is how somebody stands who wears none but these.
func (s standing) wearOnly(defined []hat) standing {
	for _, uri := range strings.Fields(s.hats) {
		if !slices.ContainsFunc(defined, func(h hat) bool { return h.uri == uri }) {
			s = s.wear(uri, false)
		}
	}
	return s
}

// hatsOf are the hats that somebody wears, as their presence has them; nil for none; r.mu is held.
func (r *room) hatsOf(user xmpp.JID) *xmpp.Element {
	worn := strings.Fields(r.stands(user).hats)
	if len(worn) == 0 {
		return nil
	}
	all := xmpp.NewElement(nsHats, "hats")
	for _, h := range r.settings.hats() {
		if slices.Contains(worn, h.uri) {
			e := xmpp.NewElement(nsHats, "hat").Set("uri", h.uri).Set("title", h.title)
			if h.hue != "" {
				e.Set("hue", h.hue)
			}
			all.Add(e)
		}
	}
	return all
}

// tellHats tells those who are here how somebody is who wears others now; r.mu is held.
func (r *room) tellHats(limit int, user xmpp.JID) {
	if o := r.byUser(user); o != nil {
		r.tellPresence(limit, o, o.now(), nil, notice{})
	} else {
		r.showAway(limit, user)
	}
}

// changedHats are the members who wear hats when a group defines others, as they stand then.
type changedHats map[xmpp.JID]standing

// withoutHats takes from all members the hats that the settings define no more, within the transaction of ctx, and says so in the change.
func (g *Groups) withoutHats(ctx context.Context, r *room, next *Settings, what *xmpp.Element) (all changedHats, err error) {
	all = changedHats{}
	rows, err := g.db.Query(ctx, "select jid from group_member where room = $1 and hats <> ''", r.id)
	if err != nil {
		return all, fmt.Errorf("who wears hats: %w", err)
	}
	defined := next.hats()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return all, fmt.Errorf("who wears hats: %w", err)
		}
		user, err := xmpp.ParseJID(text)
		if err != nil {
			return all, fmt.Errorf("who wears hats: %w", err)
		}
		before, err := g.readStanding(ctx, r, user)
		if err != nil {
			return all, err
		}
		now := before.wearOnly(defined)
		if all[user] = now; now == before {
			continue
		}
		if err := g.writeStanding(ctx, r, user, now); err != nil {
			return all, err
		}
		what.Add(whoStands(user, before, now))
	}
	return all, nil
}

// nowWorn does that in memory, and tells how all look who wear hats; r.mu is held.
func (g *Groups) nowWorn(r *room, all changedHats) {
	for user, now := range all {
		if s, is := r.members[user]; is {
			s.hats = now.hats
			r.members[user] = s
		}
		r.tellHats(g.cfg.PresenceLimit, user)
	}
}

// giving plans that somebody wears a hat, or does so no more.
func (g *Groups) giving(r *room, by, user xmpp.JID, uri string, on bool) *plan {
	var now standing
	c := changing{by: by}
	c.check = func(ctx context.Context, s state, stands standing) (*xmpp.Element, error) {
		before, err := g.readStanding(ctx, r, user)
		switch {
		case err != nil:
			return nil, err
		case stands.affiliation < admin:
			return nil, xmpp.Forbidden.Because("that is for administrators")
		case before.affiliation < member:
			return nil, xmpp.ItemNotFound.Because("they are no member")
		case !slices.ContainsFunc(s.settings.hats(), func(h hat) bool { return h.uri == uri }):
			return nil, xmpp.ItemNotFound.Because("there is no such hat")
		}
		now = before.wear(uri, on)
		switch {
		case now == before:
			return nil, nil
		case len(strings.Fields(now.hats)) > maxWorn:
			return nil, xmpp.NotAllowed.Because("nobody wears more than %d hats", maxWorn)
		}
		return changed("hats", by).Add(whoStands(user, before, now)), nil
	}
	c.write = func(ctx context.Context, _ int64) error { return g.writeStanding(ctx, r, user, now) }
	c.done = func(int64) {
		r.members[user] = now
		r.tellHats(g.cfg.PresenceLimit, user)
	}
	return g.change(r, c)
}
