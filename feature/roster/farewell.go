package roster

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

var insertFarewell = store.NewInsert("roster_farewell", "id", "stanza")

// remove deletes an account's roster and keeps, in the same transaction, what its contacts are to be told: Run tells them.
func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	items, err := f.items(ctx, `account = $1 and (state & $2) <> 0`, account.ID, int64(To|From|Ask|Request))
	if err != nil {
		return err
	}
	now, err := f.version(ctx, account.ID)
	if err != nil {
		return err
	}
	if now.untouched {
		items = nil
	}
	for _, it := range items {
		if err := f.keepFarewells(ctx, account, it); err != nil {
			return err
		}
	}
	for _, table := range []string{"roster_item", "roster_version"} {
		if _, err := f.db.Exec(ctx, `delete from `+table+` where account = $1`, account.ID); err != nil {
			return fmt.Errorf("remove a roster: %w", err)
		}
	}
	f.contacts.Forget(account.ID)
	select {
	case f.bidden <- struct{}{}:
	default:
	}
	return nil
}

func (f *Feature) keepFarewells(ctx context.Context, account *core.Account, it *item) error {
	var kinds []string
	if it.state&(To|Ask) != 0 {
		kinds = append(kinds, "unsubscribe")
	}
	if it.state&(From|Request) != 0 {
		kinds = append(kinds, "unsubscribed")
	}
	for _, kind := range kinds {
		st := &xmpp.Stanza{Kind: xmpp.Presence, Type: kind, From: account.JID, To: it.contact}
		if err := f.db.Append(ctx, insertFarewell, f.db.Next(), st.String()); err != nil {
			return err
		}
	}
	return nil
}

// Run tells the contacts of removed accounts that they are gone, until ctx ends; it begins with those that an earlier run left.
func (f *Feature) Run(ctx context.Context) error {
	for {
		if err := f.bidFarewell(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("could not tell the contacts of a removed account", "err", err)
		}
		select {
		case <-f.bidden:
		case <-ctx.Done():
			return nil
		}
	}
}

// maxFarewells is how many are read at once.
const maxFarewells = 100

func (f *Feature) bidFarewell(ctx context.Context) error {
	// The transaction that removes the account may not have been committed yet: one that comes after it is.
	if err := f.db.Tx(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	for {
		rows, err := f.db.Query(ctx, `select id, stanza from roster_farewell order by id limit $1`, maxFarewells)
		if err != nil {
			return fmt.Errorf("read farewells: %w", err)
		}
		var last int64
		for rows.Next() {
			var text string
			if err := rows.Scan(&last, &text); err != nil {
				return err
			}
			if err := f.bid(ctx, text); err != nil {
				return err
			}
		}
		if last == 0 {
			return nil
		}
		if _, err := f.db.Exec(ctx, `delete from roster_farewell where id <= $1`, last); err != nil {
			return fmt.Errorf("forget farewells: %w", err)
		}
	}
}

// bid tells one contact. Only the end of ctx leaves it for later: one that cannot be told must not keep the others waiting.
func (f *Feature) bid(ctx context.Context, text string) error {
	st, err := readStanza(text)
	if err == nil {
		err = f.server.Route(ctx, st)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f.log.Warn("a contact did not hear of a removed account", "err", err)
	}
	return nil
}
