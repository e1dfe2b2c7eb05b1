// Package private stores XML for an account's apps, which nobody else reads (XEP-0049, jabber:iq:private). It is for older apps; new ones
// publish to private nodes (XEP-0223). Another feature may keep one of the elements its own way (KeepElsewhere), as bookmarks are.
package private

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// NS is the namespace of XEP-0049.
const NS = "jabber:iq:private"

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxElements is the most elements that one account may store.
	MaxElements int `toml:"max_elements"`
	// MaxElementBytes is the most bytes that one of them may have.
	MaxElementBytes int `toml:"max_element_bytes"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{MaxElements: 100, MaxElementBytes: 128 << 10} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxElements < 1 || c.MaxElementBytes < 1 {
		return errors.New("private: every limit must be at least 1")
	}
	return nil
}

type name struct{ space, local string }

// keeper keeps an element elsewhere.
type keeper struct {
	get func(ctx context.Context, account *core.Account) (*xmpp.Element, error)
	set func(ctx context.Context, account *core.Account, e *xmpp.Element) error
}

// Feature is the private storage of all accounts.
type Feature struct {
	cfg     Config
	db      *store.DB
	keepers map[name]keeper
}

// New makes the feature and its table.
func New(ctx context.Context, cfg Config, db *store.DB) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "private", migrations); err != nil {
		return nil, err
	}
	return &Feature{cfg: cfg, db: db, keepers: map[name]keeper{}}, nil
}

// KeepElsewhere hands the element of this name to another feature. get gives nil when there is nothing; set is called outside a
// transaction. Call it before the first session.
func (f *Feature) KeepElsewhere(space, local string, get func(ctx context.Context, account *core.Account) (*xmpp.Element, error),
	set func(ctx context.Context, account *core.Account, e *xmpp.Element) error) {
	f.keepers[name{space, local}] = keeper{get, set}
}

// Attach hangs the feature on the journey of a stanza.
func (f *Feature) Attach(s *core.Server) {
	s.HandleIQ(core.AtAccount, NS, "query", f.handle)
	s.OnRemove(f.remove)
	s.OnExport(f.export)
	s.OnImport(f.adopt)
}

func (f *Feature) handle(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden // XEP-0049 §2.3
	}
	if r.Set {
		return nil, f.setAll(ctx, r.Account, r.Payload)
	}
	asked := r.Payload.First()
	if asked == nil || len(r.Payload.Nodes) > 1 && countElements(r.Payload) > 1 {
		return nil, xmpp.NotAcceptable.Because("ask for one element at a time")
	}
	found, err := f.get(ctx, r.Account, name{asked.Space, asked.Local})
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = xmpp.NewElement(asked.Space, asked.Local)
	}
	return xmpp.NewElement(NS, "query", found), nil
}

func countElements(e *xmpp.Element) (n int) {
	for range e.Children() {
		n++
	}
	return n
}

// get reads an element; nil if it is not stored.
func (f *Feature) get(ctx context.Context, account *core.Account, of name) (*xmpp.Element, error) {
	if keeper, ok := f.keepers[of]; ok {
		return keeper.get(ctx, account)
	}
	var content string
	err := f.db.QueryRow(ctx, "select content from private_element where account = $1 and space = $2 and name = $3",
		account.ID, of.space, of.local).Scan(&content)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read private element: %w", err)
	}
	return parse(content)
}

func parse(content string) (*xmpp.Element, error) {
	e, err := xmpp.Parse(content, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		return nil, fmt.Errorf("stored private element: %w", err)
	}
	return e, nil
}

// setAll stores the children of a query, each in the place of the one with its name: all, or none where this feature keeps them.
func (f *Feature) setAll(ctx context.Context, account *core.Account, query *xmpp.Element) error {
	if query.First() == nil {
		return xmpp.NotAcceptable.Because("there is nothing to store")
	}
	if countElements(query) > f.cfg.MaxElements {
		return xmpp.PolicyViolation.Because("at most %d elements", f.cfg.MaxElements)
	}
	for e := range query.Children() {
		if e.Space == NS || e.Space == "" || e.Space == xmpp.NSClient {
			return xmpp.NotAcceptable.Because("an element needs a namespace of its own")
		}
		if len(e.Append(nil, "")) > f.cfg.MaxElementBytes {
			return xmpp.NotAcceptable.Because("an element has at most %d bytes", f.cfg.MaxElementBytes)
		}
	}
	err := f.db.Tx(ctx, func(ctx context.Context) error { return f.write(ctx, account, query) })
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBusy) {
		return errors.Join(xmpp.ResourceConstraint.Because("this could not be stored; try again later"), err)
	}
	if err != nil {
		return err
	}
	for e := range query.Children() {
		if keeper, ok := f.keepers[name{e.Space, e.Local}]; ok {
			if err := keeper.set(ctx, account, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Feature) write(ctx context.Context, account *core.Account, query *xmpp.Element) error {
	for e := range query.Children() {
		if _, elsewhere := f.keepers[name{e.Space, e.Local}]; elsewhere {
			continue
		}
		_, err := f.db.Exec(ctx, `insert into private_element (account, space, name, content) values ($1, $2, $3, $4)
			on conflict (account, space, name) do update set content = excluded.content`, account.ID, e.Space, e.Local, string(e.Append(nil, "")))
		if err != nil {
			return fmt.Errorf("store private element: %w", err)
		}
	}
	var count int
	if err := f.db.QueryRow(ctx, "select count(*) from private_element where account = $1", account.ID).Scan(&count); err != nil {
		return fmt.Errorf("count private elements: %w", err)
	}
	if count > f.cfg.MaxElements {
		return xmpp.ResourceConstraint.Because("at most %d elements", f.cfg.MaxElements)
	}
	return nil
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	if _, err := f.db.Exec(ctx, "delete from private_element where account = $1", account.ID); err != nil {
		return fmt.Errorf("remove private elements: %w", err)
	}
	return nil
}

// export gives all elements (XEP-0227 §4.3), those that are kept elsewhere too.
func (f *Feature) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	rows, err := f.db.Query(ctx, "select content from private_element where account = $1 order by space, name", account.ID)
	if err != nil {
		return nil, fmt.Errorf("export private elements: %w", err)
	}
	query := xmpp.NewElement(NS, "query")
	for rows.Next() {
		var content string
		if err := rows.Scan(&content); err != nil {
			return nil, fmt.Errorf("export private elements: %w", err)
		}
		e, err := parse(content)
		if err != nil {
			return nil, err
		}
		query.Add(e)
	}
	for _, keeper := range f.keepers {
		e, err := keeper.get(ctx, account)
		if err != nil {
			return nil, err
		}
		query.Add(e)
	}
	if len(query.Nodes) == 0 {
		return nil, nil
	}
	return []*xmpp.Element{query}, nil
}

func (f *Feature) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	if !part.Is(NS, "query") || part.First() == nil {
		return nil
	}
	return f.setAll(ctx, account, part)
}
