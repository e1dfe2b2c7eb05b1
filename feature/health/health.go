// Package health tells administrators how the server is and was: figures of the last hour and day, kept in memory of a fixed size and
// sampled each minute from the metrics that the parts count anyway; the end of the certificate, the last backup, the version and whether
// there is a newer one. No figure has a name or an address in it. Left out: anything older than a day, and anything finer than a minute,
// which the operator's own tools have (/metrics).
package health

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// NS is the namespace of the answer (docs/protocol/admin.md).
const NS = "urn:palabre:admin:0"

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// UpdateURL is where the version of the newest release can be read, once a day, as JSON: {"version": "v1.2.3", "page": "https://…"}. Empty
	// asks nobody.
	UpdateURL string `toml:"update_url"`
}

// DefaultConfig asks nobody.
func DefaultConfig() Config { return Config{} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.UpdateURL == "" {
		return nil
	}
	if u, err := url.Parse(c.UpdateURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("update_url: %q is no web address", c.UpdateURL)
	}
	return nil
}

// About is what is known of the server itself.
type About interface {
	// Version is that of the program.
	Version() string
	// CertificateEnds is when the certificate in use ends, zero if that is not known.
	CertificateEnds() time.Time
}

// Feature is the state of health.
type Feature struct {
	cfg    Config
	db     *store.DB
	from   prometheus.Gatherer
	about  About
	log    *slog.Logger
	began  time.Time
	only   func(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) core.IQHandler
	latest latest

	mu   sync.Mutex // guards what follows
	ring ring
	last totals
}

// New opens the table. only lets administrators alone ask. The figures come from a gatherer.
func New(ctx context.Context, cfg Config, db *store.DB, from prometheus.Gatherer, about About,
	only func(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) core.IQHandler, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("health configuration: %w", err)
	}
	if err := db.Migrate(ctx, "health", migrations); err != nil {
		return nil, err
	}
	return &Feature{cfg: cfg, db: db, from: from, about: about, only: only, log: log.With("part", "health"), began: time.Now()}, nil
}

// Attach takes the request.
func (f *Feature) Attach(s *core.Server) {
	s.HandleIQ(core.AtServer, NS, "health", f.only(f.answer))
}

// Run takes a sample each minute, and looks for a newer version each day if it may, until ctx ends.
func (f *Feature) Run(ctx context.Context) error {
	f.sample(time.Now())
	minute, day := time.NewTicker(step), time.NewTicker(updateEvery)
	defer minute.Stop()
	defer day.Stop()
	f.look(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-minute.C:
			f.sample(now)
		case <-day.C:
			f.look(ctx)
		}
	}
}

// BackedUp notes that a backup has been made whole.
func (f *Feature) BackedUp(ctx context.Context, at time.Time) error {
	_, err := f.db.Exec(ctx, `insert into health_done (what, at) values ('backup', $1) on conflict (what) do update set at = excluded.at`, at.UnixMicro())
	if err != nil {
		return fmt.Errorf("note a backup: %w", err)
	}
	return nil
}

func (f *Feature) lastBackup(ctx context.Context) (time.Time, error) {
	var at int64
	err := f.db.QueryRow(ctx, `select at from health_done where what = 'backup'`).Scan(&at)
	if errors.Is(err, store.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMicro(at), err
}

// answer is the state now, and the figures of the last hour or day.
func (f *Feature) answer(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Set {
		return nil, xmpp.BadRequest
	}
	points, each := 60, 1
	switch r.Payload.Attr("span") {
	case "", "hour":
	case "day":
		points, each = 144, 10
	default:
		return nil, xmpp.BadRequest.Because("span is hour or day")
	}
	backup, err := f.lastBackup(ctx)
	if err != nil {
		return nil, err
	}
	e := xmpp.NewElement(NS, "health").Set("at", stamp(time.Now())).Set("every", strconv.Itoa(each*60))
	for _, one := range []struct {
		name  string
		value time.Time
	}{{"since", f.began}, {"certificate-ends", f.about.CertificateEnds()}, {"backup", backup}} {
		if !one.value.IsZero() {
			e.Add(fact(one.name, stamp(one.value)))
		}
	}
	e.Add(fact("version", f.about.Version()))
	if newer, page := f.latest.newerThan(f.about.Version()); newer != "" {
		e.Add(fact("newer", newer), fact("newer-page", page))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, name := range series {
		values := make([]string, 0, points)
		for _, value := range f.ring.read(i, points, each) {
			values = append(values, text(value))
		}
		e.Add(xmpp.NewText(NS, "series", strings.Join(values, " ")).Set("name", name))
	}
	return e, nil
}

func fact(name, value string) *xmpp.Element {
	return xmpp.NewElement(NS, "fact").Set("name", name).Set("value", value)
}

// stamp is a time as XEP-0082 has it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }
