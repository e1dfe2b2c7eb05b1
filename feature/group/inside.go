package group

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// nsBookmark is XEP-0402, in whose words a community lists its groups.
const nsBookmark = "urn:xmpp:bookmarks:1"

// How somebody becomes a member of a group of a community.
const (
	joinOpen    = "open"    // by themselves, if they are in the community
	joinAsk     = "ask"     // when an administrator of the group lets them in
	joinInvited = "invited" // when somebody adds them
)

// subscriber refuses who speaks for somebody else (XEP-0060 §6.1.3.1).
func subscriber(t *core.Transit, e *xmpp.Element) error {
	who, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil || who.Bare() != t.Sender.JID {
		return xmpp.BadRequest.With(xmpp.NewElement(nsPubSubErrors, "invalid-jid"))
	}
	return nil
}

// joinCommunity plans that somebody comes into a community, or waits for an administrator (XEP-0503 §5.3).
func (g *Groups) joinCommunity(t *core.Transit, r *room, e *xmpp.Element) (*plan, error) {
	if err := subscriber(t, e); err != nil {
		return nil, err
	}
	user := t.Sender.JID
	if !g.letters.allow(user.String(), maxLetters, g.now()) {
		return nil, xmpp.ResourceConstraint.Because("at most %d requests in a minute", maxLetters)
	}
	r.mu.Lock()
	s, settings := r.stands(user), r.settings
	r.mu.Unlock()
	as := func(state string) func() *xmpp.Element {
		return func() *xmpp.Element {
			one := xmpp.NewElement(nsPubSub, "subscription").Set("node", r.jid.Local()).Set("jid", user.String()).Set("subscription", state)
			return xmpp.NewElement(nsPubSub, "pubsub", one)
		}
	}
	switch {
	case s.affiliation == outcast:
		return nil, xmpp.Forbidden.Because("you were banned from this community")
	case s.affiliation >= member:
		return answer(t, as("subscribed")()), nil
	case s.invited():
		return g.answered(t, g.accept(r, user, s.offered, ""), as("subscribed")), nil
	case settings.Approve:
		return g.answered(t, g.request(t, r, "", ""), as("pending")), nil
	case settings.MembersOnly:
		return nil, xmpp.NotAllowed.With(xmpp.NewElement(nsPubSubErrors, "closed-node"))
	}
	all := &standings{groups: g, room: r, by: user, wishes: []wish{{user: user, as: member}}}
	all.allowed = func(s state, _ standing, _ bool, from, _ affiliation) error {
		if from != none || s.settings.MembersOnly || s.settings.Approve {
			return xmpp.NotAllowed.Because("the community has just been changed")
		}
		return nil
	}
	return g.answered(t, all.plan(), as("subscribed")), nil
}

// leaveCommunity plans that somebody leaves a community, and so all its groups, or waits to come in no longer.
func (g *Groups) leaveCommunity(t *core.Transit, r *room, e *xmpp.Element) (*plan, error) {
	if err := subscriber(t, e); err != nil {
		return nil, err
	}
	user := t.Sender.JID
	r.mu.Lock()
	inside := r.isMember(user) || r.stands(user).invited()
	r.mu.Unlock()
	if inside {
		return g.answered(t, g.setAffiliations(user, r, []wish{{user: user, as: none}}), nil), nil
	}
	p := &plan{room: r, write: func(ctx context.Context) error {
		n, err := g.db.Exec(ctx, "delete from group_request where room = $1 and jid = $2", r.id, user.String())
		if err != nil {
			return fmt.Errorf("forget request: %w", err)
		}
		if n == 0 {
			return xmpp.UnexpectedRequest.With(xmpp.NewElement(nsPubSubErrors, "not-subscribed"))
		}
		return nil
	}}
	return g.answered(t, p, nil), nil
}

// inside lists the groups of a community for its members, the announcements first (XEP-0503 §5.4).
func (g *Groups) inside(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	stands, name, most := r.stands(t.Sender.JID), r.settings.Name, r.countMembers()
	r.mu.Unlock()
	if stands.affiliation < member {
		return nil, xmpp.NotAuthorized.With(xmpp.NewElement(nsPubSubErrors, "not-subscribed"))
	}
	items := xmpp.NewElement(nsPubSub, "items").Set("node", r.jid.Local())
	items.Add(bookmarkItem(r.jid, name, true, about(stands.affiliation, joinOpen, most).Set("kind", "community")))
	rows, err := g.db.Query(ctx, `select r.name, r.settings, c.open, (select count(*) from group_member m where m.room = r.id and m.affiliation >= $3),
		coalesce((select m.affiliation from group_member m where m.room = r.id and m.jid = $2), 0)
		from group_child c join group_room r on r.id = c.room where c.community = $1 order by c.since`, r.id, t.Sender.JID.String(), int64(member))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	for rows.Next() {
		var local, text string
		var open, members int64
		var as affiliation
		if err := rows.Scan(&local, &text, &open, &members, &as); err != nil {
			return nil, fmt.Errorf("list groups: %w", err)
		}
		s, err := readSettings(text)
		if err != nil {
			return nil, err
		}
		jid, err := xmpp.NewJID(local, g.domain.Domain(), "")
		if err != nil {
			return nil, err
		}
		items.Add(bookmarkItem(jid, s.Name, false, about(as, s.join(open != 0), int(members)).AddText(s.Description)))
	}
	return answer(t, xmpp.NewElement(nsPubSub, "pubsub", items)), nil
}

