package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	nsPubSub      = "http://jabber.org/protocol/pubsub"
	nsPubSubOwner = nsPubSub + "#owner"
	nsAtom        = "http://www.w3.org/2005/Atom"
)

// Channel is the name of the town hall's channel.
const Channel = "saint-elme"

// post is one of the channel.
type post struct{ id, title, text string }

var posts = []post{
	{"market", "The market moves for a week", "From Monday on the market is on the Place du Port, because the old square gets new trees. Stalls open at 7 as always."},
	{"water", "Water is back in rue des Tanneurs", "The pipe is repaired. Let it run for two minutes before you drink from it. Thank you for your patience."},
	{"fete", "Fête de la mer on Saturday 🎉", "Boats from 10:00, music from 18:00, fireworks at 22:30. Bus line 2 runs until one in the morning."},
}

// announce makes the town hall's channel, which the friends follow.
func (s *scene) announce(ctx context.Context) error {
	hall, service := s.sessions[TownHall], xmpp.MustJID("channels."+s.Domain)
	create := xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "create").Set("node", Channel))
	_, err := hall.Set(ctx, service, create)
	if err == nil {
		err = s.describe(ctx, hall, service)
	}
	if err != nil && !errors.Is(err, xmpp.Conflict) {
		return fmt.Errorf("make the channel: %w", err)
	}
	if err := s.publish(ctx, hall, service); err != nil {
		return err
	}
	for _, name := range friends {
		follow := xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "subscribe").Set("node", Channel).Set("jid", s.jid(name).String()))
		if _, err := s.sessions[name].Set(ctx, service, follow); err != nil {
			return fmt.Errorf("%s follows the channel: %w", name, err)
		}
	}
	return nil
}

// describe says what the channel is: once, since each change of it is an entry that those who follow see.
func (s *scene) describe(ctx context.Context, hall *session, service xmpp.JID) error {
	form := xmpp.NewElement(nsData, "x").Set("type", "submit")
	for name, value := range map[string]string{"FORM_TYPE": nsPubSub + "#node_config", "pubsub#title": "Town Hall of Saint-Elme",
		"pubsub#description": "What the town tells its people"} {
		form.Add(xmpp.NewElement(nsData, "field", xmpp.NewText(nsData, "value", value)).Set("var", name))
	}
	configure := xmpp.NewElement(nsPubSubOwner, "pubsub", xmpp.NewElement(nsPubSubOwner, "configure", form).Set("node", Channel))
	_, err := hall.Set(ctx, service, configure)
	return err
}

// publish publishes the posts that are not in the channel yet.
func (s *scene) publish(ctx context.Context, hall *session, service xmpp.JID) error {
	items, err := hall.Items(ctx, service, Channel)
	if err != nil {
		return fmt.Errorf("read the channel: %w", err)
	}
	there := map[string]bool{}
	for _, item := range items {
		there[item.ID] = true
	}
	for _, p := range posts {
		if there[p.id] {
			continue
		}
		now := time.Now().UTC().Format(time.RFC3339)
		entry := xmpp.NewElement(nsAtom, "entry", xmpp.NewText(nsAtom, "id", p.id), xmpp.NewText(nsAtom, "title", p.title).Set("type", "text"),
			xmpp.NewText(nsAtom, "content", p.text).Set("type", "text"), xmpp.NewText(nsAtom, "published", now), xmpp.NewText(nsAtom, "updated", now))
		item := xmpp.NewElement(nsPubSub, "item", entry).Set("id", p.id)
		request := xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", Channel))
		if _, err := hall.Set(ctx, service, request); err != nil {
			return fmt.Errorf("publish %s: %w", p.id, err)
		}
	}
	return nil
}
