// Package status lets people tell their contacts something for a day: a text, a picture, a voice, a video (XEP-0501). It is an item of a node of theirs, and the server
// keeps it for exactly 24 hours and gives it to those it is for: where it is encrypted (XEP-0477, XEP-0384) to those it was encrypted for, to each with their own
// keys alone, so that nobody learns who else may see it. What is new for somebody is one question to their own account. Left out: who has looked, and
// answers, which are encrypted messages between two people; media, which are uploads.
package status

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// NS is what is ours on the wire (docs/protocol/status.md), Node the node of XEP-0501.
const (
	NS   = "urn:palabre:status:0"
	Node = "urn:xmpp:pubsub-social-feed:stories:0"
)

// Lifetime is how long a status stays.
const Lifetime = 24 * time.Hour

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxPerDay is the most that one account may tell in 24 hours.
	MaxPerDay int `toml:"max_per_day"`
	// MaxBytes is the most bytes that one may have, with the keys of those it is for, and no more than max_payload_bytes of [pubsub]; pictures and sounds are uploads.
	MaxBytes int `toml:"max_bytes"`
	// MaxAudience is the most people that one may be encrypted for.
	MaxAudience int `toml:"max_audience"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{MaxPerDay: 50, MaxBytes: 256 << 10, MaxAudience: 2000} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxPerDay < 1 || c.MaxPerDay > 1000 || c.MaxBytes < 1 || c.MaxAudience < 1 {
		return errors.New("max_per_day must be from 1 to 1000, max_bytes and max_audience at least 1")
	}
	return nil
}

// Items has rules for what is published, and shown, in a node.
type Items interface {
	// OnPublish adds a rule that takes part in every publication, in its transaction.
	OnPublish(node string, rule func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error)
	// OnRetract adds one that takes part in every removal; an empty id is all.
	OnRetract(node string, rule func(ctx context.Context, account *core.Account, id string) error)
	// OnShow sets what a reader sees of an item, nil for nothing.
	OnShow(node string, rule func(reader xmpp.JID, payload *xmpp.Element) *xmpp.Element)
}

// Nodes keeps the node of each account.
type Nodes interface {
	// MakeFleeting sets how long the items of a node stay.
	MakeFleeting(node string, lifetime time.Duration)
	// Forget removes an item of which the time is over, without telling anybody; within a transaction it is part of that.
	Forget(ctx context.Context, account *core.Account, node, id string) error
	// MayRead reports whether an address may read an account's node.
	MayRead(ctx context.Context, account *core.Account, node string, who xmpp.JID) (bool, error)
}

// Contacts knows whose presence an account may see.
type Contacts interface {
	Subscriptions(ctx context.Context, account *core.Account) ([]xmpp.JID, error)
}

// Feature looks after the statuses of all accounts.
type Feature struct {
	cfg      Config
	db       *store.DB
	nodes    Nodes
	contacts Contacts
	log      *slog.Logger
	server   *core.Server
	now      func() time.Time
}

// New makes the feature and its table, and sets its rules.
func New(ctx context.Context, cfg Config, db *store.DB, items Items, nodes Nodes, contacts Contacts, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "status", migrations); err != nil {
		return nil, err
	}
	f := &Feature{cfg: cfg, db: db, nodes: nodes, contacts: contacts, log: log.With("part", "status"), now: time.Now}
	nodes.MakeFleeting(Node, Lifetime)
	items.OnPublish(Node, f.tell)
	items.OnRetract(Node, f.takeBack)
	items.OnShow(Node, show)
	return f, nil
}

// Attach hangs the feature on the journey of a stanza.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtAccount, NS, "statuses", f.list)
	s.OnRemove(f.remove)
}

// tell is asked within the transaction of each publication.
func (f *Feature) tell(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error {
	audience, err := f.check(payload)
	if err != nil {
		return err
	}
	now := f.db.Next()
	var known, today int
	err = f.db.QueryRow(ctx, `select coalesce(sum(case when name = $2 then 1 else 0 end), 0), count(*) from status_item where account = $1 and expires > $3`, account.ID, id, now).Scan(&known, &today)
	switch {
	case err != nil:
		return fmt.Errorf("count statuses: %w", err)
	case known > 0:
		return xmpp.Conflict.Because("a status stays as it was told: take it back and tell another one")
	case today >= f.cfg.MaxPerDay:
		return xmpp.ResourceConstraint.Because("at most %d in 24 hours", f.cfg.MaxPerDay)
	}
	_, err = f.db.Exec(ctx, `insert into status_item (account, name, author, posted, expires, audience, gone) values ($1, $2, $3, $4, $5, $6, 0)
		on conflict (account, name) do update set posted = excluded.posted, expires = excluded.expires, audience = excluded.audience, gone = 0`,
		account.ID, id, account.JID.String(), now, now+Lifetime.Microseconds(), audience)
	if err != nil {
		return fmt.Errorf("note status: %w", err)
	}
	return nil
}

// takeBack notes that one is not shown any more, or none, within the transaction of its removal.
func (f *Feature) takeBack(ctx context.Context, account *core.Account, id string) error {
	_, err := f.db.Exec(ctx, "update status_item set gone = 1, audience = '' where account = $1 and ($2 = '' or name = $2)", account.ID, id)
	return err
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	_, err := f.db.Exec(ctx, "delete from status_item where account = $1", account.ID)
	return err
}
