package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// longAgo is the first number of a story: on any machine it is past.
const longAgo = 1_700_000_000_000_000

// leaf is a unit that no list of currencies has.
var leaf = Unit{Code: "LEAF", Exponent: 3, Name: "Leaf"}

func withLeaf(t testing.TB, db *store.DB) *Ledger {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Units = []Unit{leaf}
	l, err := New(t.Context(), cfg, db, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// inStory is a ledger whose clock goes on with each record, so that its story is the same each time.
func inStory(t testing.TB, db *store.DB) *Ledger {
	t.Helper()
	l := withLeaf(t, db)
	number := int64(longAgo)
	l.next = func() int64 { number += int64(time.Second / time.Microsecond); return number }
	l.now = func() time.Time { return time.UnixMicro(number) }
	return l
}

// tell has a record of each kind, done and refused, in two units.
func tell(t testing.TB, l *Ledger) {
	t.Helper()
	of := func(unit string, o Operation) Operation {
		o.Unit = unit
		return o
	}
	at := func(seconds int) time.Time { return time.UnixMicro(longAgo).Add(time.Duration(seconds) * time.Second) }
	for _, request := range [][]Operation{
		{opening("world", Unbounded), opening("karim", 0), opening("nadia", 0)},
		{of("LEAF", opening("forest", Unbounded)), of("LEAF", opening("karim/leaf", -500))},
		{transfer("in", "world", "karim", 10000), of("LEAF", transfer("leaves", "forest", "karim/leaf", 77))},
		{{ID: "rice", Kind: Transfer, From: "karim", To: "nadia", Amount: 1200, Unit: "EUR", About: "rice", Data: []byte("signed by Karim")}},
		{{ID: "car", Kind: Transfer, From: "karim", To: "nadia", Amount: 900000, Unit: "EUR", About: "a car", Data: []byte("signed by Karim, too")}},
		{transfer("linked", "karim", "nadia", 1), transfer("too-much", "nadia", "karim", 5000)},
		{hold("taken", "karim", "nadia", 600, at(1000)), hold("given-up", "karim", "nadia", 700, at(1000)), hold("over", "karim", "nadia", 800, at(60))},
		{ending("take", Capture, "taken", 250)},
		{ending("give-up", Void, "given-up", 0)},
		{ending("again", Void, "given-up", 0)},
		{ending("back", Reversal, "rice", 200), ending("back-too", Reversal, "take", 50)},
		{{ID: "owes", Kind: Setting, From: "karim", Floor: -100}, {ID: "frozen", Kind: Setting, From: "nadia", State: Frozen}},
		{{ID: "closed", Kind: Setting, From: "karim", State: Closed}},
		{transfer("last", "world", "nadia", 1)},
	} {
		var refused *Refused
		if _, err := l.Post(t.Context(), nil, request...); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%+v: %v", request, err)
		}
	}
	for l.now().Before(at(61)) {
		l.next()
	}
	if err := l.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	post(t, l, transfer("last-of-all", "world", "nadia", 1))
}

// primary are the columns by which a row of a table is found.
var primary = map[string]string{"ledger_record": "id", "ledger_account": "id", "ledger_setting": "record", "ledger_unit": "code"}

// columns are those of all tables of the ledger with their types, as the database has them.
func columns(t testing.TB, db *store.DB) map[string]map[string]string {
	t.Helper()
	sql := `select table_name, column_name, data_type from information_schema.columns where table_schema = current_schema() and table_name like 'ledger%'`
	if db.Engine() == "sqlite" {
		sql = `select m.name, c.name, c.type from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and m.name like 'ledger%'`
	}
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		if all[table] == nil {
			all[table] = map[string]string{}
		}
		all[table][column] = strings.ToLower(kind)
	}
	return all
}

