package channel

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// features are announced by the service (XEP-0060 §10, XEP-0472 §3).
var features = []string{nsInfo, nsItems, nsPing, nsPubSub, nsPubSub + "#access-open", nsPubSub + "#access-whitelist", nsPubSub + "#config-node", nsPubSub + "#config-node-max",
	nsPubSub + "#create-and-configure", nsPubSub + "#create-nodes", nsPubSub + "#delete-items", nsPubSub + "#delete-nodes", nsPubSub + "#item-ids",
	nsPubSub + "#member-affiliation", nsPubSub + "#meta-data", nsPubSub + "#modify-affiliations", nsPubSub + "#multi-items", nsPubSub + "#outcast-affiliation",
	nsPubSub + "#owner", nsPubSub + "#persistent-items", nsPubSub + "#publish", nsPubSub + "#publish-options", nsPubSub + "#publisher-affiliation",
	nsPubSub + "#retract-items", nsPubSub + "#retrieve-affiliations", nsPubSub + "#retrieve-default", nsPubSub + "#retrieve-items",
	nsPubSub + "#retrieve-subscriptions", nsPubSub + "#rsm", nsPubSub + "#subscribe", nsPubSub + "#subscription-options", nsFeed, nsMAM, nsMAM + "#extended", NS}

func identity(kind, name string) *xmpp.Element {
	return xmpp.NewElement(nsInfo, "identity").Set("category", "pubsub").Set("type", kind).Set("name", name)
}

func feature(name string) *xmpp.Element { return xmpp.NewElement(nsInfo, "feature").Set("var", name) }

// info tells what the service is, or a channel (XEP-0060 §5.1, §5.4).
func (cs *Channels) info(ctx context.Context, t *core.Transit, name string) (*plan, error) {
	query := xmpp.NewElement(nsInfo, "query")
	if node := t.Stanza.First().Attr("node"); node != "" {
		query.Set("node", node)
	}
	if name == "" {
		query.Add(identity("service", "Channels"))
		for _, one := range features {
			query.Add(feature(one))
		}
		return answer(t, query), nil
	}
	c, err := cs.loaded.get(ctx, name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.mayRead(t.Sender.JID); err != nil {
		return nil, err
	}
	query.Add(identity("leaf", c.settings.Title), feature(nsPubSub), feature(nsFeed), feature(nsMAM), feature(NS))
	return answer(t, query.Add(c.metadata().Element())), nil
}

// metadata is what a channel tells of itself (XEP-0060 §5.4); c.mu is held.
func (c *channel) metadata() *xmpp.Form {
	form := c.settings.form("result", nsPubSub+"#meta-data")
	for i := range form.Fields {
		form.Fields[i].Label, form.Fields[i].Options = "", nil
	}
	var owners, publishers []string
	for who, as := range c.people {
		switch as {
		case owner:
			owners = append(owners, who.String())
		case publisher:
			publishers = append(publishers, who.String())
		}
	}
	form.Add("pubsub#owner", "jid-multi", "", sorted(owners)...)
	form.Add("pubsub#publisher", "jid-multi", "", sorted(publishers)...)
	form.Add("pubsub#creation_date", "text-single", "", xmpp.FormatTime(time.UnixMicro(c.id)))
	form.Add("pubsub#num_subscribers", "text-single", "", strconv.Itoa(c.followers))
	form.Add(NS+"#newest", "text-single", "", strconv.FormatInt(c.told, 10))
	if c.mark != "" {
		form.Add(NS+"#mark", "text-single", "", c.mark)
		form.Add(NS+"#marked", "text-single", "", xmpp.FormatTime(time.UnixMicro(c.marked)))
	}
	return form
}

// items lists the channels that may be found, by pages, or the newest posts of one (XEP-0060 §5.2, §5.5).
func (cs *Channels) items(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	limit := page.Size(cs.cfg.MaxPage)
	if payload.Attr("node") != "" {
		return cs.itemsOf(ctx, t, payload)
	}
	rows, err := cs.db.Query(ctx, "select name, settings from channel_node where deleted = 0 and name > $1 and settings not like '%\"private\":true%' order by name limit $2", page.After, limit)
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	query := xmpp.NewElement(nsItems, "query")
	paged := xmpp.Paged{Index: -1, Count: -1}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, fmt.Errorf("list channels: %w", err)
		}
		s, err := readSettings(text)
		if err != nil {
			return nil, err
		}
		if paged.First == "" {
			paged.First = name
		}
		paged.Last = name
		item := xmpp.NewElement(nsItems, "item").Set("jid", cs.domain.String()).Set("node", name)
		if s.Title != "" {
			item.Set("name", s.Title)
		}
		query.Add(item)
	}
	return answer(t, query.Add(paged.Element())), nil
}

func (cs *Channels) itemsOf(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	rows, err := cs.db.Query(ctx, "select item from channel_entry where channel = $1 and kind = $2 order by id desc limit $3", c.id, int64(postEntry), int64(cs.cfg.MaxPage))
	if err != nil {
		return nil, fmt.Errorf("list posts: %w", err)
	}
	query := xmpp.NewElement(nsItems, "query").Set("node", c.name)
	for rows.Next() {
		var item string
		if err := rows.Scan(&item); err != nil {
			return nil, fmt.Errorf("list posts: %w", err)
		}
		query.Add(xmpp.NewElement(nsItems, "item").Set("jid", cs.domain.String()).Set("name", item))
	}
	return answer(t, query), nil
}
