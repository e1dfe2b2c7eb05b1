// Package roster knows who an account's contacts are, who may see whom, and who is there: rosters with versions, subscriptions,
// pre-approval and presence (RFC 6121 §2–§4, §8 for presence). It owns presence in core. Other features ask it whether a contact may
// see an account (Subscribed). Left out on purpose: shared rosters that an operator fills, and XEP-0144 exchanges.
package roster

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/recent"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS            = "jabber:iq:roster"
	NSVersioning  = "urn:xmpp:features:rosterver"
	NSPreApproval = "urn:xmpp:features:pre-approval"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxItems is the most contacts that one roster may have, requests that wait included.
	MaxItems int `toml:"max_items"`
	// MaxRequests is the most requests from others that wait for one account's answer.
	MaxRequests int `toml:"max_requests"`
	// MaxGroups is the most groups that one contact may be in.
	MaxGroups int `toml:"max_groups"`
	// MaxDirected is the most addresses outside its roster that one session may show its presence to, rooms included.
	MaxDirected int `toml:"max_directed"`
	// CachedContacts is how many contacts, of all accounts together, are kept in memory; each takes about 150 bytes.
	CachedContacts int `toml:"cached_contacts"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{MaxItems: 5000, MaxRequests: 500, MaxGroups: 50, MaxDirected: 500, CachedContacts: 200_000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxItems < 1 || c.MaxRequests < 1 || c.MaxGroups < 1 || c.MaxDirected < 1 || c.CachedContacts < 1 {
		return errors.New("roster: every limit must be at least 1")
	}
	return nil
}

// maxText is the most bytes of a contact's name or of a group's (RFC 6121 §2.3.3 leaves it to the server).
const maxText = 1023

// Feature is the rosters and the presence of all accounts.
type Feature struct {
	cfg      Config
	db       *store.DB
	server   *core.Server
	log      *slog.Logger
	contacts *recent.Cache[[]contact]
	turns    [64]chan struct{} // by account: changes are pushed one at a time
	bidden   chan struct{}     // wakes Run when farewells may wait
	devices  *core.Key[*device]
	changes  *core.Note[*change]
	shared   shared
	pushes   prometheus.Counter
}

// New opens the tables. Errors are those of the database or of the configuration.
func New(ctx context.Context, db *store.DB, cfg Config, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "roster", migrations); err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	f := &Feature{cfg: cfg, db: db, log: log.With("part", "roster"), bidden: make(chan struct{}, 1),
		devices: new(core.Key[*device]), changes: new(core.Note[*change]),
		pushes: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_roster_pushes_total", Help: "Roster pushes sent to sessions."})}
	f.contacts = f.newContacts()
	for i := range f.turns {
		f.turns[i] = make(chan struct{}, 1)
	}
	return f, nil
}

// Attach hangs the feature into the journey.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandlePresence(f.handle)
	s.HandleIQ(core.AtAccount, NS, "query", f.query)
	s.Check(core.Sent, f.checkSent)
	s.Change(core.Sent, f.stamp)
	s.Keep(core.Sent, f.planSent)
	s.Keep(core.Received, f.planReceived)
	s.Tell(core.Sent, f.tellSent)
	s.OnBind(func(_ context.Context, session *core.Session) { f.devices.Set(session, new(device)) })
	s.OnUnbind(f.ended)
	s.OnRemove(f.remove)
	s.OnExport(f.export)
	s.OnImport(f.adopt)
}

// StreamFeatures are what a door offers after login (RFC 6121 §2.6.1 and §3.4.1).
func (f *Feature) StreamFeatures() []*xmpp.Element {
	return []*xmpp.Element{xmpp.NewElement(NSVersioning, "ver"), xmpp.NewElement(NSPreApproval, "sub")}
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector {
	return []prometheus.Collector{f.pushes, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "palabre_roster_cached_contacts", Help: "Contacts in memory, of all accounts together.",
	}, func() float64 { return float64(f.contacts.Weight()) })}
}
