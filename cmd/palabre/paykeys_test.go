package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
)

// TestKeysAtTheCommandLine lists them, and two people say which stay.
func TestKeysAtTheCommandLine(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		p.keyed()
		out := p.run("", "pay", "keys", "karim")
		for _, want := range []string{`-phone +\d{4}-\S+ \S+ +pin +"My\\x1b\[2J phone" +no PIN is tried until \d{4}-\S+ \S+, wrong PINs: 10 *\n`, `tablet +\S+ \S+ +passkey +"tablet" +waits until \d{4}-\S+ \S+ *\n`,
			`thief +\S+ \S+ +pin +"phone" +waits until the wallet is open *\n`, `pocket +\S+ \S+ +offline +"phone" +ready *\n`} {
			if !regexp.MustCompile(want).MatchString(out) {
				t.Errorf("%s is not in\n%s", want, out)
			}
		}
		says(t, p.run("", "pay", "wallet", "karim"), "frozen since", "none of its keys can open it (pay keys)")
		p.refuses("pay keep proposes", "pay", "open", "karim", "passport")
		p.refuses("which of their keys stay (there are 3)", "pay", "go-on", "karim", "passport")
		p.refuses("the reason: -why", "pay", "keep", "karim", "tablet")
		p.refuses("has no key gone", "pay", "keep", "karim", "gone", "-why", "passport")
		p.refuses("no such account", "pay", "keys", "karim@elsewhere.example")
		made := p.run("", "pay", "keep", "karim", "-why", "passport", "-as", "nadia", "--", "tablet", "-phone")
		says(t, made, "keys -phone tablet stay, karim@example.org", "Another pair of eyes")
		id := regexp.MustCompile(`\d{10,}`).FindString(made)
		p.refuses("another administrator", "pay", "approve", id, "-as", "nadia")
		says(t, p.run("", "pay", "proposals"), "-phone tablet stay", "karim@example.org", `"passport"`)
		says(t, p.run("", "pay", "approve", id, "-as", "omar"), "done: keys -phone tablet stay")
		out = p.run("", "pay", "keys", "karim")
		if !regexp.MustCompile(`(?s)^-phone .* ready +opens the wallet *\ntablet [^\n]*waits until[^\n]*\n$`).MatchString(out) {
			t.Error(out)
		}
		var first pay.WalletKey
		if out := p.run("", "pay", "keys", "karim", "-json"); json.NewDecoder(strings.NewReader(out)).Decode(&first) != nil || first.ID != "-phone" || first.Wrong != 0 || !first.Opens || strings.Contains(out, "Locked") {
			t.Error(out)
		}
		says(t, p.run("", "pay", "audit"), "command line (omar)", "approve-keys", `"2 stay: -phone tablet (passport)"`)
		none := p.run("", "pay", "keep", "karim", "-why", "PIN forgotten", "-as", "omar")
		says(t, none, "keys none stays, karim@example.org")
		p.run("", "pay", "approve", regexp.MustCompile(`\d{10,}`).FindString(none), "-as", "nadia")
		if out := p.run("", "pay", "keys", "karim"); out != "" {
			t.Error(out)
		}
		says(t, p.run("", "pay", "wallet", "karim"), "karim@example.org: open")
	})
}

// keyed writes a wallet into the database that ten wrong PINs have frozen, and keys of all kinds.
func (p *place) keyed() {
	p.t.Helper()
	p.run("", "pay", "wallet", "karim") // so that there is a database
	cfg, err := app.LoadConfig(p.folder + "/palabre.toml")
	if err != nil {
		p.t.Fatal(err)
	}
	db := storetest.OpenConfig(p.t, cfg.Store)
	defer db.Close()
	now := time.Now()
	at := func(hours time.Duration) int64 { return now.Add(hours * time.Hour).UnixMicro() }
	exec := func(query string, args ...any) {
		p.t.Helper()
		if _, err := db.Exec(p.t.Context(), query, args...); err != nil {
			p.t.Fatal(err)
		}
	}
	exec("insert into pay_wallet (account, level, frozen) values ('karim@example.org', '', $1)", at(-5))
	for n, k := range []struct {
		id, kind, name string
		ready          int64
		wrong, waits   int64
	}{{"-phone", "pin", "My\x1b[2J phone", at(-100), 10, at(19)}, {"tablet", "passkey", "tablet", at(20), 0, 0}, {"thief", "pin", "phone", at(-1), 0, 0}, {"pocket", "offline", "phone", at(-90), 0, 0}} {
		exec(`insert into pay_key (account, id, kind, name, public, salt, verifier, share, credential, added, ready, dropped, wrong, waits, unlocked, unit, cap)
			values ('karim@example.org', $1, $2, $3, $4, $4, $4, $4, '', $5, $6, 0, $7, $8, 0, '', 0)`, k.id, k.kind, k.name, []byte{1}, at(time.Duration(n-100)), k.ready, k.wrong, k.waits)
	}
}
