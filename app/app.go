// Package app puts the parts of the server together by hand: configuration, database, certificate, doors and features, and their life
// from start to graceful stop. The product's table of contents is features.go. It also holds what an operator can do (operate.go), which
// the command line reaches through a socket while the server runs, and directly while it does not.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"palabre.dev/palabre/app/certificate"
	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/component"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/channel"
	"palabre.dev/palabre/feature/health"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/httpd"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/web"
)

// stopTimeout bounds how long the HTTP door waits for requests under way when the server stops.
const stopTimeout = 10 * time.Second

// stopLimit bounds the whole stop.
const stopLimit = 30 * time.Second

// App is a server that is put together and not open yet.
type App struct {
	cfg      Config
	log      *slog.Logger
	registry *prometheus.Registry
	db       *store.DB
	cert     *certificate.Source
	server   *core.Server
	http     *httpd.Door
	c2s      *c2s.Door
	site     *web.Site
	accounts *account.Accounts
	jobs     *jobs.Jobs
	invites  *register.Feature
	reports  *blocking.Feature
	channels *channel.Channels
	health   *health.Feature
	guests   *component.Door
	ledger   *ledger.Ledger // nil without payments
	pay      *pay.Service   // nil without payments
	rails    *rail.Engine   // nil without networks outside
	features []any
	main     func(ctx context.Context) error // the door that is closed first
	runners  []func(ctx context.Context) error
}

// Open puts a server together: it makes what is missing in the data folder and brings the database up to date. It opens no door.
// store.ErrLocked means that another process serves from the same database file.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	if cfg.alone() {
		return nil, errors.New("configuration: with [pay.server] it is one for palabre pay")
	}
	return open(ctx, cfg, log, (*App).assemble)
}

// open opens the database and lets assemble make the parts above it.
func open(ctx context.Context, cfg Config, log *slog.Logger, assemble func(*App, context.Context) error) (*App, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	a := &App{cfg: cfg, log: log, registry: prometheus.NewRegistry()}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if a.db, err = store.Open(ctx, cfg.Store, log); err != nil {
		return nil, err
	}
	if err := assemble(a, ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// assemble makes the parts above the database and lets each hang its rules on the journey.
func (a *App) assemble(ctx context.Context) (err error) {
	names := append([]string{a.cfg.Domain}, a.cfg.hosts()...)
	if a.cert, err = certificate.Open(a.cfg.TLS, filepath.Join(a.cfg.Data, "certificates"), names, a.cfg.HTTP.Public(a.cfg.Domain), a.log); err != nil {
		return err
	}
	if a.accounts, err = account.New(ctx, a.db, a.cfg.Account, a.cfg.Domain, a.log); err != nil {
		return err
	}
	if a.jobs, err = jobs.New(ctx, a.db, a.log); err != nil {
		return err
	}
	a.accounts.UseJobs(a.jobs)
	if a.server, err = core.New(a.cfg.Config, a.db, a.accounts, a.log); err != nil {
		return err
	}
	if a.http, err = httpd.New(a.cfg.HTTP, a.registry, a.log); err != nil {
		return err
	}
	if a.c2s, err = c2s.New(ctx, a.cfg.C2S, a.server, a.accounts, a.db, a.cert.TLS(), a.log); err != nil {
		return err
	}
	if a.guests, err = component.NewDoor(a.cfg.Component, a.log); err != nil {
		return err
	}
	if a.site, err = web.New(web.Config{Servers: origins(append(slices.Clone(a.cfg.C2S.Alternatives), a.cfg.Upload.URL))}); err != nil {
		return err
	}
	if err := a.makeFeatures(ctx); err != nil {
		return err
	}
	a.attach()
	return a.guests.Join(a.server)
}

// attach gives each part what it can use: the journey, pages, a goroutine, a place among the figures.
func (a *App) attach() {
	a.main = a.runDoors
	a.registry.MustRegister(component.Collectors()...)
	a.attachTo([]any{a.db, a.server, a.http, a.c2s})
	a.runners = append(a.runners, newMemoryKeeper().Run)
	a.site.Routes(a.http.Mux())
}

// runDoors lets apps and components in until ctx ends, and then stops both in order.
func (a *App) runDoors(ctx context.Context) error {
	both, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.guests.Run(both) }()
	err := a.c2s.Run(ctx)
	end()
	return errors.Join(err, <-ended)
}

func (a *App) attachTo(base []any) {
	for _, part := range append(base, a.features...) {
		if p, ok := part.(interface{ Attach(*core.Server) }); ok && a.server != nil {
			p.Attach(a.server)
		}
		if p, ok := part.(interface{ Routes(*http.ServeMux) }); ok {
			p.Routes(a.http.Mux())
		}
		if p, ok := part.(interface{ Collectors() []prometheus.Collector }); ok {
			a.registry.MustRegister(p.Collectors()...)
		}
	}
	for _, feature := range a.features {
		if p, ok := feature.(interface{ Run(context.Context) error }); ok {
			a.runners = append(a.runners, p.Run)
		}
	}
	a.runners = append(a.runners, a.cert.Run, a.db.Watch)
	a.cert.Routes(a.http.Mux(), a.cfg.Domain)
}

// Close closes the database of an app that does not serve.
func (a *App) Close() error {
	if a.ledger != nil {
		a.ledger.Close()
	}
	return a.db.Close()
}

// Serve opens the doors and serves until ctx ends; opened is called when they are open. Then it stops in order: it is no longer ready,
// sessions are told and what they sent is kept and acknowledged, requests under way end, the database closes.
func (a *App) Serve(ctx context.Context, opened func()) error {
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	failed := make(chan error, 1+len(a.runners)+1)
	control, err := a.open(work)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	doors, closeDoors := context.WithCancel(ctx)
	defer closeDoors()
	var door, runners sync.WaitGroup
	door.Go(func() {
		if err := a.main(doors); err != nil {
			failed <- err
		}
	})
	for _, run := range a.runners {
		runners.Go(func() {
			if err := a.keepRunning(work, run); err != nil && work.Err() == nil {
				failed <- err
			}
		})
	}
	a.http.SetReady(true)
	opened()
	var cause error
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case cause = <-failed:
		a.log.Error("a part failed; stopping", "err", cause)
	}
	a.http.SetReady(false)
	if errors.Is(cause, store.ErrLocked) {
		return cause // whoever owns the database now serves; what this process would still say could be wrong
	}
	closeDoors()
	return within(stopLimit, func() error {
		door.Wait()
		err := a.closeHTTP(control)
		end()
		runners.Wait()
		err = errors.Join(cause, err, a.Close())
		a.log.Info("stopped")
		return err
	})
}

