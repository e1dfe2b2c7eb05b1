package roster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// item is one row: what an account holds about a contact.
type item struct {
	contact xmpp.JID
	state   State
	name    string
	groups  []string
	ver     int64
	request string
	edited  bool // the account has set its name and groups
}

// element is the item as devices see it (RFC 6121 §2.1.2).
func (it *item) element() *xmpp.Element {
	e := xmpp.NewElement(NS, "item").Set("jid", it.contact.String())
	if it.state&Listed == 0 {
		return e.Set("subscription", "remove")
	}
	e.Set("subscription", it.state.Subscription())
	if it.state&Ask != 0 {
		e.Set("ask", "subscribe")
	}
	if it.state&Approved != 0 {
		e.Set("approved", "true")
	}
	if it.name != "" {
		e.Set("name", it.name)
	}
	for _, group := range it.groups {
		e.Add(xmpp.NewText(NS, "group", group))
	}
	return e
}

const itemColumns = `contact, state, name, group_names, ver, request`

func scanItem(scan func(...any) error) (*item, error) {
	var contact, groups string
	var state int64
	it := &item{}
	if err := scan(&contact, &state, &it.name, &groups, &it.ver, &it.request); err != nil {
		return nil, err
	}
	jid, err := xmpp.ParseJID(contact)
	if err != nil {
		return nil, fmt.Errorf("contact of a roster: %w", err)
	}
	it.contact, it.state = jid, State(state)
	if groups != "" {
		if err := json.Unmarshal([]byte(groups), &it.groups); err != nil {
			return nil, fmt.Errorf("groups of a contact: %w", err)
		}
	}
	return it, nil
}

// item reads one row; a contact without one has the zero state.
func (f *Feature) item(ctx context.Context, account int64, contact xmpp.JID) (*item, error) {
	row := f.db.QueryRow(ctx, `select `+itemColumns+` from roster_item where account = $1 and contact = $2`, account, contact.String())
	it, err := scanItem(row.Scan)
	if errors.Is(err, store.ErrNoRows) {
		return &item{contact: contact}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a contact: %w", err)
	}
	return it, nil
}

func (f *Feature) items(ctx context.Context, where string, args ...any) ([]*item, error) {
	rows, err := f.db.Query(ctx, `select `+itemColumns+` from roster_item where `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read a roster: %w", err)
	}
	defer rows.Close()
	var all []*item
	for rows.Next() {
		it, err := scanItem(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, it)
	}
	return all, rows.Err()
}

// save writes a changed item in the transaction of ctx; was is the state that it had.
func (f *Feature) save(ctx context.Context, account int64, it *item, was State) error {
	if err := f.checkLimits(ctx, account, it.state, was); err != nil {
		return err
	}
	if it.state&Request == 0 {
		it.request = ""
	}
	if it.state&Listed == 0 {
		it.state, it.name, it.groups = it.state&Request|was&gone, "", nil
		if was&Listed != 0 {
			it.state |= gone
		}
	} else {
		it.state &^= gone
	}
	if it.state == 0 {
		_, err := f.db.Exec(ctx, `delete from roster_item where account = $1 and contact = $2`, account, it.contact.String())
		return err
	}
	if it.edited || (it.state^was)&shown != 0 {
		if err := f.bump(ctx, account, it); err != nil {
			return err
		}
	}
	if err := f.write(ctx, account, it); err != nil {
		return err
	}
	if it.state&gone != 0 && was&gone == 0 {
		return f.forgetRemoved(ctx, account)
	}
	return nil
}

func (f *Feature) write(ctx context.Context, account int64, it *item) error {
	groups := ""
	if len(it.groups) > 0 {
		text, err := json.Marshal(it.groups)
		if err != nil {
			return fmt.Errorf("groups of a contact: %w", err)
		}
		groups = string(text)
	}
	_, err := f.db.Exec(ctx, `insert into roster_item (account, contact, state, name, group_names, ver, request)
		values ($1, $2, $3, $4, $5, $6, $7) on conflict (account, contact) do update set state = excluded.state, name = excluded.name,
		group_names = excluded.group_names, ver = excluded.ver, request = excluded.request`,
		account, it.contact.String(), int64(it.state), it.name, groups, it.ver, it.request)
	return err
}

// bump gives the item, and with it the roster, the next version.
func (f *Feature) bump(ctx context.Context, account int64, it *item) error {
	it.ver = f.db.Next()
	_, err := f.db.Exec(ctx, `insert into roster_version (account, ver, floor, untouched) values ($1, $2, 0, false)
		on conflict (account) do update set ver = excluded.ver`, account, it.ver)
	return err
}

// checkLimits refuses what would make a roster too long, or its requests too many.
func (f *Feature) checkLimits(ctx context.Context, account int64, state, was State) error {
	if state&Listed != 0 && was&Listed == 0 {
		n, err := f.count(ctx, account, Listed)
		if err != nil {
			return err
		}
		if n >= f.cfg.MaxItems {
			return xmpp.PolicyViolation.Because("at most %d contacts in a roster", f.cfg.MaxItems)
		}
	}
	if state&Request != 0 && was&Request == 0 {
		n, err := f.count(ctx, account, Request)
		if err != nil {
			return err
		}
		if n >= f.cfg.MaxRequests {
			return xmpp.ResourceConstraint.Because("too many requests wait for an answer")
		}
	}
	return nil
}

func (f *Feature) count(ctx context.Context, account int64, part State) (n int, err error) {
	err = f.db.QueryRow(ctx, `select count(*) from roster_item where account = $1 and (state & $2) <> 0`, account, int64(part)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count contacts: %w", err)
	}
	return n, nil
}

// maxRemoved is how many removed contacts are remembered, so that devices that know an older version can be told.
const maxRemoved = 200

// forgetRemoved forgets the older half of the removed contacts when there are too many. Versions from before then get the whole roster.
func (f *Feature) forgetRemoved(ctx context.Context, account int64) error {
	n, err := f.count(ctx, account, gone)
	if err != nil || n <= maxRemoved {
		return err
	}
	var floor int64
	err = f.db.QueryRow(ctx, `select ver from roster_item where account = $1 and (state & $2) <> 0 order by ver limit 1 offset $3`,
		account, int64(gone), maxRemoved/2).Scan(&floor)
	if err != nil {
		return fmt.Errorf("forget removed contacts: %w", err)
	}
	if _, err = f.db.Exec(ctx, `delete from roster_item where account = $1 and state = $2 and ver <= $3`, account, int64(gone), floor); err != nil {
		return fmt.Errorf("forget removed contacts: %w", err)
	}
	_, err = f.db.Exec(ctx, `update roster_version set floor = $2 where account = $1`, account, floor)
	return err
}

// version is how far a roster has come.
type version struct {
	ver       int64 // of the last change; 0 before the first
	floor     int64 // from here on the changes are known
	untouched bool  // it was imported, and no device has asked for it yet
}

func (f *Feature) version(ctx context.Context, account int64) (v version, err error) {
	row := f.db.QueryRow(ctx, `select ver, floor, untouched from roster_version where account = $1`, account)
	if err := row.Scan(&v.ver, &v.floor, &v.untouched); err != nil && !errors.Is(err, store.ErrNoRows) {
		return v, fmt.Errorf("read a roster's version: %w", err)
	}
	return v, nil
}

func verText(ver int64) string { return strconv.FormatInt(ver, 10) }