// join is how somebody in the community becomes a member.
func (s *Settings) join(open bool) string {
	switch {
	case open:
		return joinOpen
	case s.Approve:
		return joinAsk
	}
	return joinInvited
}

func about(as affiliation, join string, members int) *xmpp.Element {
	return xmpp.NewElement(NS, "group").Set("affiliation", as.String()).Set("join", join).Set("members", itoa(members))
}

func bookmarkItem(jid xmpp.JID, name string, autojoin bool, about *xmpp.Element) *xmpp.Element {
	conference := xmpp.NewElement(nsBookmark, "conference").Set("name", name)
	if autojoin {
		conference.Set("autojoin", "true")
	}
	return xmpp.NewElement(nsPubSub, "item", conference.Add(xmpp.NewElement(nsBookmark, "extensions", about))).Set("id", jid.String())
}

// named is the group that an item of a request is.
func (g *Groups) named(e *xmpp.Element) (*xmpp.Element, xmpp.JID, error) {
	item := e.Child(nsPubSub, "item")
	jid, err := xmpp.ParseJID(item.Attr("id"))
	switch {
	case item == nil:
		return nil, jid, xmpp.BadRequest.With(xmpp.NewElement(nsPubSubErrors, "item-required"))
	case err != nil || jid.Local() == "" || !jid.IsBare():
		return nil, jid, xmpp.JIDMalformed.Because("the id of an item is the address of a group")
	case jid.Domain() != g.domain.Domain():
		return nil, jid, xmpp.NotAllowed.Because("only groups of this service can be in a community")
	}
	return item, jid, nil
}

// adding is the change that puts a group into a community, or says otherwise how one comes into it.
type adding struct {
	groups *Groups
	room   *room // the community
	by     xmpp.JID
	group  xmpp.JID
	open   bool

	child int64
	fresh bool
}

// addGroup plans that a group belongs to a community.
func (g *Groups) addGroup(t *core.Transit, r *room, e *xmpp.Element) (*plan, error) {
	item, jid, err := g.named(e)
	if err != nil {
		return nil, err
	}
	conference := item.Child(nsBookmark, "conference")
	if conference == nil {
		return nil, xmpp.BadRequest.With(xmpp.NewElement(nsPubSubErrors, "invalid-payload"))
	}
	join := conference.Child(nsBookmark, "extensions").Child(NS, "group").Attr("join")
	a := &adding{groups: g, room: r, by: t.Sender.JID, group: jid, open: join == joinOpen}
	p := g.change(r, changing{by: a.by, check: a.check, write: a.write, done: func(int64) {}})
	return g.answered(t, p, func() *xmpp.Element {
		published := xmpp.NewElement(nsPubSub, "item").Set("id", jid.String())
		return xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", published).Set("node", r.jid.Local()))
	}), nil
}

func (a *adding) check(ctx context.Context, _ state, by standing) (*xmpp.Element, error) {
	g := a.groups
	if by.affiliation < admin {
		return nil, xmpp.Forbidden.Because("administrators of the community add groups to it")
	}
	settings, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	stands, err := g.readStanding(ctx, &room{id: a.child}, a.by)
	if err != nil {
		return nil, err
	}
	if stands.affiliation < owner {
		return nil, xmpp.Forbidden.Because("only who owns a group adds it")
	}
	in, err := g.communityOf(ctx, a.child)
	switch {
	case err != nil:
		return nil, err
	case in.id == a.room.id && in.open == a.open:
		return nil, nil
	case in.id != 0 && in.id != a.room.id:
		return nil, xmpp.Conflict.Because("the group belongs to another community")
	}
	a.fresh = in.id == 0
	if a.fresh {
		err = a.fits(ctx)
	}
	return changed("group-added", a.by, "jid", a.group.String(), "name", settings.Name, "join", settings.join(a.open)), err
}

