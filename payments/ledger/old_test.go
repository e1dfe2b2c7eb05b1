package ledger

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// written1 writes the story of tell as it was kept before there was a second format of hashes.
func written1(t *testing.T, db *store.DB) {
	t.Helper()
	text, err := os.ReadFile("testdata/format1.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string][]map[string]string
	if err := json.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	kinds := columns(t, db)
	for table, rows := range tables {
		for _, row := range rows {
			names := slices.Sorted(maps.Keys(row))
			values, places := make([]any, len(names)), make([]string, len(names))
			for i, name := range names {
				places[i] = fmt.Sprintf("$%d", i+1)
				switch value := row[name]; kinds[table][name] {
				case "bigint":
					values[i], err = strconv.ParseInt(value, 10, 64)
				case "bytea":
					values[i], err = hex.DecodeString(value)
				default:
					values[i] = value
				}
				if err != nil {
					t.Fatalf("%s.%s: %v", table, name, err)
				}
			}
			if _, err := db.Exec(t.Context(), "insert into "+table+" ("+strings.Join(names, ", ")+") values ("+strings.Join(places, ", ")+")", values...); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestALedgerOfBefore goes on with a ledger whose hashes are of the first format: it verifies, what it leaves out is told, and what is added to it is bound.
func TestALedgerOfBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := withLeaf(t, db)
		written1(t, db)
		clean := func(what string, want bool, changes ...string) {
			t.Helper()
			for _, change := range changes {
				if _, found, made := verifiedAfter(t, db, l, [32]byte{}, change); !made || (found == nil) != want {
					t.Errorf("%s: %s: made %v, found %v", what, change, made, found)
				}
			}
		}
		old := []string{"update ledger_record set key = 'else' where key = 'car'", "update ledger_record set about = 'else' where key = 'car'", "update ledger_record set data = hash where key = 'car'"}
		digits := "update ledger_unit set exponent = 2 where code = 'LEAF'"
		if v := sound(t, l); v.Records != 25 || v.Old != 5 || !slices.Equal(v.Loose, []string{"LEAF"}) {
			t.Errorf("%+v", v)
		}
		clean("told of, and not seen", true, append(old, digits)...)
		clean("seen", false, "update ledger_unit set exponent = 3 where code = 'EUR'", "delete from ledger_unit where code = 'LEAF'", "update ledger_record set reason = 0 where key = 'car'")

		rice := Operation{ID: "rice", Kind: Transfer, From: "karim", To: "nadia", Amount: 1200, Unit: "EUR", About: "rice", Data: []byte("signed by Karim")}
		if again := post(t, l, rice)[0]; again.Number != longAgo+8_000_000 {
			t.Errorf("%+v", again)
		}
		refused(t, l, Insufficient, Operation{ID: "car", Kind: Transfer, From: "karim", To: "nadia", Amount: 900000, Unit: "EUR", About: "a car", Data: []byte("signed by Karim, too")})
		refused(t, l, Insufficient, transfer("boat", "karim", "nadia", 900001))
		post(t, l, Operation{ID: "open-town", Kind: Opening, From: "town", Unit: "LEAF"})
		if v := sound(t, l); v.Records != 27 || v.Old != 5 || v.Loose != nil {
			t.Errorf("%+v", v)
		}
		clean("told of, and not seen", true, old...)
		clean("seen since", false, digits, strings.Replace(old[0], "car", "boat", 1), strings.Replace(old[1], "car", "boat", 1), strings.Replace(old[2], "car", "boat", 1))
	})
}
