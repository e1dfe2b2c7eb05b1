// Package doctor looks for what keeps a server from working: configuration, disk, database, clock, certificate, DNS names, ports and payments. Each
// check says that all is well or what to do. It changes nothing and sends nothing to anybody but the name servers and the server itself.
package doctor

import (
	"context"
	"fmt"
	"net"
	"time"

	"palabre.dev/palabre/app"
)

// Level is how bad a finding is.
type Level int

// The levels.
const (
	OK   Level = iota
	Note       // works, could be better
	Bad        // does not work
)

// String is how a report shows the level.
func (l Level) String() string { return [...]string{"ok  ", "note", "BAD "}[l] }

// Finding is the outcome of one check.
type Finding struct {
	Level Level
	What  string
	// Do is what to do about it, "" when all is well.
	Do string
}

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Doctor examines one configuration.
type Doctor struct {
	cfg     app.Config
	resolve Resolver
	running bool
}

// timeout bounds each check.
const timeout = 10 * time.Second

// New makes a doctor; resolve is net.DefaultResolver outside tests.
func New(cfg app.Config, resolve Resolver) *Doctor { return &Doctor{cfg: cfg, resolve: resolve} }

// Examine runs all checks and reports each to tell. It returns how many are bad.
func (d *Doctor) Examine(ctx context.Context, tell func(Finding)) int {
	bad := 0
	for _, check := range []func(context.Context) []Finding{
		d.folder, d.disk, d.server, d.clock, d.certificate, d.addresses, d.services, d.ports, d.payments,
	} {
		bounded, cancel := context.WithTimeout(ctx, timeout)
		for _, finding := range check(bounded) {
			if finding.Level == Bad {
				bad++
			}
			tell(finding)
		}
		cancel()
	}
	return bad
}

func ok(format string, args ...any) Finding { return Finding{OK, fmt.Sprintf(format, args...), ""} }

func note(do, format string, args ...any) Finding {
	return Finding{Note, fmt.Sprintf(format, args...), do}
}

func bad(do, format string, args ...any) Finding {
	return Finding{Bad, fmt.Sprintf(format, args...), do}
}
