package main

import (
	"strings"
	"testing"
)

// TestRowsOfAnotherRun are named beneath the table with their own time; rows of its own run are not.
func TestRowsOfAnotherRun(t *testing.T) {
	table := &table{When: "02:51", Rows: map[string]row{ledgerSQLite: {}, ledgerPostgres: {}, ledgerHTTP: {}}}
	table.keepTimes()
	table.When = "02:58"
	table.Rows[ledgerPostgres] = row{When: table.When}
	var b strings.Builder
	table.write(&b, scenario{name: "ledger", title: "Ledger"})
	if text := b.String(); strings.Count(text, "another run") != 1 || !strings.Contains(text, "· 02:58 ·") ||
		!strings.Contains(text, "Measured in another run, at 02:51: "+ledgerSQLite+"; "+ledgerHTTP+".") {
		t.Error(text)
	}
}
