package group

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of communities as other apps know them: spaces (XEP-0503) in words of XEP-0060.
const (
	nsSpace        = "urn:xmpp:spaces:0"
	nsPubSub       = "http://jabber.org/protocol/pubsub"
	nsPubSubOwner  = nsPubSub + "#owner"
	nsPubSubErrors = nsPubSub + "#errors"
	nodeConfig     = nsPubSub + "#node_config"
	nsFilter       = "urn:xmpp:pubsub-filter:0"
)

// spaceFeatures are the parts of XEP-0060 that communities have. The service does not call itself one of XEP-0060: apps that look for such a one want to publish
// anything, and find the channels.
var spaceFeatures = []string{nsPubSub + "#create-nodes", nsPubSub + "#instant-nodes", nsPubSub + "#delete-nodes", nsPubSub + "#meta-data", nsPubSub + "#publish", nsPubSub + "#retract-items",
	nsPubSub + "#item-ids", nsPubSub + "#multi-items", nsPubSub + "#persistent-items", nsPubSub + "#retrieve-items", nsPubSub + "#subscribe", nsFilter}

// The access models of a community (XEP-0503 §3): who comes in, and what an administrator has to say to it.
const (
	accessOpen      = "open"
	accessAuthorize = "authorize"
	accessWhitelist = "whitelist"
)

// space decides about what is asked of a community by its node (docs/protocol/communities.md).
func (g *Groups) space(ctx context.Context, t *core.Transit, payload *xmpp.Element, set bool) (*plan, error) {
	var e *xmpp.Element
	for child := range payload.Children() {
		if child.Space == payload.Space && child.Local != "configure" {
			e = child
			break
		}
	}
	if e == nil {
		return nil, xmpp.BadRequest.Because("there is nothing to do in this request")
	}
	if set && e.Is(nsPubSub, "create") {
		return g.makeCommunity(t, payload, e)
	}
	r, err := g.community(ctx, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	switch {
	case !set && e.Is(nsPubSub, "items"):
		return g.inside(ctx, t, r)
	case !set:
	case e.Is(nsPubSub, "subscribe"):
		return g.joinCommunity(t, r, e)
	case e.Is(nsPubSub, "unsubscribe"):
		return g.leaveCommunity(t, r, e)
	case e.Is(nsPubSub, "publish"):
		return g.addGroup(t, r, e)
	case e.Is(nsPubSub, "retract"):
		return g.removeGroup(t, r, e)
	case e.Is(nsPubSubOwner, "delete"):
		return g.destroy(t, r, xmpp.NewElement(nsOwner, "destroy"))
	}
	return nil, xmpp.FeatureNotImplemented
}

// community is the group of the announcements of a community that lives.
func (g *Groups) community(ctx context.Context, node string) (*room, error) {
	if node == "" {
		return nil, xmpp.BadRequest.With(xmpp.NewElement(nsPubSubErrors, "nodeid-required"))
	}
	r, err := g.rooms.get(ctx, node)
	if errors.Is(err, errNoRoom) {
		return nil, xmpp.ItemNotFound
	}
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.settings.Community:
		return nil, xmpp.ItemNotFound
	case r.destroyed != "":
		return nil, r.gone()
	}
	return r, nil
}

// makeCommunity plans a community with its owner; its address is that of its announcements.
func (g *Groups) makeCommunity(t *core.Transit, payload, e *xmpp.Element) (*plan, error) {
	name := e.Attr("node")
	if name == "" {
		name = strings.ToLower(rand.Text())
	}
	jid, err := xmpp.NewJID(name, g.domain.Domain(), "")
	if err != nil {
		return nil, xmpp.JIDMalformed
	}
	form, err := xmpp.ParseForm(payload.Child(nsPubSub, "configure").Child(xmpp.NSData, "x"))
	if err != nil || form.Type != "submit" || form.FormType() != nodeConfig {
		return nil, xmpp.BadRequest.Because("a community is made with a form of %s", nodeConfig)
	}
	settings := communitySettings()
	if err := settings.takeSpace(form); err != nil {
		return nil, err
	}
	nick, err := cleanNick(t.Sender.JID.Local())
	if err != nil {
		nick = "owner"
	}
	p, _, err := g.makeRoom(t.Sender, jid.Local(), nick, settings)
	if err != nil {
		return nil, err
	}
	user := t.Sender.JID
	p.tell = func(ctx context.Context) {
		r, err := g.rooms.get(ctx, jid.Local())
		if err != nil {
			g.log.Error("a community that was just made is not there", "err", err)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, session := range g.rooms.attendingSessions(user) {
			g.follow(r, session)
		}
	}
	return g.answered(t, p, func() *xmpp.Element {
		return xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "create").Set("node", jid.Local()))
	}), nil
}