// whole reads all rows of a table by their columns.
func whole(t testing.TB, db *store.DB, table string, columns []string) (rows []map[string]any) {
	t.Helper()
	found, err := db.Query(t.Context(), "select "+strings.Join(columns, ", ")+" from "+table+" order by "+primary[table])
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, column := range columns {
			row[column] = values[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// others are values that a column could have in place of one; those of other rows are among them.
func others(column string, value any, rows []map[string]any) (values []any) {
	switch value := value.(type) {
	case int64:
		values = []any{value + 1, value - 1, value + 256, int64(0), int64(math.MinInt64), int64(math.MaxInt64)}
	case string:
		values = []any{value + "x", ""}
	case []byte:
		values = []any{append(slices.Clone(value), 0), []byte{}}
	}
	values = append(values, rows[0][column], rows[len(rows)-1][column])
	different := values[:0]
	for _, one := range values {
		if fmt.Sprint(one) != fmt.Sprint(value) && !slices.ContainsFunc(different, func(was any) bool { return fmt.Sprint(was) == fmt.Sprint(one) }) {
			different = append(different, one)
		}
	}
	return different
}

// tampering is one change of the database behind the ledger's back.
type tampering struct {
	column    string // that is changed, empty for a row more or less
	end       bool   // it takes the newest record: the hash that was noted tells
	what, sql string
	args      []any
}

// errLooked takes a change back after somebody has looked at it.
var errLooked = errors.New("looked at")

// verifiedAfter makes a change, verifies, and takes the change back. It is made if the database took it.
func verifiedAfter(t *testing.T, db *store.DB, l *Ledger, noted [sha256.Size]byte, sql string, args ...any) (v Verified, found error, made bool) {
	t.Helper()
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		n, err := db.Exec(ctx, sql, args...)
		if err != nil {
			return err
		}
		if made = n > 0; made {
			v, found = l.Verify(ctx, noted, nil)
		}
		return errLooked
	})
	if errors.Is(err, store.ErrConflict) {
		return v, nil, false
	}
	if !errors.Is(err, errLooked) {
		t.Errorf("%s %v: %v", sql, args, err)
	}
	return v, found, made
}

// changes are all of one row that a test tries: of each column, of all of it, and of another row like it.
func changes(table string, kinds map[string]string, names []string, row map[string]any, rows []map[string]any, engine string) (all []tampering) {
	key := primary[table]
	where := fmt.Sprintf("%s of %v", table, row[key])
	for _, column := range names {
		set := "update " + table + " set " + column + " = "
		for _, value := range others(column, row[column], rows) {
			all = append(all, tampering{column, false, fmt.Sprintf("%s: %s becomes %v", where, column, value), set + "$1 where " + key + " = $2", []any{value, row[key]}})
		}
		if kinds[column] == "text" && engine == storetest.SQLite { // it reads alike, and is not found
			all = append(all, tampering{column, false, fmt.Sprintf("%s: %s becomes bytes", where, column), set + "cast(" + column + " as blob) where " + key + " = $1", []any{row[key]}})
		}
	}
	all = append(all, tampering{"", table == "ledger_record" && row[key] == rows[len(rows)-1][key], where + " goes", "delete from " + table + " where " + key + " = $1", []any{row[key]}})
	for _, id := range others(key, row[key], rows) {
		values, places := make([]any, len(names)), make([]string, len(names))
		for i, column := range names {
			values[i], places[i] = row[column], fmt.Sprintf("$%d", i+1)
			if text, ok := row[column].(string); ok && column != "unit" && column != "about" { // another one, as far as the database wants it
				values[i] = text + "x"
			}
			if column == key {
				values[i] = id
			}
		}
		all = append(all, tampering{"", false, fmt.Sprintf("%s is there once more as %v", where, id), "insert into " + table + " (" + strings.Join(names, ", ") + ") values (" + strings.Join(places, ", ") + ")", values})
	}
	return all
}

// unseen are columns whose changes Verify need not find, and why.
var unseen = map[string]string{}

// TestEveryColumnIsVerified changes each column of each table of the ledger in each of its rows, takes each row away, and adds others like it: Verify finds all of it. A column that is new
// is among them by itself.
func TestEveryColumnIsVerified(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := inStory(t, db)
		tell(t, l)
		noted := sound(t, l).Hash
		for table, kinds := range columns(t, db) {
			if primary[table] == "" {
				t.Fatalf("%s is no table of which the test knows the rows", table)
			}
			names := slices.Sorted(maps.Keys(kinds))
			rows := whole(t, db, table, names)
			seen := map[string]int{}
			for _, row := range rows {
				for _, c := range changes(table, kinds, names, row, rows, db.Engine()) {
					v, found, made := verifiedAfter(t, db, l, noted, c.sql, c.args...)
					if made {
						seen[c.column]++
					}
					if made && found == nil && (v.Passed || !c.end) {
						t.Errorf("%s: Verify finds nothing: %+v", c.what, v)
					}
				}
			}
			t.Logf("%s: %d rows: %v", table, len(rows), seen)
			for _, column := range append(names, "") {
				if seen[column] < len(rows) && unseen[table+"."+column] == "" {
					t.Errorf("%s.%s was changed %d times in %d rows", table, column, seen[column], len(rows))
				}
			}
		}
		if v, err := l.Verify(t.Context(), noted, nil); err != nil || !v.Passed {
			t.Error("at the end: ", err)
		}
	})
}

