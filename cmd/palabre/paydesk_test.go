package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
)

const aloneText = "domain = 'example.org'\n[pay.server]\naddress = '127.0.0.1:1'\nsecret = 'a secret of the two servers'\n[pay]\nlevels = ['basic', 'seen']\n[[pay.units]]\ncode = 'LEAF'\nclosed = true\n" +
	"limits = [{level = 'basic', transaction = 5000, day = 10000}]\n[[ledger.units]]\ncode = 'LEAF'\nexponent = 2\nname = 'Leaf'\n"

// onEach runs a test in a place where payments run alone, on both databases.
func onEach(t *testing.T, run func(t *testing.T, p *place)) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := storetest.File(t)
			if engine == storetest.Postgres {
				cfg = storetest.Config(t, engine)
			}
			run(t, newPlace(t, cfg, aloneText))
		})
	}
}

// says fails unless what was written has all these words.
func says(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, one := range words {
		if !strings.Contains(out, one) {
			t.Errorf("%q is not in\n%s", one, out)
		}
	}
}

// refuses runs the program, which ends with an error that says so.
func (p *place) refuses(words string, args ...string) {
	p.t.Helper()
	if out, err := p.try("", args...); err == nil || !strings.Contains(out, words) {
		p.t.Errorf("palabre %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestAWalletAtTheCommandLine issues into it, sets its level, stops it and lets it go on; the log says who has done what.
func TestAWalletAtTheCommandLine(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		made := p.run("", "pay", "issue", "karim", "12500", "LEAF", "the fair", "-as", "nadia")
		p.run("", "pay", "approve", regexp.MustCompile(`\d{10,}`).FindString(made), "-as", "omar")
		says(t, p.run("", "pay", "wallet", "karim"), "karim@example.org: open; level basic of basic, seen", "125.00 LEAF", "50.00 LEAF", "100.00 LEAF", "never")
		p.refuses("an account and the reason", "pay", "stop", "karim")
		p.refuses("say why", "pay", "stop", "karim", " ")
		p.refuses("no such account", "pay", "stop", "karim@elsewhere.example", "stolen phone")
		says(t, p.run("", "pay", "stop", "karim", "stolen phone", "-as", "omar"), "stopped by the operator")
		if out := p.run("", "pay", "stop", "karmi", "stolen phone", "-as", "omar"); !strings.Contains(out, "is that the account you mean?") {
			t.Error(out)
		}
		p.refuses("it is not frozen", "pay", "open", "karim", "passport")
		says(t, p.run("", "pay", "go-on", "karim", "has it again", "-as", "nadia"), "karim@example.org: open")
		says(t, p.run("", "pay", "level", "karim", "seen", "passport", "-as", "nadia"), "level seen", "nothing") // it has no limits in this unit
		p.refuses("no such account or level", "pay", "level", "karim", "known", "passport")
		var purse app.Purse
		if out := p.run("", "pay", "wallet", "karim@example.org", "-json"); json.Unmarshal([]byte(out), &purse) != nil || purse.Money[0].Balance.Amount != 12500 || !purse.Money[0].Nothing {
			t.Error(out)
		}
		says(t, p.run("", "pay", "circulation"), "ISSUED", "125.00 LEAF", " 2\n")
		says(t, p.run("", "pay", "circulation", "-json"), `"unit":"LEAF"`, `"wallet_accounts":2`)
		log := p.run("", "pay", "audit")
		if lines := strings.Split(strings.TrimSpace(log), "\n"); len(lines) != 6 || !regexp.MustCompile(`command line \(nadia\) +level +karim@example.org +"seen: passport"`).MatchString(lines[0]) ||
			!regexp.MustCompile(`command line \(omar\) +stop +karmi@example.org +"stolen phone"`).MatchString(lines[2]) {
			t.Error(log)
		}
		var first pay.Deed
		if err := json.NewDecoder(strings.NewReader(p.run("", "pay", "audit", "-json", "-since", "2020-01-01"))).Decode(&first); err != nil || first.Who != "command line (nadia)" {
			t.Errorf("%+v (%v)", first, err)
		}
		p.run("", "ledger", "export", "-since", "2026-11-01", "-as", "an auditor")
		says(t, p.run("", "pay", "audit"), `"2026-11-01T00:00:00Z/"`, "export", "command line (an auditor)")
		if out := p.run("", "pay", "audit", "-since", "2999-01-01"); out != "" {
			t.Error(out)
		}
		if out := p.run("", "pay", "suspicions"); out != "" {
			t.Error(out)
		}
	})
}

// TestDisputesAtTheCommandLine lists them, tells one with what was shown, and decides.
func TestDisputesAtTheCommandLine(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		if out := p.run("", "pay", "disputes"); out != "" {
			t.Error(out)
		}
		p.disputed("d1", "d2")
		says(t, p.run("", "pay", "disputes"), "d1", "open", "25.00 LEAF", "karim@example.org to shop@example.org", "wrong-amount", "1 shown", `"It was one fish.\x1b[2J"`)
		says(t, p.run("", "pay", "dispute", "d1"), "d1 is open: 25.00 LEAF of the payment p-d1", `shows "The bill"`, `"bill.jpg", 1200 bytes, SHA-256 0a0a`, "https://files.example/bill.jpg")
		p.refuses("no such dispute", "pay", "dispute", "d3")
		p.refuses("no such dispute", "pay", "uphold", "d3", "no")
		p.refuses("a dispute and the reason", "pay", "uphold", "d1")
		p.refuses("say why", "pay", "dismiss", "d1", "")
		says(t, p.run("", "pay", "uphold", "d1", "One fish was sold", "-as", "omar"), "d1 is upheld", `decided: "One fish was sold"`)
		p.refuses("upheld", "pay", "dismiss", "d1", "Two fish", "-as", "nadia")
		says(t, p.run("", "pay", "dismiss", "d2", "Two fish", "-as", "nadia"), "d2 is rejected")
		if out := p.run("", "pay", "disputes"); !strings.Contains(out, "upheld") || strings.Contains(out, "d2") {
			t.Error(out)
		}
		if out := p.run("", "pay", "disputes", "-decided", "-json"); !strings.Contains(out, `"ID":"d2"`) || !strings.Contains(out, `"sum":"25.00 LEAF"`) || strings.Contains(out, "d1") {
			t.Error(out)
		}
		says(t, p.run("", "pay", "audit"), "command line (omar)", "uphold", "command line (nadia)", "dismiss")
	})
}