// find looks up the group, and refuses what is none that can be added.
func (a *adding) find(ctx context.Context) (s Settings, err error) {
	var text string
	var over int64
	err = a.groups.db.QueryRow(ctx, "select id, settings, case when destroyed is null then 0 else 1 end from group_room where name = $1", a.group.Local()).Scan(&a.child, &text, &over)
	if errors.Is(err, store.ErrNoRows) {
		return s, xmpp.ItemNotFound
	}
	if err != nil {
		return s, fmt.Errorf("find group: %w", err)
	}
	if s, err = readSettings(text); err != nil {
		return s, err
	}
	switch {
	case over != 0:
		err = xmpp.Gone
	case s.Community:
		err = xmpp.NotAllowed.Because("a community is in no community")
	case s.Locked || !s.MembersOnly || !s.Persistent:
		err = xmpp.NotAllowed.Because("a group of a community is kept, and for members only")
	}
	return s, err
}

// fits refuses one group, or people, more than a community may have.
func (a *adding) fits(ctx context.Context) error {
	var groups, strangers int
	err := a.groups.db.QueryRow(ctx, `select (select count(*) from group_child where community = $1), (select count(*) from group_member m where m.room = $2 and m.affiliation >= $3
		and not exists (select 1 from group_member c where c.room = $1 and c.jid = m.jid and c.affiliation <> 0))`, a.room.id, a.child, int64(member)).Scan(&groups, &strangers)
	if err != nil {
		return fmt.Errorf("count groups: %w", err)
	}
	if most := a.groups.cfg.MaxCommunityGroups; groups >= most {
		return xmpp.NotAllowed.Because("a community has at most %d groups", most)
	}
	return a.groups.fits(ctx, a.room.id, strangers)
}

// write keeps that the group belongs to the community, and notes that its members come into it, and that those go who were banned there.
func (a *adding) write(ctx context.Context, id int64) error {
	g := a.groups
	open := map[bool]int64{true: 1}[a.open]
	_, err := g.db.Exec(ctx, `insert into group_child (room, community, since, open) values ($1, $2, $3, $4) on conflict (room) do update set open = excluded.open`, a.child, a.room.id, id, open)
	if err != nil {
		return fmt.Errorf("add group: %w", err)
	}
	if !a.fresh {
		return nil
	}
	if err := g.follows(ctx, belongs, a.child, a.room.jid, a.by); err != nil {
		return err
	}
	rows, err := g.db.Query(ctx, `select m.jid, coalesce(c.affiliation, 0) from group_member m left join group_member c on c.room = $2 and c.jid = m.jid
		where m.room = $1 and m.affiliation >= $3 and coalesce(c.affiliation, 0) < $3 order by m.since, m.jid`, a.child, a.room.id, int64(member))
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	for rows.Next() {
		var text string
		var as affiliation
		if err := rows.Scan(&text, &as); err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		user, err := xmpp.ParseJID(text)
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		kind, where := enters, a.room.id
		if as == outcast {
			kind, where = departs, a.child
		}
		if err := g.follows(ctx, kind, where, user, a.by); err != nil {
			return err
		}
	}
	return nil
}

// removeGroup plans that a group belongs to a community no longer; its members stay in both.
func (g *Groups) removeGroup(t *core.Transit, r *room, e *xmpp.Element) (*plan, error) {
	_, jid, err := g.named(e)
	if err != nil {
		return nil, err
	}
	by := t.Sender.JID
	var child int64
	c := changing{by: by, done: func(int64) {}}
	c.check = func(ctx context.Context, _ state, stands standing) (*xmpp.Element, error) {
		err := g.db.QueryRow(ctx, "select c.room from group_child c join group_room r on r.id = c.room where c.community = $1 and r.name = $2", r.id, jid.Local()).Scan(&child)
		if err != nil && !errors.Is(err, store.ErrNoRows) {
			return nil, fmt.Errorf("find group: %w", err)
		}
		missing := err != nil
		if stands.affiliation < admin {
			own, err := g.readStanding(ctx, &room{id: child}, by)
			if err != nil {
				return nil, err
			}
			if own.affiliation < owner {
				return nil, xmpp.Forbidden.Because("administrators of the community, and who owns a group, take it out")
			}
		}
		if missing {
			return nil, xmpp.ItemNotFound
		}
		return changed("group-removed", by, "jid", jid.String()), nil
	}
	c.write = func(ctx context.Context, _ int64) error {
		if _, err := g.db.Exec(ctx, "delete from group_child where room = $1", child); err != nil {
			return fmt.Errorf("take group out: %w", err)
		}
		return g.follows(ctx, belongs, child, r.jid, by)
	}
	return g.answered(t, g.change(r, c), nil), nil
}