// TestWhatIsReadIsDoubted changes what a ledger reads when it has just started: whoever it is about is answered that the book is not what it was, and everybody else goes on.
func TestWhatIsReadIsDoubted(t *testing.T) {
	const karim = "(select id from ledger_account where name = 'karim')"
	for what, change := range map[string]string{
		"a floor to come":   "insert into ledger_setting (record, account, floor, state) values (9223372036854775807, " + karim + ", -9223372036854775807, 0)",
		"a floor":           "update ledger_setting set floor = -5000 where account = " + karim,
		"a state":           "update ledger_setting set state = 256 where account = " + karim,
		"no setting":        "delete from ledger_setting where account = " + karim,
		"another's setting": "update ledger_setting set account = 1 where account = " + karim,
		"a unit":            "update ledger_account set unit = 'USD' where name = 'karim'",
		"a balance":         "update ledger_record set debit_balance = 1000000 where key = 'last'",
		"a record taken":    "delete from ledger_record where key = 'first'",
		"a hold":            "update ledger_record set amount = 5000 where key = 'hold'",
		"a digest":          "update ledger_record set content = data where key = 'hold'",
		"a chain":           "update ledger_record set hash = data where key = 'first'",
	} {
		t.Run(what, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				l := three(t, db)
				post(t, l, opening("romeo", 0), transfer("rome", "world", "romeo", 500), transfer("first", "world", "nadia", 50))
				post(t, l, hold("hold", "karim", "nadia", 100, time.Now().Add(time.Hour)))
				post(t, l, transfer("between", "world", "romeo", 1), transfer("last", "karim", "romeo", 100))
				post(t, l, transfer("after", "world", "romeo", 1))
				if n, err := db.Exec(t.Context(), change); err != nil || n == 0 {
					t.Fatalf("%d rows changed: %v", n, err)
				}
				again := begin(t, db)
				_, err := again.Post(t.Context(), nil, transfer("1", "karim", "nadia", 1))
				_, ended := again.Post(t.Context(), nil, ending("2", Capture, "hold", 100))
				if !errors.Is(err, ErrUnsound) && !errors.Is(ended, ErrUnsound) {
					t.Errorf("it is believed: %v, %v", err, ended)
				}
				if _, ok, err := again.Look(t.Context(), "2"); errors.Is(ended, ErrUnsound) && (ok || err != nil) {
					t.Errorf("that is kept: %v", err)
				}
				post(t, again, transfer("3", "world", "romeo", 1), transfer("4", "romeo", "world", 602))
				post(t, again, transfer("after", "world", "romeo", 1))
			})
		})
	}
}

// TestAHoldThatWasChangedKeepsNoOtherFromEnding has two holds whose time is over, and one of them is not what it was.
func TestAHoldThatWasChangedKeepsNoOtherFromEnding(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := inStory(t, db)
		ends := l.now().Add(time.Minute)
		post(t, l, opening("world", Unbounded), opening("karim", 0), opening("nadia", 0), transfer("in", "world", "karim", 500), hold("1", "world", "nadia", 10, ends), hold("2", "karim", "nadia", 20, ends))
		if n, err := db.Exec(t.Context(), "update ledger_record set amount = 9 where key = '1'"); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for !l.now().After(ends) {
			l.next()
		}
		if err := l.expire(t.Context()); err != nil {
			t.Error(err)
		}
		stands(t, l, "karim", 500, 0)
		stands(t, l, "world", -500, 10)
	})
}
