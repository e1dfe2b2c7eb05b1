package client

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/xmpp"
)

// Namespaces of XEP-0060.
const (
	nsPubSub       = "http://jabber.org/protocol/pubsub"
	nsPubSubEvent  = nsPubSub + "#event"
	nsPubSubOwner  = nsPubSub + "#owner"
	nsPubSubErrors = nsPubSub + "#errors"
	formOptions    = nsPubSub + "#publish-options"
	formConfigure  = nsPubSub + "#node_config"
)

// MaxItems is the most items that Items asks for.
const MaxItems = 1000

// Item is what is published at a node.
type Item struct {
	ID      string
	Payload *xmpp.Element
}

// Publication is an item and how its node must be (XEP-0060 §7.1.5). Empty fields are left to the server.
type Publication struct {
	Node     string
	Item     Item
	Access   string // access_model: open, presence, whitelist …
	MaxItems string // max_items: a number or "max"
	Persist  bool   // persist_items
}

// Publish publishes at one of the account's own nodes (XEP-0163). If the node is set up otherwise than asked, it is set up anew.
func (c *Client) Publish(ctx context.Context, p Publication) error {
	err := c.publish(ctx, p)
	refusal, ok := errors.AsType[*xmpp.Error](err)
	if !ok || !refusal.Detail.Is(nsPubSubErrors, "precondition-not-met") {
		return err
	}
	form := p.form("submit", formConfigure)
	owner := xmpp.NewElement(nsPubSubOwner, "pubsub", xmpp.NewElement(nsPubSubOwner, "configure", form.Element()).Set("node", p.Node))
	if _, err := c.Set(ctx, xmpp.JID{}, owner); err != nil {
		return fmt.Errorf("set up node %s: %w", p.Node, err)
	}
	return c.publish(ctx, p)
}

func (c *Client) publish(ctx context.Context, p Publication) error {
	item := xmpp.NewElement(nsPubSub, "item", p.Item.Payload)
	if p.Item.ID != "" {
		item.Set("id", p.Item.ID)
	}
	request := xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", p.Node))
	if form := p.form("submit", formOptions); len(form.Fields) > 1 {
		request.Add(xmpp.NewElement(nsPubSub, "publish-options", form.Element()))
	}
	if _, err := c.Set(ctx, xmpp.JID{}, request); err != nil {
		return fmt.Errorf("publish at %s: %w", p.Node, err)
	}
	return nil
}

func (p *Publication) form(kind, formType string) *xmpp.Form {
	form := xmpp.NewForm(kind, formType)
	if p.Access != "" {
		form.Add("pubsub#access_model", "", "", p.Access)
	}
	if p.MaxItems != "" {
		form.Add("pubsub#max_items", "", "", p.MaxItems)
	}
	if p.Persist {
		form.Add("pubsub#persist_items", "", "", "true")
	}
	return form
}

// Items are what is published at a node of an address, the zero JID for the account's own: those with these ids, or the newest, at
// most MaxItems, if there are none. A node that does not exist gives xmpp.ItemNotFound.
func (c *Client) Items(ctx context.Context, at xmpp.JID, node string, ids ...string) ([]Item, error) {
	list := xmpp.NewElement(nsPubSub, "items").Set("node", node)
	for _, id := range ids[:min(len(ids), MaxItems)] {
		list.Add(xmpp.NewElement(nsPubSub, "item").Set("id", id))
	}
	answer, err := c.Get(ctx, at, xmpp.NewElement(nsPubSub, "pubsub", list))
	if err != nil {
		return nil, fmt.Errorf("items at %s of %s: %w", node, at, err)
	}
	return itemsOf(answer.Child(nsPubSub, "items"), nsPubSub), nil
}

func itemsOf(list *xmpp.Element, space string) []Item {
	var all []Item
	for e := range list.Children() {
		if e.Is(space, "item") && len(all) < MaxItems {
			all = append(all, Item{ID: e.Attr("id"), Payload: e.First()})
		}
	}
	return all
}

// Retract takes an item back (XEP-0060 §7.2), and tells those who are notified.
func (c *Client) Retract(ctx context.Context, node, id string) error {
	retract := xmpp.NewElement(nsPubSub, "retract", xmpp.NewElement(nsPubSub, "item").Set("id", id)).Set("node", node).Set("notify", "true")
	_, err := c.Set(ctx, xmpp.JID{}, xmpp.NewElement(nsPubSub, "pubsub", retract))
	return err
}

// DeleteNode removes one of the account's nodes with all its items (XEP-0060 §8.4).
func (c *Client) DeleteNode(ctx context.Context, node string) error {
	_, err := c.Set(ctx, xmpp.JID{}, xmpp.NewElement(nsPubSubOwner, "pubsub", xmpp.NewElement(nsPubSubOwner, "delete").Set("node", node)))
	return err
}

// Event is a change at a node that a message tells of (XEP-0060 §7.1.2.1).
type Event struct {
	From      xmpp.JID // whose node
	Node      string
	Items     []Item
	Retracted []string
}

// EventOf reads a notification; nil if the message is none. Those who list "node+notify" in Config.Features get them (XEP-0163 §4).
func EventOf(st *xmpp.Stanza) *Event {
	list := st.Child(nsPubSubEvent, "event").Child(nsPubSubEvent, "items")
	if st.Kind != xmpp.Message || st.IsError() || list == nil {
		return nil
	}
	event := &Event{From: st.From, Node: list.Attr("node"), Items: itemsOf(list, nsPubSubEvent)}
	for e := range list.Children() {
		if e.Is(nsPubSubEvent, "retract") {
			event.Retracted = append(event.Retracted, e.Attr("id"))
		}
	}
	return event
}
