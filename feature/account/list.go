package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Entry is one account in a list.
type Entry struct {
	ID       int64     `json:"-"` // of the account
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Created  time.Time `json:"created"`
	Disabled bool      `json:"disabled"`
	// Seen is the day of the last session, UTC; zero if there was none.
	Seen time.Time `json:"seen"`
}

// List is a page of accounts in the order of their names: at most max (1–1000) after the name after.
func (a *Accounts) List(ctx context.Context, after string, max int) ([]Entry, error) {
	return a.Search(ctx, "", after, max)
}

// Search is List for the accounts whose names hold a word: a part of a name, as somebody types it.
func (a *Accounts) Search(ctx context.Context, word, after string, max int) ([]Entry, error) {
	rows, err := a.db.Query(ctx, `select id, name, role, disabled, seen from account
		where name > $1 and not removing and name like $2 escape '!' order by name limit $3`, after, holding(word), atMost(max))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	var list []Entry
	for rows.Next() {
		var e Entry
		var seen int64
		if err := rows.Scan(&e.ID, &e.Name, &e.Role, &e.Disabled, &seen); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		e.Created = time.UnixMicro(e.ID).UTC()
		if seen > 0 {
			e.Seen = time.UnixMicro(seen).UTC()
		}
		list = append(list, e)
	}
	return list, nil
}

// Entry is one account as List has it; core.ErrNoAccount if it is gone.
func (a *Accounts) Entry(ctx context.Context, account *core.Account) (e Entry, err error) {
	var seen int64
	err = a.db.QueryRow(ctx, `select id, name, role, disabled, seen from account where id = $1 and not removing`, account.ID).
		Scan(&e.ID, &e.Name, &e.Role, &e.Disabled, &seen)
	if errors.Is(err, store.ErrNoRows) {
		return e, core.ErrNoAccount
	}
	if err != nil {
		return e, fmt.Errorf("look up account: %w", err)
	}
	e.Created = time.UnixMicro(e.ID).UTC()
	if seen > 0 {
		e.Seen = time.UnixMicro(seen).UTC()
	}
	return e, nil
}

// holding is the pattern for names with a word in them. Names are in lower case, as RFC 8265 prepares them.
func holding(word string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(word)) + "%"
}

// CountHolding is how many accounts have names that hold a word.
func (a *Accounts) CountHolding(ctx context.Context, word string) (n int, err error) {
	if err = a.db.QueryRow(ctx, `select count(*) from account where not removing and name like $1 escape '!'`, holding(word)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return n, nil
}

// atMost keeps the length of a list within 1–1000.
func atMost(length int) int { return max(1, min(length, 1000)) }

// Seen is the day on which an account was last used, in UTC; zero if it never was.
func (a *Accounts) Seen(ctx context.Context, account *core.Account) (time.Time, error) {
	var seen int64
	if err := a.db.QueryRow(ctx, `select seen from account where id = $1`, account.ID).Scan(&seen); err != nil {
		return time.Time{}, fmt.Errorf("look up account: %w", err)
	}
	if seen == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(seen).UTC(), nil
}

// NameOf is the local part of the account with this number; core.ErrNoAccount if there is none.
func (a *Accounts) NameOf(ctx context.Context, id int64) (name string, err error) {
	err = a.db.QueryRow(ctx, `select name from account where id = $1 and not removing`, id).Scan(&name)
	if errors.Is(err, store.ErrNoRows) {
		return "", core.ErrNoAccount
	}
	if err != nil {
		return "", fmt.Errorf("look up account: %w", err)
	}
	return name, nil
}

// Names are the local parts of the accounts, or of the disabled ones, in order, at most max (1–1000).
func (a *Accounts) Names(ctx context.Context, onlyDisabled bool, max int) ([]string, error) {
	rows, err := a.db.Query(ctx, `select name from account where not removing and (disabled or not $1) order by name limit $2`, onlyDisabled, atMost(max))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		names = append(names, name)
	}
	return names, nil
}

// Count is how many accounts there are, and how many of them are disabled.
func (a *Accounts) Count(ctx context.Context) (all, disabled int, err error) {
	err = a.db.QueryRow(ctx, `select count(*), count(case when disabled then 1 end) from account where not removing`).Scan(&all, &disabled)
	if err != nil {
		return 0, 0, fmt.Errorf("count accounts: %w", err)
	}
	return all, disabled, nil
}

// Lookup is the account with a name as somebody typed it, alone or as a whole address; core.ErrNoAccount if there is none.
func (a *Accounts) Lookup(ctx context.Context, typed string) (*core.Account, error) {
	name, err := a.Prepare(typed)
	if err != nil {
		return nil, core.ErrNoAccount
	}
	var jid xmpp.JID
	if jid, err = a.jid(name); err != nil {
		return nil, core.ErrNoAccount
	}
	return a.Account(ctx, jid)
}