// restartPause is how long a part that panicked rests.
const restartPause = time.Second

// keepRunning runs a part until ctx ends or it fails. A part that panics begins anew after a pause.
func (a *App) keepRunning(ctx context.Context, run func(ctx context.Context) error) (err error) {
	for !core.Guard(a.log, "a part runs", func() { err = run(ctx) }) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartPause):
		}
	}
	return err
}

// within returns what stop does, or an error after so long: a database that is away can keep the answer about a commit back for ever, and nobody may be
// told anything before it is known. The program then ends as if it had been killed, which loses nothing that was acknowledged.
func within(limit time.Duration, stop func() error) error {
	done := make(chan error, 1)
	go func() { done <- stop() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("not everything could be stopped in order within %v", limit)
	}
}

// open opens all doors, or none.
func (a *App) open(ctx context.Context) (control *http.Server, err error) {
	if a.c2s != nil {
		if err := a.c2s.Listen(); err != nil {
			return nil, err
		}
		if err := a.guests.Listen(); err != nil {
			a.c2s.Stop()
			return nil, err
		}
	}
	if control, err = a.openControl(ctx); err != nil {
		a.stopListening()
		return nil, err
	}
	if err := a.http.Listen(a.cert.TLS()); err != nil {
		a.stopListening()
		return nil, errors.Join(err, control.Shutdown(ctx))
	}
	return control, nil
}

func (a *App) stopListening() {
	if a.c2s != nil {
		a.c2s.Stop()
		a.guests.Stop()
	}
}

func (a *App) closeHTTP(control *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return errors.Join(a.http.Close(ctx), control.Shutdown(ctx))
}

// Place is where a part listens.
type Place struct {
	For     string
	Address net.Addr
}

// Places are the addresses that are open.
func (a *App) Places() []Place {
	var places []Place
	if a.c2s != nil {
		for i, address := range a.c2s.Addrs() {
			what := "apps, STARTTLS"
			if i >= len(a.cfg.C2S.Listen) {
				what = "apps, TLS"
			}
			places = append(places, Place{what, address})
		}
		for _, address := range a.guests.Addrs() {
			places = append(places, Place{"components", address})
		}
	}
	for i, address := range a.http.Addresses() {
		what := "HTTPS"
		if i >= len(a.cfg.HTTP.Listen) {
			what = "metrics and health"
		}
		places = append(places, Place{what, address})
	}
	return places
}

// TLS is the configuration that the doors use, for checks.
func (a *App) TLS() *tls.Config { return a.cert.TLS() }
