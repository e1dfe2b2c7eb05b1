package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"palabre.dev/palabre/app/certificate"
	"palabre.dev/palabre/component"
	"palabre.dev/palabre/httpd"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
)

// alone reports whether this is the configuration of `palabre pay`: payments alone, for the accounts of another server.
func (c Config) alone() bool { return c.Pay.Server.Secret != "" }

// server is how `palabre pay` reaches that server.
func (c Config) server() component.Config {
	cfg := c.Pay.Server
	if cfg.Domain == "" {
		cfg.Domain = c.payments().Service
	}
	return cfg
}

// OpenPay puts together the service of payments alone, as a component of another server (XEP-0114), with a ledger of its own. Of the configuration it uses domain, data, log, tls,
// store, http, ledger and pay. It opens no door, and is no server for accounts.
func OpenPay(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	switch {
	case !cfg.alone():
		return nil, errors.New("configuration: [pay.server] says nothing of the server: address, secret")
	case !cfg.paying():
		return nil, errors.New("configuration: [pay] has no unit to pay in")
	}
	if err := cfg.server().Validate(); err != nil {
		return nil, fmt.Errorf("configuration: [pay.server] %w", err)
	}
	return open(ctx, cfg, log, (*App).assembleAlone)
}

func (a *App) assembleAlone(ctx context.Context) (err error) {
	names := []string{a.cfg.Domain}
	if host := a.cfg.HTTP.Host(); host != "" && host != a.cfg.Domain {
		names = append(names, host)
	}
	if a.cert, err = certificate.Open(a.cfg.TLS, filepath.Join(a.cfg.Data, "certificates"), names, a.cfg.HTTP.Public(a.cfg.Domain), a.log); err != nil {
		return err
	}
	if a.http, err = httpd.New(a.cfg.HTTP, a.registry, a.log); err != nil {
		return err
	}
	if a.ledger, err = ledger.New(ctx, a.cfg.Ledger, a.db, a.log); err != nil {
		return err
	}
	door := newPayDoor(a.cfg.payments().Service, a.log)
	way, err := component.New(a.cfg.server(), door, a.log)
	if err != nil {
		return err
	}
	if a.pay, err = pay.New(ctx, a.cfg.payments(), a.db, a.ledger, payNetwork{way}, a.log); err != nil {
		return err
	}
	door.service = a.pay
	a.main = way.Run
	if a.jobs, err = jobs.New(ctx, a.db, a.log); err != nil {
		return err
	}
	a.features = []any{a.jobs, a.ledger, a.pay, payFigures{}, newPayPage(door, a.log)}
	if err := a.makeRails(ctx); err != nil {
		return err
	}
	a.registry.MustRegister(component.Collectors()...)
	a.attachTo([]any{a.db, a.http, way})
	return nil
}

// offered reports whether an operation makes sense where there are payments alone.
func (a *App) offered(operation string) bool {
	return a.server != nil || operation == "backup" || strings.HasPrefix(operation, "ledger") || strings.HasPrefix(operation, "pay")
}
