// Package pubsub publishes small things about an account: its devices' keys, its avatar, its bookmarks. It gives every account a
// personal publish-subscribe service at its bare address (XEP-0163 on XEP-0060; XEP-0222 and XEP-0223 for nodes that last), tells the
// account's other devices and its contacts what is new as far as they want to know (+notify), and lets other features publish, and take
// part in a publication, in the same transaction. Nodes belong to a number and an address, so that a service of channels can stand on it.
// Left out: the access model authorize, collections, subscription options, and digests.
package pubsub

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of XEP-0060.
const (
	NS      = "http://jabber.org/protocol/pubsub"
	nsOwner = NS + "#owner"
	nsEvent = NS + "#event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxNodes is the most nodes that one account may have.
	MaxNodes int `toml:"max_nodes"`
	// MaxItems is the most items that one node keeps; the oldest go first. Apps ask for it as "max".
	MaxItems int `toml:"max_items"`
	// MaxPayloadBytes is the most bytes that one item may have.
	MaxPayloadBytes int `toml:"max_payload_bytes"`
	// MaxAccountBytes is the most bytes that all items of one account may have together.
	MaxAccountBytes int64 `toml:"max_account_bytes"`
	// MaxMembers is the most affiliations, and the most subscriptions, that one node may have.
	MaxMembers int `toml:"max_members"`
	// MaxPage is the most items in one answer; apps ask again for more.
	MaxPage int `toml:"max_page"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{MaxNodes: 1000, MaxItems: 10_000, MaxPayloadBytes: 256 << 10, MaxAccountBytes: 64 << 20, MaxMembers: 1000, MaxPage: 1000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxNodes < 1 || c.MaxItems < 1 || c.MaxPayloadBytes < 1 || c.MaxAccountBytes < 1 || c.MaxMembers < 1 || c.MaxPage < 1 {
		return errors.New("pubsub: every limit must be at least 1")
	}
	return nil
}

// Contacts knows who may see an account's presence (RFC 6121 §3). Addresses are bare.
type Contacts interface {
	// Subscribed reports whether the contact may see the account's presence.
	Subscribed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
	// Subscribers are the contacts that may.
	Subscribers(ctx context.Context, account *core.Account) ([]xmpp.JID, error)
	// Subscriptions are the contacts whose presence the account may see.
	Subscriptions(ctx context.Context, account *core.Account) ([]xmpp.JID, error)
}

// Groups knows how an account sorts its contacts, for the access model "roster" (XEP-0060 §4.5).
type Groups interface {
	// InGroup reports whether the account has put the contact into one of these groups of its roster.
	InGroup(ctx context.Context, account *core.Account, contact xmpp.JID, groups ...string) (bool, error)
}

// Interest knows what apps want to be told of: the features that end in "+notify" (XEP-0115, XEP-0163 §4).
type Interest interface {
	// Wants reports whether the app of a local session wants events of a node.
	Wants(session *core.Session, node string) bool
	// Elsewhere are the full addresses on other servers that have shown the account their presence and want events of a node.
	Elsewhere(account *core.Account, node string) []xmpp.JID
}

// Feature is the personal publish-subscribe service of all accounts.
type Feature struct {
	cfg      Config
	db       *store.DB
	contacts Contacts
	groups   Groups
	interest Interest
	log      *slog.Logger
	server   *core.Server

	defaults  map[string]Settings
	publish   map[string][]PublishRule
	retract   map[string][]RetractRule
	configure map[string][]ConfigureRule
	sights    map[string]ShowRule
	fleeting  map[string]int64 // seconds that the items of a node stay
	kept      []func(*core.Account)
	events    queue
	counts    counts
	last      *lastItems
}

// PublishRule takes part in a publication, within its transaction: what it writes with the same ctx is kept together with the item, or
// nothing is. An *xmpp.Error refuses the publication.
type PublishRule func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error

// RetractRule takes part in the removal of an item, within its transaction. An empty id means that all items of the node go.
type RetractRule func(ctx context.Context, account *core.Account, id string) error

// ConfigureRule takes part in a change of a node's access model, within its transaction.
type ConfigureRule func(ctx context.Context, account *core.Account, access string) error

// New makes the feature and its tables.
func New(ctx context.Context, cfg Config, db *store.DB, contacts Contacts, groups Groups, interest Interest, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "pubsub", migrations); err != nil {
		return nil, err
	}
	last, err := newLastItems()
	if err != nil {
		return nil, fmt.Errorf("pubsub: %w", err)
	}
	return &Feature{cfg: cfg, db: db, contacts: contacts, groups: groups, interest: interest, counts: newCounts(), log: log.With("part", "pubsub"), last: last,
		defaults: map[string]Settings{}, publish: map[string][]PublishRule{}, retract: map[string][]RetractRule{},
		configure: map[string][]ConfigureRule{}, sights: map[string]ShowRule{}, fleeting: map[string]int64{}}, nil
}

// Attach hangs the feature on the journey of a stanza.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtAccount, NS, "pubsub", f.handle)
	s.HandleIQ(core.AtAccount, nsOwner, "pubsub", f.handleOwner)
	s.Announce(core.AtAccount, features...)
	s.Tell(core.Received, f.granted)
	s.Tell(core.Sent, func(ctx context.Context, t *core.Transit) {
		if t.Receiver == nil { // lives elsewhere
			f.granted(ctx, t)
		}
	})
	s.OnRemove(f.remove)
	s.OnExport(f.export)
	s.OnImport(f.adopt)
}

// MakePrivate says that a node is for its owner's devices alone unless the owner configures it otherwise (XEP-0223). Call it before the
// first session, as also OnPublish, OnRetract, OnConfigure and OnKept.
func (f *Feature) MakePrivate(node string) { f.defaults[node] = PrivateSettings() }

// OnPublish adds a rule that takes part in every publication to a node.
func (f *Feature) OnPublish(node string, rule func(ctx context.Context, account *core.Account, id string, payload *xmpp.Element) error) {
	f.publish[node] = append(f.publish[node], rule)
}

// OnRetract adds a rule that takes part in every removal of items from a node, the removal of the node itself included.
func (f *Feature) OnRetract(node string, rule func(ctx context.Context, account *core.Account, id string) error) {
	f.retract[node] = append(f.retract[node], rule)
}

// OnConfigure adds a rule that takes part in every change of a node's configuration.
func (f *Feature) OnConfigure(node string, rule func(ctx context.Context, account *core.Account, access string) error) {
	f.configure[node] = append(f.configure[node], rule)
}

// OnKept adds what happens right after a change of an account's nodes is on disk, before anybody is told, and when the account goes. It must
// be quick and must not use the database: it is for dropping what was remembered.
func (f *Feature) OnKept(fn func(account *core.Account)) { f.kept = append(f.kept, fn) }

func (f *Feature) settingsFor(node string) Settings {
	if s, ok := f.defaults[node]; ok {
		return s
	}
	return DefaultSettings()
}

// features are announced at the account's bare address (XEP-0060 §10, XEP-0163 §6).
var features = prefixed("access-open", "access-presence", "access-roster", "access-whitelist", "auto-create", "auto-subscribe", "config-node",
	"config-node-max", "create-and-configure", "create-nodes", "delete-items", "delete-nodes", "filtered-notifications", "item-ids",
	"last-published", "member-affiliation", "meta-data", "modify-affiliations", "multi-items", "outcast-affiliation", "owner",
	"persistent-items", "pep", "presence-notifications", "presence-subscribe", "publish", "publish-options", "publish-only-affiliation",
	"publisher-affiliation", "purge-nodes", "retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-items",
	"retrieve-subscriptions", "manage-subscriptions", "rsm", "subscribe")

func prefixed(names ...string) []string {
	for i, name := range names {
		names[i] = NS + "#" + name
	}
	return names
}

// granted shows the last items of an account to a contact that it has just let see its presence.
func (f *Feature) granted(ctx context.Context, t *core.Transit) {
	if t.Stanza.Kind == xmpp.Presence && t.Stanza.Type == "subscribed" && t.Sender != nil {
		f.showToContact(ctx, t.Sender, t.Stanza.To.Bare())
	}
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	for _, table := range []string{"pubsub_item", "pubsub_affiliation", "pubsub_subscription"} {
		_, err := f.db.Exec(ctx, "delete from "+table+" where node in (select id from pubsub_node where account = $1)", account.ID)
		if err != nil {
			return fmt.Errorf("remove %s: %w", table, err)
		}
	}
	for _, table := range []string{"pubsub_node", "pubsub_usage"} {
		if _, err := f.db.Exec(ctx, "delete from "+table+" where account = $1", account.ID); err != nil {
			return fmt.Errorf("remove %s: %w", table, err)
		}
	}
	f.committed(account)
	return f.removeFromOthers(ctx, account.JID.String())
}

// removeFromOthers ends what a removed account has with the nodes of others, so that whoever gets the name next does not inherit it.
func (f *Feature) removeFromOthers(ctx context.Context, bare string) error {
	for _, sql := range []string{"delete from pubsub_affiliation where jid = $1", "delete from pubsub_subscription where bare = $1"} {
		if _, err := f.db.Exec(ctx, sql, bare); err != nil {
			return fmt.Errorf("remove from the nodes of others: %w", err)
		}
	}
	return nil
}
