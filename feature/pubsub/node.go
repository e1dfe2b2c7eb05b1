package pubsub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// maxName is the most bytes that the name of a node or the id of an item may have.
const maxName = 1023

// node is one node of an account.
type node struct {
	id       int64
	name     string
	settings Settings
}

// item is one item of a node. id is the order and time of its publication.
type item struct {
	name      string
	id        int64
	publisher string
	payload   string
}

func (i *item) time() time.Time { return time.UnixMicro(i.id) }

// element is the item as it stands in answers and events.
func (i *item) element(space string, withPayload bool) (*xmpp.Element, error) {
	e := xmpp.NewElement(space, "item").Set("id", i.name)
	if i.publisher != "" {
		e.Set("publisher", i.publisher)
	}
	if !withPayload || i.payload == "" {
		return e, nil
	}
	payload, err := parsePayload(i.payload)
	if err != nil {
		return nil, err
	}
	return e.Add(payload), nil
}

func parsePayload(text string) (*xmpp.Element, error) {
	if text == "" {
		return nil, nil
	}
	payload, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		return nil, fmt.Errorf("stored item: %w", err)
	}
	return payload, nil
}

// find reads a node of an account; nil if there is none.
func (f *Feature) find(ctx context.Context, account *core.Account, name string) (*node, error) {
	n := &node{name: name}
	var settings string
	err := f.db.QueryRow(ctx, "select id, settings from pubsub_node where account = $1 and name = $2", account.ID, name).Scan(&n.id, &settings)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find node: %w", err)
	}
	n.settings, err = f.settingsOf(name, settings)
	return n, err
}

// need is find for a node that must be there: item-not-found if it is not.
func (f *Feature) need(ctx context.Context, account *core.Account, name string) (*node, error) {
	if name == "" {
		return nil, fault.NodeRequired
	}
	n, err := f.find(ctx, account, name)
	if err == nil && n == nil {
		return nil, xmpp.ItemNotFound
	}
	return n, err
}

// create makes a node within the transaction of ctx.
func (f *Feature) create(ctx context.Context, account *core.Account, name string, settings Settings) (*node, error) {
	if name == "" || len(name) > maxName {
		return nil, xmpp.NotAcceptable.Because("the name of a node has 1 to %d bytes", maxName)
	}
	n := &node{id: f.db.Next(), name: name, settings: settings}
	n.settings.clamp(f.cfg.MaxItems)
	f.hold(name, &n.settings)
	nodes, _, err := f.use(ctx, account, 1, 0)
	if err != nil {
		return nil, err
	}
	if nodes > int64(f.cfg.MaxNodes) {
		return nil, fault.MaxNodes
	}
	text, err := n.settings.encode()
	if err != nil {
		return nil, err
	}
	_, err = f.db.Exec(ctx, "insert into pubsub_node (id, account, name, settings) values ($1, $2, $3, $4)", n.id, account.ID, name, text)
	if err != nil {
		return nil, fmt.Errorf("create node: %w", err)
	}
	return n, nil
}

// use counts what an account has more, or less, and returns what it has now.
func (f *Feature) use(ctx context.Context, account *core.Account, nodes, bytes int64) (nodesNow, bytesNow int64, err error) {
	err = f.db.QueryRow(ctx, `insert into pubsub_usage (account, nodes, bytes) values ($1, $2, $3)
		on conflict (account) do update set nodes = pubsub_usage.nodes + excluded.nodes, bytes = pubsub_usage.bytes + excluded.bytes
		returning nodes, bytes`, account.ID, nodes, bytes).Scan(&nodesNow, &bytesNow)
	if err != nil {
		return 0, 0, fmt.Errorf("count what an account uses: %w", err)
	}
	return nodesNow, bytesNow, nil
}

// reset writes a node's settings.
func (f *Feature) reset(ctx context.Context, n *node) error {
	text, err := n.settings.encode()
	if err != nil {
		return err
	}
	_, err = f.db.Exec(ctx, "update pubsub_node set settings = $1 where id = $2", text, n.id)
	return err
}

// put writes an item and trims what is too much.
func (f *Feature) put(ctx context.Context, account *core.Account, n *node, i *item) error {
	var before int64
	err := f.db.QueryRow(ctx, "select size from pubsub_item where node = $1 and name = $2", n.id, i.name).Scan(&before)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("read item: %w", err)
	}
	size := int64(len(i.name) + len(i.payload) + len(i.publisher))
	_, err = f.db.Exec(ctx, `insert into pubsub_item (node, name, id, publisher, payload, size) values ($1, $2, $3, $4, $5, $6)
		on conflict (node, name) do update set id = excluded.id, publisher = excluded.publisher, payload = excluded.payload, size = excluded.size`,
		n.id, i.name, i.id, i.publisher, i.payload, size)
	if err != nil {
		return fmt.Errorf("write item: %w", err)
	}
	freed, err := f.trim(ctx, n)
	if err != nil {
		return err
	}
	_, bytes, err := f.use(ctx, account, 0, size-before-freed)
	if err == nil && bytes > f.cfg.MaxAccountBytes && size > before {
		return errQuota
	}
	return err
}

// trim removes the items beyond those that the node keeps, and returns their bytes.
func (f *Feature) trim(ctx context.Context, n *node) (freed int64, err error) {
	freed, err = f.takeAway(ctx, `delete from pubsub_item where node = $1 and id <=
		(select id from pubsub_item where node = $1 order by id desc limit 1 offset $2) returning size`, n.id, int64(f.keeps(n)))
	if err != nil || n.settings.ItemExpire == unlimited {
		return freed, err
	}
	expired, err := f.takeAway(ctx, "delete from pubsub_item where node = $1 and id < $2 returning size", n.id, n.oldest())
	return freed + expired, err
}

// keeps is how many items a node keeps.
func (f *Feature) keeps(n *node) int {
	if n.settings.MaxItems == unlimited || n.settings.MaxItems > f.cfg.MaxItems {
		return f.cfg.MaxItems
	}
	return n.settings.MaxItems
}

// oldest is the id that the oldest item that has not expired may have.
func (n *node) oldest() int64 {
	if n.settings.ItemExpire == unlimited {
		return 0
	}
	return time.Now().UnixMicro() - n.settings.ItemExpire*int64(time.Second/time.Microsecond)
}

// takeAway runs a delete that returns sizes, and adds them up.
func (f *Feature) takeAway(ctx context.Context, sql string, args ...any) (freed int64, err error) {
	rows, err := f.db.Query(ctx, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("remove items: %w", err)
	}
	for rows.Next() {
		var size int64
		if err := rows.Scan(&size); err != nil {
			return 0, fmt.Errorf("remove items: %w", err)
		}
		freed += size
	}
	return freed, nil
}

// drop removes a node and all that belongs to it.
func (f *Feature) drop(ctx context.Context, account *core.Account, n *node) error {
	if err := f.empty(ctx, account, n); err != nil {
		return err
	}
	for _, sql := range []string{"delete from pubsub_affiliation where node = $1", "delete from pubsub_subscription where node = $1",
		"delete from pubsub_node where id = $1"} {
		if _, err := f.db.Exec(ctx, sql, n.id); err != nil {
			return fmt.Errorf("delete node: %w", err)
		}
	}
	_, _, err := f.use(ctx, account, -1, 0)
	return err
}

// empty removes all items of a node.
func (f *Feature) empty(ctx context.Context, account *core.Account, n *node) error {
	freed, err := f.takeAway(ctx, "delete from pubsub_item where node = $1 returning size", n.id)
	if err != nil {
		return err
	}
	_, _, err = f.use(ctx, account, 0, -freed)
	return err
}
