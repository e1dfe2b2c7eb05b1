// Package blocking lets people shut others out (XEP-0191), whole domains included, and report abuse to the operator while they do
// (XEP-0377). What passes on a report to other operators is left out, and so are privacy lists (XEP-0016).
package blocking

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
	NS       = "urn:xmpp:blocking"
	NSErrors = "urn:xmpp:blocking:errors"
	NSReport = "urn:xmpp:reporting:1"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxBlocked is the most addresses that one account may block.
	MaxBlocked int `toml:"max_blocked"`
	// MaxReports is the most reports of one account that are kept; later ones still block.
	MaxReports int `toml:"max_reports"`
	// CachedAddresses is how many accounts and blocked addresses together are kept in memory; each takes about 150 bytes.
	CachedAddresses int `toml:"cached_addresses"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{MaxBlocked: 5000, MaxReports: 1000, CachedAddresses: 100_000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxBlocked < 1 || c.MaxReports < 0 || c.CachedAddresses < 1 {
		return errors.New("blocking: max_blocked and cached_addresses must be at least 1, max_reports at least 0")
	}
	return nil
}

// Presence is who tells contacts whether an account is there.
type Presence interface {
	// Hide tells those who see the account, and for whom match is true, that it is gone.
	Hide(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error
	// Show tells them that it is there, if it is, and asks for their presence.
	Show(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error
}

// Feature is the block lists of all accounts.
type Feature struct {
	cfg        Config
	db         *store.DB
	presence   Presence
	server     *core.Server
	log        *slog.Logger
	lists      *recent.Cache[blocked]
	interested *core.Key[bool]
	reports    *prometheus.CounterVec
}

// New opens the tables. Errors are those of the database or of the configuration.
func New(ctx context.Context, db *store.DB, cfg Config, presence Presence, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "blocking", migrations); err != nil {
		return nil, fmt.Errorf("blocking: %w", err)
	}
	f := &Feature{cfg: cfg, db: db, presence: presence, log: log.With("part", "blocking"), interested: new(core.Key[bool]),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_blocking_reports_total", Help: "Abuse reports by reason.",
		}, []string{"reason"})}
	f.lists = recent.New(cfg.CachedAddresses, func(b blocked) int { return len(b) }, f.load)
	return f, nil
}

// Attach hangs the feature into the journey. Attach it before features that keep or count messages.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtAccount, NS, "blocklist", f.list)
	s.HandleIQ(core.AtAccount, NS, "block", f.block)
	s.HandleIQ(core.AtAccount, NS, "unblock", f.unblock)
	s.Announce(core.AtServer, NS, NSReport)
	s.Announce(core.AtAccount, NSReport)
	s.Check(core.Sent, f.checkSent)
	s.Check(core.Received, f.checkReceived)
	s.OnRemove(f.remove)
	s.OnExport(f.export)
	s.OnImport(f.adopt)
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector { return []prometheus.Collector{f.reports} }

// blocked is whom one account shuts out. It is never changed in place.
type blocked map[xmpp.JID]struct{}

// matches reports whether the address is shut out: by itself, by its bare address or by its domain (XEP-0191 §4).
func (b blocked) matches(jid xmpp.JID) bool {
	if len(b) == 0 {
		return false
	}
	for _, form := range [...]xmpp.JID{jid, jid.Bare(), jid.Host()} {
		if _, found := b[form]; found {
			return true
		}
	}
	return false
}

func (f *Feature) load(ctx context.Context, account int64) (blocked, error) {
	rows, err := f.db.Query(ctx, `select jid from blocking_item where account = $1`, account)
	if err != nil {
		return nil, fmt.Errorf("read a block list: %w", err)
	}
	defer rows.Close()
	var b blocked
	for rows.Next() {
		var jid xmpp.JID
		if jid, err = scanJID(rows); err != nil {
			return nil, err
		}
		if b == nil {
			b = blocked{}
		}
		b[jid] = struct{}{}
	}
	return b, rows.Err()
}

func scanJID(rows *store.Rows) (xmpp.JID, error) {
	var text string
	if err := rows.Scan(&text); err != nil {
		return xmpp.JID{}, err
	}
	jid, err := xmpp.ParseJID(text)
	if err != nil {
		return jid, fmt.Errorf("blocked address: %w", err)
	}
	return jid, nil
}

// Blocked reports whether the account shuts out jid, by itself, its bare address or its domain. The error is that of the database.
func (f *Feature) Blocked(ctx context.Context, account *core.Account, jid xmpp.JID) (bool, error) {
	if f.exempt(account, jid) {
		return false, nil
	}
	b, err := f.lists.Get(ctx, account.ID)
	return b.matches(jid), err
}

// exempt are the account itself and its server: they cannot be shut out.
func (f *Feature) exempt(account *core.Account, jid xmpp.JID) bool {
	return jid.IsZero() || jid.Bare() == account.JID || jid.Bare() == f.server.Domain()
}

type passes struct{}

// checkSent refuses what an account sends to those it shuts out (XEP-0191 §3.2).
func (f *Feature) checkSent(ctx context.Context, t *core.Transit) error {
	if ctx.Value(passes{}) != nil {
		return nil
	}
	shut, err := f.Blocked(ctx, t.Sender, t.Stanza.To)
	if err != nil || !shut {
		return err
	}
	if t.Stanza.Kind == xmpp.IQ && !t.Stanza.IsRequest() {
		t.Drop()
		return nil
	}
	return (&xmpp.Error{Type: "cancel", Condition: "not-acceptable"}).With(xmpp.NewElement(NSErrors, "blocked"))
}

// checkReceived keeps out what comes from those an account shuts out, so that they cannot tell (XEP-0191 §3.2).
func (f *Feature) checkReceived(ctx context.Context, t *core.Transit) error {
	shut, err := f.Blocked(ctx, t.Receiver, t.Stanza.From)
	if err != nil || !shut {
		return err
	}
	st := t.Stanza
	if st.Kind == xmpp.Presence || st.IsError() || st.Kind == xmpp.IQ && !st.IsRequest() || st.Kind == xmpp.Message && st.Type == "headline" {
		t.Drop()
		return nil
	}
	return xmpp.ServiceUnavailable
}
