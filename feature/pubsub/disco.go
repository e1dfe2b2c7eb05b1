package pubsub

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of XEP-0030.
const (
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"
	nsDiscoItems = "http://jabber.org/protocol/disco#items"
)

// Identity is what service discovery says of an account's bare address (XEP-0163 §6).
func Identity() *xmpp.Element {
	return xmpp.NewElement(nsDiscoInfo, "identity").Set("category", "pubsub").Set("type", "pep")
}

// NodeInfo is what service discovery says of a node of an account: the children of <query/> (XEP-0060 §5.3, §5.4). It returns
// xmpp.ItemNotFound for a node that is not there, and says why to an asker who may not read it.
func (f *Feature) NodeInfo(ctx context.Context, r *core.Request, nodeName string) ([]*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, nodeName)
	if err != nil {
		return nil, err
	}
	if err := f.mayRead(ctx, r.Account, n, asker(r)); err != nil {
		return nil, err
	}
	var count int
	err = f.db.QueryRow(ctx, "select count(*) from pubsub_item where node = $1 and id > $2", n.id, n.oldest()).Scan(&count)
	if err != nil {
		return nil, fmt.Errorf("count items: %w", err)
	}
	form := xmpp.NewForm("result", NS+"#meta-data")
	for _, f := range fields {
		form.Add(f.name, f.kind, f.label, f.get(&n.settings)...)
	}
	form.Add("pubsub#owner", "jid-multi", "", r.Account.JID.String())
	form.Add("pubsub#creation_date", "text-single", "", xmpp.FormatTime(time.UnixMicro(n.id)))
	if f.sightOf(r.Account, n, asker(r)) == nil {
		form.Add("pubsub#num_items", "text-single", "", strconv.Itoa(count))
	}
	return []*xmpp.Element{
		xmpp.NewElement(nsDiscoInfo, "identity").Set("category", "pubsub").Set("type", "leaf"),
		xmpp.NewElement(nsDiscoInfo, "feature").Set("var", NS),
		form.Element(),
	}, nil
}

// NodeItems lists the nodes of an account that the asker may read, or, with a node's name, the items of that node: the children of
// <query/> (XEP-0060 §5.2, §5.5). It returns xmpp.ItemNotFound for a node that is not there.
func (f *Feature) NodeItems(ctx context.Context, r *core.Request, nodeName string) ([]*xmpp.Element, error) {
	if nodeName == "" {
		return f.listNodes(ctx, r.Account, asker(r))
	}
	n, err := f.need(ctx, r.Account, nodeName)
	if err != nil {
		return nil, err
	}
	if err := f.mayRead(ctx, r.Account, n, asker(r)); err != nil {
		return nil, err
	}
	if f.sightOf(r.Account, n, asker(r)) != nil {
		return nil, nil // not every item is for everybody: ask for them
	}
	rows, err := f.db.Query(ctx, "select name from pubsub_item where node = $1 and id > $2 order by id desc limit $3",
		n.id, n.oldest(), int64(f.cfg.MaxPage))
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	var list []*xmpp.Element
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list items: %w", err)
		}
		list = append(list, discoItem(r.Account).Set("name", name))
	}
	return list, nil
}

func discoItem(account *core.Account) *xmpp.Element {
	return xmpp.NewElement(nsDiscoItems, "item").Set("jid", account.JID.String())
}

func (f *Feature) listNodes(ctx context.Context, account *core.Account, who xmpp.JID) ([]*xmpp.Element, error) {
	nodes, err := f.nodes(ctx, account)
	if err != nil {
		return nil, err
	}
	var list []*xmpp.Element
	for i := range nodes {
		if f.mayRead(ctx, account, &nodes[i], who) != nil {
			continue
		}
		e := discoItem(account).Set("node", nodes[i].name)
		if title := nodes[i].settings.Title; title != "" {
			e.Set("name", title)
		}
		list = append(list, e)
	}
	return list, nil
}

// nodes reads all nodes of an account.
func (f *Feature) nodes(ctx context.Context, account *core.Account) ([]node, error) {
	rows, err := f.db.Query(ctx, "select id, name, settings from pubsub_node where account = $1 order by id", account.ID)
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	var nodes []node
	for rows.Next() {
		var n node
		var settings string
		if err := rows.Scan(&n.id, &n.name, &settings); err != nil {
			return nil, fmt.Errorf("list nodes: %w", err)
		}
		if n.settings, err = f.settingsOf(n.name, settings); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}
