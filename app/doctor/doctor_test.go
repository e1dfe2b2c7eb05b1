package doctor

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/pay"
)

// names is a name server that knows these hosts and records.
type names struct {
	hosts map[string]string
	srv   map[string]uint16
}

func (n names) LookupHost(_ context.Context, host string) ([]string, error) {
	if ip, ok := n.hosts[host]; ok {
		return []string{ip}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (n names) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	if port, ok := n.srv[service]; ok {
		return "", []*net.SRV{{Target: name + ".", Port: port}}, nil
	}
	return "", nil, &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
}

func config(t *testing.T) app.Config {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Data = t.TempDir()
	cfg.Store.URL = "sqlite:" + filepath.Join(cfg.Data, "palabre.db")
	cfg.C2S.Listen, cfg.C2S.ListenTLS = []string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}
	cfg.HTTP.Listen, cfg.HTTP.Local = []string{"127.0.0.1:0"}, "127.0.0.1:0"
	return cfg
}

func examine(t *testing.T, cfg app.Config, n names) (bad int, report string) {
	t.Helper()
	var b strings.Builder
	bad = New(cfg, n).Examine(t.Context(), func(f Finding) { b.WriteString(f.Level.String() + " " + f.What + " → " + f.Do + "\n") })
	return bad, b.String()
}

func TestAllIsWell(t *testing.T) {
	bad, report := examine(t, config(t), names{})
	if bad != 0 || !strings.Contains(report, "database sqlite with 0 accounts") || !strings.Contains(report, "the server does not run") {
		t.Errorf("%d bad\n%s", bad, report)
	}
}

func TestNamesThatLeadNowhere(t *testing.T) {
	cfg := config(t)
	cfg.Domain = "chat.example"
	cfg.C2S.Listen = []string{"127.0.0.1:25999"}
	bad, report := examine(t, cfg, names{})
	for _, want := range []string{"the name chat.example leads nowhere", "BAD  apps do not find port 25999", "_xmpp-client._tcp.chat.example. SRV 5 1 25999 chat.example."} {
		if bad != 2 || !strings.Contains(report, want) {
			t.Errorf("%d bad, no %q\n%s", bad, want, report)
		}
	}
	bad, report = examine(t, cfg, names{map[string]string{"chat.example": "192.0.2.7"}, map[string]uint16{"xmpp-client": 25999}})
	if bad != 0 || !strings.Contains(report, "chat.example is 192.0.2.7") {
		t.Errorf("%d bad\n%s", bad, report)
	}
}

func TestPortInUse(t *testing.T) {
	cfg := config(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	cfg.C2S.Listen = []string{busy.Addr().String()}
	if bad, report := examine(t, cfg, names{}); bad != 1 || !strings.Contains(report, "cannot be opened") {
		t.Errorf("%d bad\n%s", bad, report)
	}
}

func TestBrokenParts(t *testing.T) {
	for name, breakIt := range map[string]func(*app.Config){
		"database":           func(c *app.Config) { c.Store.URL = "postgres://nobody@127.0.0.1:1/none" },
		"certificate":        func(c *app.Config) { c.TLS.Source, c.TLS.CertFile, c.TLS.KeyFile = "files", "none", "none" },
		"no authority gives": func(c *app.Config) { c.TLS.Source = "acme" },
		"is not a folder":    func(c *app.Config) { c.Data = "doctor.go" },
	} {
		cfg := config(t)
		breakIt(&cfg)
		if bad, report := examine(t, cfg, names{}); bad == 0 || !strings.Contains(report, name) {
			t.Errorf("%s: %d bad\n%s", name, bad, report)
		}
	}
}

func TestRealMoneyWithoutLimits(t *testing.T) {
	limits := []pay.Limit{{Level: "basic", Day: 100}}
	for want, unit := range map[string]pay.Unit{
		"note payments in MAD are of real money, without limits and step_up": {Code: "MAD"},
		"note payments in EUR are of real money, without step_up":            {Code: "EUR", Limits: limits},
		"note payments in BRL are of real money, without limits →":           {Code: "BRL", StepUp: 50},
		"ok   payments in XOF have limits and a step-up":                     {Code: "XOF", Limits: limits, StepUp: 50},
	} {
		cfg := config(t)
		cfg.Pay.Units = []pay.Unit{{Code: "USD", Closed: true}, unit}
		if bad, report := examine(t, cfg, names{}); bad != 0 || !strings.Contains(report, want) || strings.Contains(report, "USD") {
			t.Errorf("%d bad, no %q\n%s", bad, want, report)
		}
	}
}
