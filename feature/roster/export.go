package roster

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// export gives an account's roster, and the requests that wait, as XEP-0227 §4.2 writes them.
func (f *Feature) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	items, err := f.items(ctx, `account = $1 and state <> $2 order by contact`, account.ID, int64(gone))
	if err != nil {
		return nil, err
	}
	query := xmpp.NewElement(NS, "query")
	parts := []*xmpp.Element{query}
	for _, it := range items {
		if it.state&Listed != 0 {
			query.Add(it.element())
		}
		if it.state&Request == 0 {
			continue
		}
		st, err := readStanza(it.request)
		if err != nil {
			return nil, fmt.Errorf("export a request: %w", err)
		}
		parts = append(parts, st.Element())
	}
	return parts, nil
}

// adopt takes back what export gave. What the account has already stays as it is. Until a device has asked for the roster, removing the
// account tells its contacts nothing: an import that fails half-way is taken back so.
func (f *Feature) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	switch {
	case part.Is(NS, "query"):
		for e := range part.Children() {
			if err := f.adoptItem(ctx, account, e); err != nil {
				return err
			}
		}
	case part.Is(xmpp.NSClient, "presence") && part.Attr("type") == "subscribe":
		return f.adoptRequest(ctx, account, part)
	}
	return nil
}

func (f *Feature) adoptItem(ctx context.Context, account *core.Account, e *xmpp.Element) error {
	jid, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil || !e.Is(NS, "item") {
		return xmpp.BadRequest.Because("an item of the roster is malformed")
	}
	read := &item{contact: jid.Bare(), name: e.Attr("name"), state: Listed}
	if err := f.readGroups(read, e); err != nil {
		return err
	}
	switch e.Attr("subscription") {
	case "to":
		read.state |= To
	case "from":
		read.state |= From
	case "both":
		read.state |= To | From
	}
	if e.Attr("ask") == "subscribe" && read.state&To == 0 {
		read.state |= Ask
	}
	if e.Attr("approved") == "true" {
		read.state |= Approved
	}
	return f.adoptState(ctx, account, read)
}

func (f *Feature) adoptRequest(ctx context.Context, account *core.Account, e *xmpp.Element) error {
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil || st.From.IsZero() {
		return xmpp.BadRequest.Because("a request for a subscription is malformed")
	}
	st.To = account.JID
	return f.adoptState(ctx, account, &item{contact: st.From.Bare(), state: Request, request: requestText(st)})
}

func (f *Feature) adoptState(ctx context.Context, account *core.Account, read *item) error {
	if read.contact == account.JID {
		return nil
	}
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		it, err := f.item(ctx, account.ID, read.contact)
		if err != nil {
			return err
		}
		was := it.state
		if was&Listed == 0 {
			it.name, it.groups = read.name, read.groups
		}
		if it.request == "" {
			it.request = read.request
		}
		it.state |= read.state
		if it.state&To != 0 {
			it.state &^= Ask
		}
		if it.state&From != 0 {
			it.state &^= Request
		}
		if err := f.save(ctx, account.ID, it, was); err != nil {
			return err
		}
		_, err = f.db.Exec(ctx, `insert into roster_version (account, ver, floor, untouched) values ($1, $2, 0, true)
			on conflict (account) do update set untouched = true`, account.ID, f.db.Next())
		return err
	})
	if err != nil {
		return fmt.Errorf("import a contact: %w", err)
	}
	f.contacts.Forget(account.ID)
	return nil
}