// disputed writes disputes into the database, as if karim had opened them and shown a bill.
func (p *place) disputed(ids ...string) {
	p.t.Helper()
	cfg, err := app.LoadConfig(p.folder + "/palabre.toml")
	if err != nil {
		p.t.Fatal(err)
	}
	db := storetest.OpenConfig(p.t, cfg.Store)
	defer db.Close()
	for _, id := range ids {
		err := db.Tx(p.t.Context(), func(ctx context.Context) error {
			_, err := db.Exec(ctx, `insert into pay_dispute (id, made, content, payment, payer, payee, amount, refunded, unit, why, words, state, ended, decider, decided)
				values ($1, $2, $3, $4, 'karim@example.org', 'shop@example.org', 2500, 0, 'LEAF', 'wrong-amount', $5, 'open', 0, '', '')`, id, db.Next(), []byte{}, "p-"+id, "It was one fish.\x1b[2J")
			if err != nil {
				return err
			}
			_, err = db.Exec(ctx, "insert into pay_evidence (id, dispute, author, hash, address, words, name, size) values ($1, $2, 'karim@example.org', $3, 'https://files.example/bill.jpg', 'The bill', 'bill.jpg', 1200)",
				db.Next(), id, strings.Repeat("0a", 32))
			return err
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestPayNamesItsCommands tells them in its help, and refuses one that there is not rather than serve.
func TestPayNamesItsCommands(t *testing.T) {
	p := newPlace(t, storetest.File(t), "")
	out, err := p.try("", "pay", "-h")
	if err == nil {
		t.Error("help ended well")
	}
	for _, s := range subcommands {
		if strings.HasPrefix(s.name, "pay ") {
			says(t, out, "  "+s.name+" ")
		}
	}
	p.refuses(`no command "pay stopp"`, "pay", "stopp", "karim", "stolen phone")
	p.refuses("payments are off", "pay", "wallet", "karim")
	p.refuses("payments are off", "pay", "audit")
}