// takeSpace reads the configuration of a node as the settings of a community.
func (s *Settings) takeSpace(form *xmpp.Form) error {
	if form.Get("pubsub#type") != nsSpace {
		return xmpp.NotAcceptable.Because("pubsub#type must be %s", nsSpace)
	}
	if form.Get("pubsub#title") == "" {
		return xmpp.NotAcceptable.Because("a community has a name: pubsub#title")
	}
	if err := takeText(&s.Name, form.Get("pubsub#title"), maxName, "a name"); err != nil {
		return err
	}
	if err := takeText(&s.Description, form.Get("pubsub#description"), maxDescription, "a description"); err != nil {
		return err
	}
	switch form.Get("pubsub#access_model") {
	case accessOpen:
		s.MembersOnly, s.Hidden = false, false
	case accessAuthorize:
		s.Approve = true
	case accessWhitelist, "":
	default:
		return xmpp.NotAcceptable.With(xmpp.NewElement(nsPubSubErrors, "unsupported-access-model"))
	}
	return nil
}

// access is the access model that the settings mean.
func (s *Settings) access() string {
	switch {
	case s.Approve:
		return accessAuthorize
	case s.MembersOnly:
		return accessWhitelist
	}
	return accessOpen
}

// spaceInfo tells what a community is (XEP-0503 §5.2).
func (g *Groups) spaceInfo(ctx context.Context, t *core.Transit, node string) (*plan, error) {
	r, err := g.community(ctx, node)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	query := infoOf(nsInfo, xmpp.NewElement(nsInfo, "identity").Set("category", "pubsub").Set("type", "leaf").Set("name", r.settings.Name), []string{nsPubSub, nsSpace}).Set("node", node)
	form := xmpp.NewForm("result", nsPubSub+"#meta-data")
	form.Add("pubsub#type", "text-single", "", nsSpace).Add("pubsub#title", "text-single", "", r.settings.Name).Add("pubsub#description", "text-single", "", r.settings.Description)
	form.Add("pubsub#access_model", "list-single", "", r.settings.access()).Add("pubsub#creation_date", "text-single", "", xmpp.FormatTime(time.UnixMicro(r.id)))
	form.Add("pubsub#num_subscribers", "text-single", "", strconv.Itoa(r.countMembers()))
	if r.isMember(t.Sender.JID) && r.seesAddresses(t.Sender.JID) {
		var owners []string
		for jid, s := range r.members {
			if s.affiliation == owner {
				owners = append(owners, jid.String())
			}
		}
		form.Add("pubsub#owner", "jid-multi", "", owners...)
	}
	return answer(t, query.Add(form.Element())), nil
}

// tellParent says in what a group tells of itself to which community it belongs (XEP-0503 §5.5): to its members; r.mu is held.
func (g *Groups) tellParent(t *core.Transit, r *room, in community, query *xmpp.Element, about *xmpp.Form) {
	node := in.name
	if r.settings.Community {
		node = r.jid.Local()
	}
	if node == "" || !r.isMember(t.Sender.JID) {
		return
	}
	uri := "xmpp:" + g.domain.String() + "?;node=" + node
	about.Add("muc#roomconfig_pubsub", "text-single", "Community", uri)
	query.Add(xmpp.NewElement(nsInfo, "feature").Set("var", nsSpace), xmpp.NewForm("result", nsSpace).Add("parent", "text-single", "Community", uri).Element())
}

// wantsSpaces reports whether who looks around looks for communities (XEP-0462).
func wantsSpaces(payload *xmpp.Element) bool {
	form, err := xmpp.ParseForm(payload.Child(nsFilter, "filter").Child(xmpp.NSData, "x"))
	if err != nil {
		return false
	}
	field := form.Field("included-types")
	if field == nil {
		return false
	}
	for _, value := range field.Values {
		if value == nsSpace {
			return true
		}
	}
	return false
}
