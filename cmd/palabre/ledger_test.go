package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// withLedger opens a database that has a ledger, as the server would, and closes it again.
func withLedger(t *testing.T, cfg store.Config, do func(db *store.DB, l *ledger.Ledger)) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.New(t.Context(), ledger.DefaultConfig(), db, quiet)
	if err != nil {
		t.Fatal(err)
	}
	do(db, l)
	l.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func openMarket(t *testing.T, cfg store.Config) {
	t.Helper()
	withLedger(t, cfg, func(_ *store.DB, l *ledger.Ledger) {
		for _, o := range []ledger.Operation{
			{ID: "1", Kind: ledger.Opening, From: "issue/EUR", Unit: "EUR", Floor: ledger.Unbounded},
			{ID: "2", Kind: ledger.Opening, From: "wallet/EUR/nadia@localhost", Unit: "EUR"},
			{ID: "3", Kind: ledger.Transfer, From: "issue/EUR", To: "wallet/EUR/nadia@localhost", Unit: "EUR", Amount: 12550, About: "=1+1"},
		} {
			if _, err := l.Post(t.Context(), nil, o); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		t.Fatalf("it ended with %v", err)
	}
	return ended.ExitCode()
}

// TestLedgerFromTheCommandLine reads the book while the server does not run and while it does, and after somebody has changed it.
func TestLedgerFromTheCommandLine(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			cfg := storetest.File(t)
			if engine == storetest.Postgres {
				cfg = storetest.Config(t, engine)
			}
			openMarket(t, cfg)
			p := newPlace(t, cfg, "")
			first := p.run("", "ledger", "verify")
			if !strings.Contains(first, "sound: 3 records, 2 accounts") || !strings.Contains(first, "In circulation: 125.50 EUR") {
				t.Fatal(first)
			}
			hash := regexp.MustCompile(`[0-9a-f]{64}`).FindString(first)
			for _, running := range []bool{false, true} {
				var server *served
				if running {
					server = p.serve()
				}
				p.readsTheBook(hash)
				if server != nil {
					server.stop(t)
				}
			}
			out, err := p.try("", "ledger", "verify", "-noted", strings.Repeat("ab", 32))
			if statusOf(t, err) != exitNoted || !strings.Contains(out, "What to do") {
				t.Error(err, out)
			}
			withLedger(t, cfg, func(db *store.DB, _ *ledger.Ledger) {
				if _, err := db.Exec(t.Context(), "update ledger_record set credit_balance = credit_balance + 100 where key = '3'"); err != nil {
					t.Fatal(err)
				}
			})
			out, err = p.try("", "ledger", "verify", "-noted", hash)
			if statusOf(t, err) != exitFault || !strings.Contains(out, "What to do") || !strings.Contains(out, "(2 records)") {
				t.Error(err, out)
			}
		})
	}
}

// readsTheBook runs every subcommand that reads it.
func (p *place) readsTheBook(hash string) {
	p.t.Helper()
	if out := p.run("", "ledger", "verify", "-noted", hash); !strings.Contains(out, "noted is in it") {
		p.t.Error(out)
	}
	if out := p.run("", "ledger", "verify", "-json"); !strings.Contains(out, `"done":true`) || !strings.Contains(out, hash) {
		p.t.Error(out)
	}
	if out := p.run("", "ledger", "list"); !regexp.MustCompile(`125\.50 +EUR +0\.00 +open +wallet/EUR/nadia@localhost`).MatchString(out) {
		p.t.Error(out)
	}
	if out := p.run("", "ledger", "statement", "wallet/EUR/nadia@localhost"); !strings.Contains(out, "transfer") || !strings.Contains(out, "125.50") {
		p.t.Error(out)
	}
	if out := p.run("", "ledger", "balance"); !regexp.MustCompile(`EUR +wallet +1 +125\.50`).MatchString(out) || !regexp.MustCompile(`EUR +issue +1 +-125\.50`).MatchString(out) {
		p.t.Error(out)
	}
	lines, err := csv.NewReader(strings.NewReader(p.run("", "ledger", "export", "-since", "2020-01-01"))).ReadAll()
	if err != nil || len(lines) != 4 || lines[3][7] != "125.50" || lines[3][11] != "'=1+1" || lines[3][13] != hash {
		p.t.Error(lines, err)
	}
	if out := p.run("", "ledger", "export", "-until", "2020-01-01"); strings.Count(out, "\n") != 1 {
		p.t.Error(out)
	}
	if out, err := p.try("", "ledger", "export", "-since", "yesterday"); err == nil || !strings.Contains(out, "is no time") {
		p.t.Error(out)
	}
	if out, err := p.try("", "ledger", "verify", "-database", "sqlite:nowhere.db"); err == nil || !strings.Contains(out, "no such file") {
		p.t.Error(out)
	}
}

// TestHelpOfCommandsThatBeginAlike asks for the help of a word that is no command, and is the first of several.
func TestHelpOfCommandsThatBeginAlike(t *testing.T) {
	for _, args := range [][]string{{"ledger", "-h"}, {"ledger", "--help"}, {"ledger", "help"}, {"help", "ledger"}, {"account", "-h"}} {
		var out bytes.Buffer
		if err := run(t.Context(), &call{out: &out, err: io.Discard}, args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		for _, s := range subcommands {
			group, _, _ := strings.Cut(s.name, " ")
			if told := strings.Contains(out.String(), "  "+s.name+" ") && strings.Contains(out.String(), s.summary); told != slices.Contains(args, group) {
				t.Errorf("%v: %s is told of: %v", args, s.name, told)
			}
		}
	}
	for _, args := range [][]string{{"ledger", "burn"}, {"ledge", "-h"}, {"ledger", "burn", "-h"}, {"help", "ledge"}} {
		if err := run(t.Context(), &call{out: io.Discard, err: io.Discard}, args); err == nil || !strings.Contains(err.Error(), "there is no command") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestVerifyTellsWhatItCannotSee has a book of which parts are in no hash.
func TestVerifyTellsWhatItCannotSee(t *testing.T) {
	for _, v := range []app.VerifyStep{{Done: true, Records: 5}, {Done: true, Records: 5, OldRefusals: 7, LooseUnits: []string{"LEAF"}}} {
		var out bytes.Buffer
		if err := (&call{out: &out, err: io.Discard}).tellVerified(v); err != nil {
			t.Error(err)
		}
		if told := out.String(); strings.Contains(told, "7 refusals") != (v.OldRefusals > 0) || strings.Contains(told, "LEAF") != (len(v.LooseUnits) > 0) {
			t.Error(told)
		}
	}
}
