package group

import (
	"context"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	nsPing  = "urn:xmpp:ping"
	nsMAM   = xmpp.NSArchive
)

// serviceFeatures are what the service announces, roomFeatures what each group does besides what its settings say.
var (
	serviceFeatures = append([]string{nsInfo, nsItems, nsMUC, nsPing, NS, nsSpace}, spaceFeatures...)
	roomFeatures    = []string{nsInfo, nsItems, nsMUC, nsPing, nsMAM, nsMAM + "#extended", "urn:xmpp:sid:0", nsWho, NS, nsMUC + "#self-ping-optimization", nsMUC + "#stable_id",
		"http://jabber.org/protocol/muc#request", "urn:xmpp:message-moderate:1", nsRetract, nsRetract + "#tombstone", nsAffiliations, nsRegister, "jabber:x:conference", nsCard, nsHats, nsCommands}
)

// answer makes a plan that answers an iq at once.
func answer(t *core.Transit, payload *xmpp.Element) *plan {
	return &plan{tell: func(context.Context) { t.Via.Send(t.Stanza.Reply(payload)) }}
}

// askedService answers what is asked of the service.
func (g *Groups) askedService(ctx context.Context, t *core.Transit) (*plan, error) {
	payload := t.Stanza.First()
	if payload == nil || t.Via == nil {
		return nil, xmpp.BadRequest
	}
	switch {
	case payload.Is(nsInfo, "query") && payload.Attr("node") == "":
		return answer(t, infoOf(nsInfo, xmpp.NewElement(nsInfo, "identity").Set("category", "conference").Set("type", "text").Set("name", "Groups"), serviceFeatures)), nil
	case payload.Is(nsInfo, "query"):
		return g.spaceInfo(ctx, t, payload.Attr("node"))
	case payload.Is(nsPubSub, "pubsub"), payload.Is(nsPubSubOwner, "pubsub"):
		return g.space(ctx, t, payload, t.Stanza.Type == "set")
	case payload.Is(nsItems, "query"):
		items, err := g.listed(ctx, payload)
		if err != nil {
			return nil, err
		}
		return answer(t, items), nil
	case payload.Is(nsPing, "ping"):
		return answer(t, nil), nil
	case payload.Is(NS, "attend") && t.Stanza.Type == "set":
		return g.attend(ctx, t, payload)
	}
	return nil, xmpp.ServiceUnavailable
}

func infoOf(space string, identity *xmpp.Element, features []string) *xmpp.Element {
	query := xmpp.NewElement(space, "query", identity)
	for _, feature := range features {
		query.Add(xmpp.NewElement(space, "feature").Set("var", feature))
	}
	return query
}

// asked decides about an iq to a group, or to somebody in it.
func (g *Groups) asked(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	payload := t.Stanza.First()
	if payload == nil || t.Via == nil {
		return nil, xmpp.BadRequest
	}
	if !t.Stanza.To.IsBare() {
		return g.askedOccupant(t, r, payload)
	}
	set := t.Stanza.Type == "set"
	switch {
	case payload.Is(nsInfo, "query"):
		return g.info(ctx, t, r, payload)
	case payload.Is(nsItems, "query") && payload.Attr("node") == nsCommands:
		return g.listCommands(t, r), nil
	case payload.Is(nsItems, "query"):
		return g.present(t, r)
	case payload.Is(nsCommands, "command") && set:
		return g.hatCommand(t, r, payload)
	case payload.Is(nsMAM, "query"):
		return g.query(ctx, t, r, payload, set)
	case payload.Is(nsMAM, "metadata"):
		return g.metadata(ctx, t, r)
	case payload.Is(nsAdmin, "query") && set:
		return g.administer(ctx, t, r, payload)
	case payload.Is(nsAdmin, "query"):
		return g.list(t, r, payload)
	case payload.Is(nsOwner, "query"):
		return g.own(t, r, payload, set)
	case payload.Is(nsRegister, "query"):
		return g.register(ctx, t, r, payload, set)
	case payload.Space == NS:
		return g.askedOurs(ctx, t, r, payload, set)
	case payload.Is(nsModerate, "moderate") && set:
		return g.moderate(ctx, t, r, payload)
	case payload.Is(nsCard, "vCard") && set:
		return g.setPicture(t, r, payload)
	case payload.Is(nsCard, "vCard"):
		return g.card(ctx, t, r)
	case payload.Is(nsPing, "ping"):
		return answer(t, nil), nil
	}
	return nil, xmpp.ServiceUnavailable
}

// askedOccupant decides about an iq to somebody in the room. A ping to oneself is answered here (XEP-0410 §3); the rest goes on to them.
func (g *Groups) askedOccupant(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	me := r.attending[t.Via]
	if me == nil || me.occupant == nil {
		if payload.Is(nsInfo, "query") || payload.Is(nsItems, "query") { // XEP-0045 §6.6
			return nil, xmpp.BadRequest.Because("who is not here asks nobody who is")
		}
		return nil, xmpp.NotAcceptable.Because("join first")
	}
	nick, err := cleanNick(t.Stanza.To.Resource())
	if err != nil {
		return nil, err
	}
	o := r.occupants[likeness(nick)]
	switch {
	case o == nil || o.nick != nick:
		return nil, xmpp.ItemNotFound
	case o == me.occupant && payload.Is(nsPing, "ping"):
		return answer(t, nil), nil
	}
	return nil, xmpp.FeatureNotImplemented.Because("ask their own address")
}

