package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"palabre.dev/palabre/business/bank/example"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store/storetest"
)

func TestCustomers(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	book, err := ledger.New(t.Context(), ledger.DefaultConfig(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	books, err := example.New(t.Context(), db, book, "EUR")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "customers.csv")
	for _, c := range []struct{ text, refused string }{
		{"Karim@Example.org,EU1001,Karim Alami,12500,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\nnadia@example.org,EU1002,Nadia Haddad,0,\n", ""},
		{"karim@example.org,EU1001,Karim Alami,12500,\n", ""}, // he is there, and gets nothing again
		{"omar@example.org,EU1003,Omar,-5,\n", "no amount"},
		{"omar@example.org,EU1003,Omar,5,0189\n", "not base32"},
		{"omar@example.org,E1,Omar,5,\n", "number"},
		{"omar@example.org,EU1003\n", "fields"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := addCustomers(t.Context(), books, path)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	karim, err := books.Account(t.Context(), "karim@example.org")
	if err != nil || karim.Balance != 12_500 || karim.Number != "EU1001" || karim.Unit != "EUR" {
		t.Errorf("%+v, %v", karim, err)
	}
	if secret, err := books.Secret(t.Context(), "karim@example.org"); err != nil || string(secret) != "12345678901234567890" {
		t.Errorf("secret %q, %v", secret, err)
	}
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{}, {"-account", "bank@example.org"}, {"-account", "bank@example.org", "-password-file", "x", "-max-day", "1"}} {
		if _, err := read(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
	if _, err := login(options{account: "@", passwordFile: "x"}); err == nil {
		t.Error("an address that is none is taken")
	}
}
