package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// TestProposalsFromTheCommandLine proposes there; what was proposed there is not approved there.
func TestProposalsFromTheCommandLine(t *testing.T) {
	cfg := storetest.File(t)
	p := newPlace(t, cfg, "")
	if out, err := p.try("", "pay", "issue", "karim", "100", "LEAF", "the fair"); err == nil || !strings.Contains(out, "payments are off") {
		t.Fatal(out)
	}
	p = newPlace(t, cfg, "")
	more := p.folder + "/palabre.toml"
	text, err := os.ReadFile(more)
	if err != nil {
		t.Fatal(err)
	}
	units := "[[pay.units]]\ncode = 'LEAF'\nclosed = true\n[[ledger.units]]\ncode = 'LEAF'\nexponent = 2\nname = 'Leaf'\n"
	if err := os.WriteFile(more, append(text, units...), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("a good password\n", "account", "add", "karim")
	if out, err := p.try("", "pay", "issue", "nobody", "100", "LEAF", "the fair"); err == nil || !strings.Contains(out, "no account") {
		t.Error(out)
	}
	made := p.run("", "pay", "issue", "karim", "12500", "LEAF", "the fair")
	id := regexp.MustCompile(`\d{10,}`).FindString(made)
	if !strings.Contains(made, "125.00 LEAF") || id == "" {
		t.Fatal(made)
	}
	if out, err := p.try("", "pay", "approve", id); err == nil || !strings.Contains(out, "another administrator") {
		t.Error(out)
	}
	if out := p.run("", "pay", "proposals"); !strings.Contains(out, id) || !strings.Contains(out, "command line") {
		t.Error(out)
	}
	if out := p.run("", "pay", "decline", id); !strings.Contains(out, "declined") {
		t.Error(out)
	}
	if out := p.run("", "pay", "proposals", "-decided"); !strings.Contains(out, id) {
		t.Error(out)
	}
	if out := p.run("", "ledger", "balance"); strings.Contains(out, "125.00") {
		t.Error(out)
	}
}

// TestTwoAtTheCommandLine issues money where payments run alone: two people, each with their name.
func TestTwoAtTheCommandLine(t *testing.T) {
	p := newPlace(t, storetest.File(t), "domain = 'example.org'\n[pay.server]\naddress = '127.0.0.1:1'\nsecret = 'a secret of the two servers'\n[[pay.units]]\ncode = 'LEAF'\nclosed = true\n"+
		"[[ledger.units]]\ncode = 'LEAF'\nexponent = 2\nname = 'Leaf'\n")
	made := p.run("", "pay", "issue", "karim", "12500", "LEAF", "the fair", "-as", "nadia")
	id := regexp.MustCompile(`\d{10,}`).FindString(made)
	if out, err := p.try("", "pay", "approve", id, "-as", "nadia"); err == nil || !strings.Contains(out, "another administrator") {
		t.Error(out)
	}
	if out := p.run("", "pay", "approve", id, "-as", "omar"); !strings.Contains(out, "125.00 LEAF") {
		t.Error(out)
	}
	if out := p.run("", "ledger", "statement", "wallet/LEAF/karim@example.org"); !strings.Contains(out, "proposed by command line (nadia), approved by command line (omar)") {
		t.Error(out)
	}
}

// TestVerdictsAtTheCommandLine: there is none to agree to or to end.
func TestVerdictsAtTheCommandLine(t *testing.T) {
	p := newPlace(t, storetest.File(t), "domain = 'example.org'\n[[pay.units]]\ncode = 'MAD'\n[pay.rail.try.sandbox]\nunits = ['MAD']\nurl = 'http://127.0.0.1:1'\n")
	for _, name := range []string{"agree", "disagree"} {
		if out, err := p.try("", "pay", name, "1"); err == nil || !strings.Contains(out, "no such") {
			t.Errorf("%s: %s", name, out)
		}
		if out, err := p.try("", "pay", name, "it"); err == nil || !strings.Contains(out, "is no number") {
			t.Errorf("%s: %s", name, out)
		}
	}
}
