package disco

import (
	"context"
	"errors"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// answer is a <query/> that mirrors the node that was asked for (XEP-0030 §3.2).
func answer(space, node string, children []*xmpp.Element) *xmpp.Element {
	query := xmpp.NewElement(space, "query", children...)
	if node != "" {
		query.Set("node", node)
	}
	return query
}

// maxNode is the most bytes of a node's name.
const maxNode = 3071

// node is what is asked for, "" for the entity itself.
func node(r *core.Request) (string, error) {
	name := r.Payload.Attr("node")
	if r.Set || len(name) > maxNode {
		return "", xmpp.BadRequest
	}
	return name, nil
}

// serverInfo tells what the server is and can do.
func (f *Feature) serverInfo(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	name, err := node(r)
	if err != nil {
		return nil, err
	}
	if name == "" || name == capsNode+"#"+f.version() {
		return answer(NSInfo, name, f.describe(core.AtServer)), nil
	}
	children, err := first(ctx, f.info[core.AtServer], r, name)
	if err != nil {
		return nil, err
	}
	return answer(NSInfo, name, children), nil
}

// accountInfo tells what can be asked of an account. Who may not see its presence does not even learn that it is there (XEP-0030 §8).
func (f *Feature) accountInfo(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	name, err := node(r)
	if err != nil {
		return nil, err
	}
	if name != "" {
		children, err := first(ctx, f.info[core.AtAccount], r, name)
		if err != nil {
			return nil, f.hidden(ctx, r, err)
		}
		return answer(NSInfo, name, children), nil
	}
	if seen, err := f.contacts.Subscribed(ctx, r.Account, r.Stanza.From); err != nil || !seen {
		return nil, f.unless(err)
	}
	return answer(NSInfo, "", f.describe(core.AtAccount)), nil
}

func (f *Feature) unless(err error) error {
	if err != nil {
		return err
	}
	return xmpp.ServiceUnavailable
}

// hidden makes what a stranger is told about a node that is not there, or not for them, the same as for an account that is not there.
func (f *Feature) hidden(ctx context.Context, r *core.Request, refusal error) error {
	seen, err := f.contacts.Subscribed(ctx, r.Account, r.Stanza.From)
	if err != nil {
		return err
	}
	if seen {
		return refusal
	}
	return xmpp.ServiceUnavailable
}

// serverItems lists the services, and what features have to list.
func (f *Feature) serverItems(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	name, err := node(r)
	if err != nil {
		return nil, err
	}
	if name != "" {
		children, err := first(ctx, f.items[core.AtServer], r, name)
		if err != nil {
			return nil, err
		}
		return answer(NSItems, name, children), nil
	}
	var children []*xmpp.Element
	for _, domain := range slices.Sorted(slices.Values(f.server.Services())) {
		children = append(children, xmpp.NewElement(NSItems, "item").Set("jid", domain))
	}
	more, err := all(ctx, f.items[core.AtServer], r)
	if err != nil {
		return nil, err
	}
	return answer(NSItems, "", append(children, more...)), nil
}

// accountItems lists what an account publishes, as far as it is for whoever asks: its features decide.
func (f *Feature) accountItems(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	name, err := node(r)
	if err != nil {
		return nil, err
	}
	if name != "" {
		children, err := first(ctx, f.items[core.AtAccount], r, name)
		if err != nil {
			return nil, f.hidden(ctx, r, err)
		}
		return answer(NSItems, name, children), nil
	}
	children, err := all(ctx, f.items[core.AtAccount], r)
	if err == nil && len(children) == 0 {
		err = f.hidden(ctx, r, nil)
	}
	if err != nil {
		return nil, err
	}
	return answer(NSItems, "", children), nil
}

// first is the answer of the source that has the node.
func first(ctx context.Context, sources []Source, r *core.Request, node string) ([]*xmpp.Element, error) {
	for _, source := range sources {
		children, err := source(ctx, r, node)
		if err == nil || !errors.Is(err, xmpp.ItemNotFound) {
			return children, err
		}
	}
	return nil, xmpp.ItemNotFound
}

func all(ctx context.Context, sources []Source, r *core.Request) (children []*xmpp.Element, err error) {
	for _, source := range sources {
		more, err := source(ctx, r, "")
		if err != nil && !errors.Is(err, xmpp.ItemNotFound) {
			return nil, err
		}
		children = append(children, more...)
	}
	return children, nil
}
