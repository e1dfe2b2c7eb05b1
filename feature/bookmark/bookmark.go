// Package bookmark makes the three places that apps keep their bookmarks of rooms in one: the private node urn:xmpp:bookmarks:1 with one
// item for each room (XEP-0402), the private node storage:bookmarks with all in one item (XEP-0048 on PEP), and private XML storage
// (XEP-0048 on XEP-0049). Whatever is written in one is read in the others, in the same transaction. Bookmarks of web pages stay where
// they are; extensions of XEP-0402, which the old form cannot hold, survive edits by old apps.
package bookmark

import (
	"context"
	"errors"
	"log/slog"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// The nodes, whose names are also the namespaces of what they hold.
const (
	NS    = "urn:xmpp:bookmarks:1"
	nsOld = "storage:bookmarks"
)

// oldItem is the id of the one item in the old node (XEP-0048 §3, XEP-0223).
const oldItem = "current"

// maxRooms is the most rooms that one publication in the old form may hold.
const maxRooms = 2000

// Publisher publishes in the name of an account.
type Publisher interface {
	MakePrivate(node string)
	OnPublish(node string, rule func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error)
	OnRetract(node string, rule func(ctx context.Context, account *core.Account, id string) error)
}

// Items are what an account has published. Within a rule, writes are kept together with what the rule is about.
type Items interface {
	Item(ctx context.Context, account *core.Account, node, id string) (*xmpp.Element, error)
	Items(ctx context.Context, account *core.Account, node string, each func(id string, payload *xmpp.Element) error) error
}

// Writer changes what an account has published.
type Writer interface {
	Publish(ctx context.Context, account *core.Account, node, id string, payload *xmpp.Element) error
	Retract(ctx context.Context, account *core.Account, node, id string) error
}

// Storage is private XML storage, which lets this feature keep one of its elements.
type Storage interface {
	KeepElsewhere(space, local string, get func(ctx context.Context, account *core.Account) (*xmpp.Element, error),
		set func(ctx context.Context, account *core.Account, e *xmpp.Element) error)
}

// Feature is the conversion.
type Feature struct {
	items  Items
	writer Writer
	log    *slog.Logger
}

// New makes the feature. The first three are usually one and the same.
func New(publisher Publisher, items Items, writer Writer, storage Storage, log *slog.Logger) *Feature {
	f := &Feature{items: items, writer: writer, log: log.With("part", "bookmark")}
	publisher.MakePrivate(NS)
	publisher.MakePrivate(nsOld)
	publisher.OnPublish(NS, func(ctx context.Context, account *core.Account, _ string, _ *xmpp.Element) error {
		return f.mirror(ctx, account)
	})
	publisher.OnRetract(NS, func(ctx context.Context, account *core.Account, _ string) error { return f.mirror(ctx, account) })
	publisher.OnPublish(nsOld, f.adopt)
	storage.KeepElsewhere(nsOld, "storage", f.old, f.publishOld)
	return f
}

// Attach announces that the places are one (XEP-0402 §5).
func (f *Feature) Attach(s *core.Server) {
	s.Announce(core.AtAccount, NS+"#compat", NS+"#compat-pep")
}

// busyKey marks the context of a conversion, within which the rules for the other place have nothing to do.
type busyKey struct{}

func busy(ctx context.Context) bool { return ctx.Value(busyKey{}) != nil }

func begin(ctx context.Context) context.Context { return context.WithValue(ctx, busyKey{}, true) }

// old gives all bookmarks in the old form; nil if there are none.
func (f *Feature) old(ctx context.Context, account *core.Account) (*xmpp.Element, error) {
	return f.items.Item(ctx, account, nsOld, oldItem)
}

func (f *Feature) publishOld(ctx context.Context, account *core.Account, e *xmpp.Element) error {
	return f.writer.Publish(ctx, account, nsOld, oldItem, e)
}

// mirror writes the old form anew after the rooms have changed. When it has become too big for one item the old form stays as it was: a
// new app must not suffer for old ones.
func (f *Feature) mirror(ctx context.Context, account *core.Account) error {
	if busy(ctx) {
		return nil
	}
	before, err := f.old(ctx, account)
	if err != nil {
		return err
	}
	storage := xmpp.NewElement(nsOld, "storage")
	for e := range before.Children() {
		if !e.Is(nsOld, "conference") {
			storage.Add(e)
		}
	}
	err = f.items.Items(ctx, account, NS, func(id string, payload *xmpp.Element) error {
		if _, err := xmpp.ParseJID(id); err == nil {
			storage.Add(toOld(id, payload))
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = f.writer.Publish(begin(ctx), account, nsOld, oldItem, storage)
	var refused *xmpp.Error
	if errors.As(err, &refused) && refused.Condition == xmpp.NotAcceptable.Condition {
		f.log.Warn("too many bookmarks for old apps", "account", account.JID, "err", err)
		return nil
	}
	return err
}

// adopt changes the rooms after an app has written the old form: rooms that are new or changed are published, others removed.
func (f *Feature) adopt(ctx context.Context, account *core.Account, _ string, storage *xmpp.Element) error {
	if busy(ctx) {
		return nil
	}
	ctx = begin(ctx)
	wanted, order, err := rooms(storage)
	if err != nil {
		return err
	}
	have, err := f.bookmarked(ctx, account)
	if err != nil {
		return err
	}
	for room, e := range have {
		if wanted[room] == nil {
			if err := f.writer.Retract(ctx, account, NS, e.id); err != nil {
				return err
			}
		}
	}
	for _, room := range order {
		e, there := have[room]
		if !there {
			e.id = room
		} else if toOld(room, e.payload).String() == toOld(room, fromOld(wanted[room], nil)).String() {
			continue
		}
		if err := f.writer.Publish(ctx, account, NS, e.id, fromOld(wanted[room], e.payload)); err != nil {
			return err
		}
	}
	return nil
}

// item is one bookmark as it is published, with the id that its app has chosen.
type item struct {
	id      string
	payload *xmpp.Element
}

// bookmarked are the published bookmarks by address. Items whose ids are no addresses are left alone: the old form cannot hold them.
func (f *Feature) bookmarked(ctx context.Context, account *core.Account) (map[string]item, error) {
	have := map[string]item{}
	err := f.items.Items(ctx, account, NS, func(id string, payload *xmpp.Element) error {
		if room, err := xmpp.ParseJID(id); err == nil {
			have[room.String()] = item{id, payload}
		}
		return nil
	})
	return have, err
}

// rooms are the bookmarked rooms of the old form by address, and in their order. What has no valid address is left out.
func rooms(storage *xmpp.Element) (found map[string]*xmpp.Element, order []string, err error) {
	if !storage.Is(nsOld, "storage") {
		return nil, nil, xmpp.BadRequest.Because("this node holds <storage/> of %s", nsOld)
	}
	found = map[string]*xmpp.Element{}
	for e := range storage.Children() {
		room, err := xmpp.ParseJID(e.Attr("jid"))
		if !e.Is(nsOld, "conference") || err != nil {
			continue
		}
		if found[room.String()] == nil {
			order = append(order, room.String())
		}
		found[room.String()] = e
		if len(order) > maxRooms {
			return nil, nil, xmpp.NotAcceptable.Because("at most %d bookmarks", maxRooms)
		}
	}
	return found, order, nil
}

// toOld writes a room in the old form.
func toOld(id string, e *xmpp.Element) *xmpp.Element {
	old := xmpp.NewElement(nsOld, "conference").Set("jid", id)
	if name := e.Attr("name"); name != "" {
		old.Set("name", name)
	}
	if on, _ := xmpp.Bool(e.Attr("autojoin")); on {
		old.Set("autojoin", "true")
	}
	return copyTexts(old, e, NS)
}

// fromOld writes a room in the new form, with the extensions that it had before.
func fromOld(old, before *xmpp.Element) *xmpp.Element {
	e := xmpp.NewElement(NS, "conference")
	if name := old.Attr("name"); name != "" {
		e.Set("name", name)
	}
	if on, _ := xmpp.Bool(old.Attr("autojoin")); on {
		e.Set("autojoin", "true")
	}
	return copyTexts(e, old, nsOld).Add(before.Child(NS, "extensions"))
}

func copyTexts(to, from *xmpp.Element, space string) *xmpp.Element {
	for _, name := range []string{"nick", "password"} {
		if text := from.ChildText(space, name); text != "" {
			to.Add(xmpp.NewText(to.Space, name, text))
		}
	}
	return to
}