// info tells what a group is (XEP-0045 §6.4).
func (g *Groups) info(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	switch payload.Attr("node") {
	case "":
	case "x-roomuser-item": // the nick that is kept for the asker (XEP-0045 §6.6)
		r.mu.Lock()
		defer r.mu.Unlock()
		query := xmpp.NewElement(nsInfo, "query").Set("node", "x-roomuser-item")
		if s := r.stands(t.Sender.JID); s.nick != "" {
			query.Add(xmpp.NewElement(nsInfo, "identity").Set("category", "conference").Set("type", "text").Set("name", s.nick))
		}
		return answer(t, query), nil
	default:
		return nil, xmpp.ItemNotFound
	}
	in, err := g.communityOf(ctx, r.id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.destroyed != "" {
		return nil, xmpp.Gone
	}
	identity := xmpp.NewElement(nsInfo, "identity").Set("category", "conference").Set("type", "text").Set("name", r.settings.Name)
	query := infoOf(nsInfo, identity, append(roomFeatures, r.settings.features()...))
	form := xmpp.NewForm("result", nsMUC+"#roominfo")
	form.Add("muc#roominfo_description", "text-single", "Description", r.settings.Description)
	form.Add("muc#roominfo_occupants", "text-single", "Occupants", strconv.Itoa(len(r.occupants)))
	form.Add(NS+"#members", "text-single", "Members", strconv.Itoa(r.countMembers()))
	for _, field := range r.settings.form("result").Fields { // apps show by it what may be done
		if open := toldToAll[field.Var]; open {
			form.Add(field.Var, field.Type, "", field.Values...)
		}
	}
	if r.picture != "" {
		form.Add("muc#roominfo_avatarhash", "text-multi", "Picture", r.picture)
	}
	if r.settings.Hats != "" {
		form.Add("hats#hash", "text-single", "Hats", r.settings.hatHash())
	}
	if !r.tellsPresence(g.cfg.PresenceLimit) {
		form.Add("muc#roomconfig_presencebroadcast", "list-multi", "Who is told when somebody comes or goes")
	}
	g.tellParent(t, r, in, query, form)
	return answer(t, query.Add(form.Element())), nil
}

// toldToAll are the settings that who asks about a group is told, besides those that are features.
var toldToAll = map[string]bool{
	configField + "_changesubject": true, configField + "_allowinvites": true,
	NS + "#only-admins-write": true, NS + "#approve": true, NS + "#whole-history": true, NS + "#slow": true,
}

// features are what the settings of a group announce (XEP-0045 §15.3).
func (s *Settings) features() []string {
	pick := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	return []string{pick(s.MembersOnly, "muc_membersonly", "muc_open"), pick(s.Hidden, "muc_hidden", "muc_public"), pick(s.Moderated, "muc_moderated", "muc_unmoderated"),
		pick(s.Anonymous, "muc_semianonymous", "muc_nonanonymous"), pick(s.Persistent, "muc_persistent", "muc_temporary"), pick(s.Password != "", "muc_passwordprotected", "muc_unsecured")}
}

// present lists who is in the room, for those who are in it (XEP-0045 §6.5).
func (g *Groups) present(t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	query := xmpp.NewElement(nsItems, "query")
	if me := r.attending[t.Via]; me != nil || !r.settings.Hidden {
		for _, o := range r.occupants {
			if len(query.Nodes) < g.cfg.MaxPage {
				query.Add(xmpp.NewElement(nsItems, "item").Set("jid", r.in(o.nick).String()))
			}
		}
	}
	return answer(t, query), nil
}

// listed are the groups that may be found, by pages (XEP-0045 §6.3, XEP-0059).
func (g *Groups) listed(ctx context.Context, payload *xmpp.Element) (*xmpp.Element, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	limit := page.Size(g.cfg.MaxPage)
	sql := "select name, settings from group_room where destroyed is null and name > $1 and settings not like '%\"hidden\":true%'"
	spaces := wantsSpaces(payload)
	if spaces {
		sql += " and settings like '%\"community\":true%'"
	}
	rows, err := g.db.Query(ctx, sql+" order by name limit $2", page.After, limit)
	if err != nil {
		return nil, err
	}
	query := xmpp.NewElement(nsItems, "query")
	paged := xmpp.Paged{Index: -1, Count: -1}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		s, err := readSettings(text)
		if err != nil {
			return nil, err
		}
		jid, err := xmpp.NewJID(name, g.domain.Domain(), "")
		if err != nil {
			return nil, err
		}
		if paged.First == "" {
			paged.First = name
		}
		paged.Last = name
		item := xmpp.NewElement(nsItems, "item").Set("jid", jid.String()).Set("name", s.Name)
		if spaces {
			item.Set("jid", g.domain.String()).Set("node", name)
		}
		query.Add(item)
	}
	return query.Add(paged.Element()), nil
}

// returned is an error or an answer that comes back to a group: an app that cannot take what is said has left without a word.
func (g *Groups) returned(ctx context.Context, t *core.Transit) (*plan, error) {
	if t.Stanza.Kind == xmpp.IQ || t.Stanza.To.Local() == "" || t.Via == nil {
		return nil, nil
	}
	r, err := g.rooms.get(ctx, t.Stanza.To.Local())
	if err != nil {
		return nil, nil
	}
	return g.leave(t, r), nil
}
