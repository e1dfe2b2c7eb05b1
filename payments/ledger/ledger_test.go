package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

func begin(t testing.TB, db *store.DB) *Ledger {
	t.Helper()
	l, err := New(t.Context(), DefaultConfig(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// post does something that works.
func post(t testing.TB, l *Ledger, operations ...Operation) []Record {
	t.Helper()
	records, err := l.Post(t.Context(), nil, operations...)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// refused does something that is refused for a reason.
func refused(t testing.TB, l *Ledger, why error, operations ...Operation) {
	t.Helper()
	if _, err := l.Post(t.Context(), nil, operations...); !errors.Is(err, why) {
		t.Errorf("%+v: %v, not %v", operations, err, why)
	}
}

// stands looks where an account stands.
func stands(t testing.TB, l *Ledger, name string, balance, held int64) {
	t.Helper()
	a, err := l.Account(t.Context(), name)
	if err != nil || a.Balance != balance || a.Held != held {
		t.Errorf("%s stands at %d, %d held (%v), not at %d, %d", name, a.Balance, a.Held, err, balance, held)
	}
}

// sound verifies the journal.
func sound(t testing.TB, l *Ledger) Verified {
	t.Helper()
	v, err := l.Verify(t.Context(), [sha256.Size]byte{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func opening(name string, floor int64) Operation {
	return Operation{ID: "open-" + name, Kind: Opening, From: name, Unit: "EUR", Floor: floor}
}

func transfer(id, from, to string, amount int64) Operation {
	return Operation{ID: id, Kind: Transfer, From: from, To: to, Amount: amount, Unit: "EUR"}
}

func hold(id, from, to string, amount int64, ends time.Time) Operation {
	return Operation{ID: id, Kind: Hold, From: from, To: to, Amount: amount, Unit: "EUR", Expires: ends}
}

func ending(id string, kind Kind, of string, amount int64) Operation {
	return Operation{ID: id, Kind: kind, Of: of, Amount: amount}
}

// three is a ledger with the world outside, Karim who has 100.00, and Nadia.
func three(t testing.TB, db *store.DB) *Ledger {
	l := begin(t, db)
	post(t, l, opening("world", Unbounded), opening("karim", 0), opening("nadia", 0))
	post(t, l, transfer("in", "world", "karim", 10000))
	return l
}

func each(t *testing.T, run func(t *testing.T, l *Ledger)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { run(t, three(t, db)) })
}

func TestTransfersMoveWholeAmounts(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		post(t, l, transfer("1", "karim", "nadia", 12500-2500))
		stands(t, l, "karim", 0, 0)
		stands(t, l, "nadia", 10000, 0)
		refused(t, l, Insufficient, transfer("2", "karim", "nadia", 1))
		stands(t, l, "world", -10000, 0)
		if v := sound(t, l); v.Totals["EUR"] != 10000 || v.Accounts != 3 {
			t.Errorf("%+v", v)
		}
	})
}

func TestTheSameIDIsTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		first := post(t, l, transfer("1", "karim", "nadia", 100), transfer("2", "karim", "nadia", 50))
		again := post(t, l, transfer("1", "karim", "nadia", 100), transfer("2", "karim", "nadia", 50))
		if len(again) != 2 || first[0] != again[0] || first[1] != again[1] {
			t.Errorf("%v, then %v", first, again)
		}
		stands(t, l, "nadia", 150, 0)
		for _, other := range [][]Operation{
			{transfer("1", "karim", "nadia", 101)},
			{transfer("1", "nadia", "karim", 100)},
			{transfer("1", "karim", "nadia", 100), transfer("3", "karim", "nadia", 1)},
			{ending("1", Void, "2", 0)},
		} {
			refused(t, l, ErrIDTaken, other...)
		}
		// What was refused stays so, also when it could be done now.
		refused(t, l, Insufficient, transfer("poor", "nadia", "karim", 200))
		post(t, l, transfer("rich", "world", "nadia", 1000))
		refused(t, l, Insufficient, transfer("poor", "nadia", "karim", 200))
		refused(t, l, ErrIDTaken, transfer("poor", "nadia", "karim", 1))
		kept, ok, err := l.Look(t.Context(), "poor")
		if err != nil || !ok || !errors.Is(kept.Refused, Insufficient) {
			t.Errorf("%+v %v %v", kept, ok, err)
		}
		if kept, ok, err := l.Look(t.Context(), "rich"); err != nil || !ok || kept.From != "world" || kept.To != "nadia" || kept.Amount != 1000 || kept.Refused != nil {
			t.Errorf("%+v %v %v", kept, ok, err)
		}
		if _, ok, err := l.Look(t.Context(), "never"); ok || err != nil {
			t.Error(ok, err)
		}
		sound(t, l)
	})
}

// TestWhatWasTriedMayBeDoneLater has refusals that are kept nowhere, and what is done kept as ever.
func TestWhatWasTriedMayBeDoneLater(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		before := sound(t, l).Records
		both := []Operation{transfer("1", "karim", "nadia", 9000), transfer("2", "karim", "nadia", 1001)}
		for range 2 {
			if _, err := l.Try(t.Context(), nil, both...); !errors.Is(err, Insufficient) {
				t.Errorf("tried: %v", err)
			}
		}
		for _, id := range []string{"1", "2"} {
			if _, ok, err := l.Look(t.Context(), id); ok || err != nil {
				t.Errorf("%s is kept (%v)", id, err)
			}
		}
		if after := sound(t, l).Records; after != before {
			t.Errorf("%d records more", after-before)
		}
		post(t, l, transfer("rich", "world", "karim", 1))
		first, err := l.Try(t.Context(), nil, both...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := l.Try(t.Context(), nil, both...)
		if err != nil || len(again) != 2 || first[0] != again[0] || first[1] != again[1] {
			t.Errorf("%v, then %v (%v)", first, again, err)
		}
		stands(t, l, "nadia", 10001, 0)
		if _, err := l.Try(t.Context(), nil, transfer("1", "karim", "nadia", 1)); !errors.Is(err, ErrIDTaken) {
			t.Error(err)
		}
		refused(t, l, Insufficient, transfer("3", "karim", "nadia", 1))
		post(t, l, transfer("4", "nadia", "karim", 1))
		if _, err := l.Try(t.Context(), nil, transfer("3", "karim", "nadia", 1)); !errors.Is(err, Insufficient) {
			t.Errorf("what was refused for good: %v", err)
		}
		sound(t, l)
	})
}

func TestLinkedOperationsSucceedOrFailTogether(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		_, err := l.Post(t.Context(), nil, opening("fees", 0), transfer("1", "karim", "nadia", 9990), transfer("fee", "karim", "fees", 11))
		var refused1 *Refused
		if !errors.As(err, &refused1) || refused1.ID != "fee" || refused1.Reason != Insufficient {
			t.Error(err)
		}
		stands(t, l, "karim", 10000, 0)
		stands(t, l, "nadia", 0, 0)
		if _, err := l.Account(t.Context(), "fees"); !errors.Is(err, NoAccount) {
			t.Error(err)
		}
		refused(t, l, NoAccount, transfer("2", "karim", "fees", 1))
		_, again := l.Post(t.Context(), nil, opening("fees", 0), transfer("1", "karim", "nadia", 9990), transfer("fee", "karim", "fees", 11))
		if !errors.As(again, &refused1) || refused1.ID != "fee" {
			t.Error(again)
		}
		// One that needs the one before it.
		post(t, l, transfer("3", "karim", "nadia", 10000), transfer("4", "nadia", "karim", 4000), ending("5", Reversal, "3", 6000))
		sound(t, l)
	})
}

func TestHoldsAreCapturedVoidedOrExpire(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		soon := time.Now().Add(time.Hour)
		post(t, l, hold("h1", "karim", "nadia", 6000, soon))
		stands(t, l, "karim", 10000, 6000)
		refused(t, l, Insufficient, transfer("t", "karim", "nadia", 4001))
		refused(t, l, Exceeds, ending("c0", Capture, "h1", 6001))
		post(t, l, ending("c1", Capture, "h1", 2500))
		stands(t, l, "karim", 7500, 0)
		stands(t, l, "nadia", 2500, 0)
		refused(t, l, Ended, ending("c2", Capture, "h1", 1))
		refused(t, l, Ended, ending("v1", Void, "h1", 0))
		post(t, l, hold("h2", "karim", "nadia", 7500, soon))
		post(t, l, ending("v2", Void, "h2", 0))
		stands(t, l, "karim", 7500, 0)
		refused(t, l, NoTarget, ending("v3", Void, "nothing", 0))
		refused(t, l, NoTarget, ending("v4", Void, "c1", 0))
		refused(t, l, TooFar, hold("h3", "karim", "nadia", 1, time.Now().Add(MaxHolding+time.Hour)))
		refused(t, l, TooFar, hold("h4", "karim", "nadia", 1, time.Now().Add(-time.Second)))
		refused(t, l, NoTarget, ending("v5", Void, "h4", 0))
		sound(t, l)
	})
}

// brief holds 6000 of karim's for nadia, for as short a time as there is where posting takes its time.
func brief(t *testing.T, l *Ledger) (id string, ends time.Time) {
	t.Helper()
	for d := 20 * time.Millisecond; ; d *= 2 {
		id, ends = "brief-"+d.String(), time.Now().Add(d)
		_, err := l.Post(t.Context(), nil, hold(id, "karim", "nadia", 6000, ends))
		if err == nil {
			return id, ends
		}
		if !errors.Is(err, TooFar) || d > time.Minute {
			t.Fatal(err)
		}
	}
}

func TestHoldsExpire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := three(t, db)
		h1, _ := brief(t, l)
		post(t, l, hold("h2", "karim", "nadia", 1000, time.Now().Add(time.Hour)))
		ctx, cancel := context.WithCancel(t.Context())
		var over sync.WaitGroup
		over.Go(func() {
			if err := l.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for {
			if a, err := l.Account(t.Context(), "karim"); err != nil {
				t.Fatal(err)
			} else if a.Held == 1000 {
				break
			}
		}
		cancel()
		over.Wait()
		refused(t, l, Expired, ending("c1", Capture, h1, 1))
		post(t, l, ending("c2", Capture, "h2", 1000))
		sound(t, l)
	})
}

// TestAnExpiredHoldIsNotCaptured captures one that has expired and that nobody has ended yet.
func TestAnExpiredHoldIsNotCaptured(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := three(t, db)
		h1, ends := brief(t, l)
		for !time.Now().After(ends) {
		}
		refused(t, l, Expired, ending("c1", Capture, h1, 1))
		refused(t, l, Expired, ending("v1", Void, h1, 0))
		if err := l.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		stands(t, l, "karim", 10000, 0)
		sound(t, l)
	})
}

func TestReversalsTakeBackNoMoreThanWasMoved(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		post(t, l, transfer("1", "karim", "nadia", 1000))
		post(t, l, ending("r1", Reversal, "1", 400))
		post(t, l, ending("r2", Reversal, "1", 600))
		refused(t, l, Exceeds, ending("r3", Reversal, "1", 1))
		stands(t, l, "karim", 10000, 0)
		post(t, l, transfer("2", "karim", "nadia", 1000), transfer("3", "nadia", "world", 1000))
		refused(t, l, Insufficient, ending("r4", Reversal, "2", 1))
		refused(t, l, NoTarget, ending("r5", Reversal, "r1", 1))
		refused(t, l, NoTarget, ending("r6", Reversal, "open-karim", 1))
		sound(t, l)
	})
}

func TestFrozenAndClosedAccounts(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		state := func(id, name string, state State, floor int64) Operation {
			return Operation{ID: id, Kind: Setting, From: name, State: state, Floor: floor}
		}
		post(t, l, hold("h", "karim", "nadia", 100, time.Now().Add(time.Hour)), hold("h2", "karim", "nadia", 100, time.Now().Add(time.Hour)))
		post(t, l, state("freeze", "karim", Frozen, 0))
		refused(t, l, IsFrozen, transfer("1", "karim", "nadia", 1))
		refused(t, l, IsFrozen, ending("c", Capture, "h", 100))
		post(t, l, ending("v", Void, "h", 0), transfer("2", "world", "karim", 1))
		refused(t, l, NotEmpty, state("close", "karim", Closed, 0))
		post(t, l, state("thaw", "karim", Open, 0))
		refused(t, l, Insufficient, state("floor", "karim", Open, 10001))
		post(t, l, state("floor2", "karim", Open, 9901))
		refused(t, l, Insufficient, transfer("3", "karim", "nadia", 1))
		post(t, l, state("close2", "nadia", Closed, 0))
		refused(t, l, IsClosed, transfer("4", "world", "nadia", 1))
		refused(t, l, IsClosed, ending("c2", Capture, "h2", 1))
		refused(t, l, IsClosed, state("reopen", "nadia", Open, 0))
		refused(t, l, NoAccount, state("whose", "juliet", Open, 0))
		a, err := l.Account(t.Context(), "nadia")
		if err != nil || a.State != Closed {
			t.Errorf("%+v %v", a, err)
		}
		sound(t, l)
	})
}

func TestMalformedOperationsAreNotKept(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		before := sound(t, l).Records
		soon := time.Now().Add(time.Hour)
		for _, bad := range []Operation{
			{}, transfer("", "karim", "nadia", 1), transfer("a b", "karim", "nadia", 1), transfer("1", "karim", "karim", 1), transfer("1", "karim", "nadia", 0),
			transfer("1", "karim", "nadia", -1), transfer("1", "karim", "nadia", MaxAmount+1), transfer("1", "", "nadia", 1), transfer("1", "karim", "", 1),
			transfer("ledger:expiry:1", "karim", "nadia", 1), {ID: "1", Kind: Transfer, From: "karim", To: "nadia", Amount: 1},
			{ID: "1", Kind: Expiry, Of: "in"}, {ID: "1", Kind: 99}, {ID: "1", Kind: Hold, From: "karim", To: "nadia", Amount: 1, Unit: "EUR"},
			{ID: "1", Kind: Transfer, From: "karim", To: "nadia", Amount: 1, Unit: "EUR", Expires: soon}, {ID: "1", Kind: Void, Of: "h", Amount: 1}, {ID: "1", Kind: Void},
			{ID: "1", Kind: Opening, From: "x", Unit: "EUR", Floor: MaxAmount + 1}, {ID: "1", Kind: Opening, From: "x", Unit: "EUR", State: 7},
			{ID: "1", Kind: Opening, From: "x\n", Unit: "EUR"}, {ID: "1", Kind: Transfer, From: "karim", To: "nadia", Amount: 1, Unit: "EUR", Data: make([]byte, MaxData+1)},
		} {
			refused(t, l, ErrMalformed, bad)
		}
		for _, about := range []string{"rice\x00", "\xff", "\xed\xa0\x80"} { // a database may not keep it, and it would fail with all of its batch
			bad := transfer("about", "karim", "nadia", 1)
			bad.About = about
			refused(t, l, ErrMalformed, bad)
		}
		refused(t, l, ErrMalformed)
		refused(t, l, ErrMalformed, make([]Operation, MaxLinked+1)...)
		refused(t, l, ErrMalformed, transfer("1", "karim", "nadia", 1), transfer("1", "karim", "nadia", 1))
		if after := sound(t, l).Records; after != before {
			t.Errorf("%d records, then %d", before, after)
		}
		refused(t, l, NoUnit, Operation{ID: "u", Kind: Opening, From: "x", Unit: "ABC"})
		refused(t, l, OtherUnit, Operation{ID: "o", Kind: Transfer, From: "karim", To: "nadia", Amount: 1, Unit: "USD"})
		refused(t, l, HasAccount, Operation{ID: "open-again", Kind: Opening, From: "karim", Unit: "EUR"})
	})
}

func TestWhatIsWrittenBesideIsKeptWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := three(t, db)
		if _, err := db.Exec(t.Context(), "create table beside (id bigint primary key)"); err != nil {
			t.Fatal(err)
		}
		beside := func(id int64) func(context.Context, []Record) error {
			return func(ctx context.Context, _ []Record) error {
				_, err := db.Exec(ctx, "insert into beside (id) values ($1)", id)
				return err
			}
		}
		if _, err := l.Post(t.Context(), beside(1), transfer("1", "karim", "nadia", 1)); err != nil {
			t.Fatal(err)
		}
		// Many at once, of which every other one fails: each fails alone.
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, err := l.Post(t.Context(), beside(int64(i/2*2+10)), transfer("m"+string(rune('a'+i)), "karim", "nadia", 1))
				if err != nil && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := l.Post(t.Context(), func(context.Context, []Record) error { panic("no") }, transfer("p", "karim", "nadia", 1)); err == nil {
			t.Error("a panic is no error")
		}
		stands(t, l, "nadia", 11, 0)
		again := false
		if _, err := l.Post(t.Context(), func(context.Context, []Record) error { again = true; return nil }, transfer("1", "karim", "nadia", 1)); err != nil || again {
			t.Error(err, again)
		}
		sound(t, l)
	})
}

func TestStatementsTellAnyTime(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger) {
		first := post(t, l, transfer("1", "karim", "nadia", 100))[0]
		post(t, l, hold("2", "karim", "nadia", 200, time.Now().Add(time.Hour)))
		post(t, l, ending("3", Capture, "2", 150))
		post(t, l, transfer("4", "nadia", "karim", 50))
		lines, err := l.Statement(t.Context(), "karim", 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		want := []struct {
			id                    string
			change, balance, held int64
			other                 string
		}{{"4", 50, 9800, 0, "nadia"}, {"3", -150, 9750, 0, "nadia"}, {"2", 0, 9900, 200, "nadia"}, {"1", -100, 9900, 0, "nadia"}, {"in", 10000, 10000, 0, "world"}, {"open-karim", 0, 0, 0, ""}}
		if len(lines) != len(want) {
			t.Fatalf("%d lines", len(lines))
		}
		for i, w := range want {
			if got := lines[i]; got.ID != w.id || got.Change != w.change || got.Balance != w.balance || got.Held != w.held || got.Other != w.other {
				t.Errorf("line %d is %+v, not %+v", i, got, w)
			}
		}
		page, err := l.Statement(t.Context(), "karim", lines[1].Number, 2)
		if err != nil || len(page) != 2 || page[0].ID != "2" {
			t.Errorf("%+v %v", page, err)
		}
		a, err := l.AccountAt(t.Context(), "karim", first.Time())
		if err != nil || a.Balance != 9900 || a.Held != 0 {
			t.Errorf("%+v %v", a, err)
		}
		if _, err := l.AccountAt(t.Context(), "karim", time.Unix(1, 0)); !errors.Is(err, NoAccount) {
			t.Error(err)
		}
	})
}

func TestTamperingShows(t *testing.T) {
	karim := "(select id from ledger_account where name = 'karim')"
	for what, changes := range map[string][]string{
		"an amount":           {"update ledger_record set amount = amount + 1 where key = '1'"},
		"a balance":           {"update ledger_record set credit_balance = credit_balance + 1 where key = '1'"},
		"a record taken":      {"delete from ledger_record where key = '1'"},
		"a name":              {"update ledger_account set name = 'mercutio' where name = 'nadia'"},
		"two names":           {"update ledger_account set name = 'x' where name = 'nadia'", "update ledger_account set name = 'nadia' where name = 'karim'", "update ledger_account set name = 'karim' where name = 'x'"},
		"a floor":             {"update ledger_setting set floor = -5000 where account = " + karim},
		"a unit":              {"update ledger_account set unit = 'USD'"},
		"what it was for":     {"update ledger_record set about = 'bread' where key = '1'"},
		"an account more":     {"insert into ledger_account (id, name, unit) values (5, 'ghost', 'EUR')"},
		"an account to come":  {"insert into ledger_account (id, name, unit) values (9223372036854775807, 'ghost', 'EUR')"},
		"a setting more":      {"insert into ledger_setting (record, account, floor, state) values (5, 5, 0, 0)"},
		"a setting to come":   {"insert into ledger_setting (record, account, floor, state) values (9223372036854775807, " + karim + ", -9223372036854775807, 0)"},
		"another's setting":   {"update ledger_setting set account = " + karim + " where account = (select id from ledger_account where name = 'world')"},
		"a setting elsewhere": {"update ledger_setting set record = (select id from ledger_record where key = '1'), floor = -5000 where account = " + karim},
		"no setting":          {"delete from ledger_setting where account = " + karim},
		"a reason":            {"update ledger_record set reason = 5 where key = '1'"},
		"an earlier record":   {"update ledger_record set id = 1 where key = '1'"},
		"a record below all":  {"insert into ledger_record select -1, 'below', kind, reason, debit, debit_balance, debit_held, credit, credit_balance, credit_held, amount, target, expires, about, data, content, hash from ledger_record where key = '1'"},
		"what was refused":    {"update ledger_record set key = 'else' where key = 'poor'"},
		"why it was asked":    {"update ledger_record set about = 'bread' where key = 'poor'"},
		"who had asked":       {"update ledger_record set data = content where key = 'poor'"},
		"digits":              {"update ledger_unit set exponent = 3"},
		"no digits":           {"delete from ledger_unit"},
		"a unit more":         {"insert into ledger_unit (code, exponent) values ('LEAF', 2)"},
	} {
		t.Run(what, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				l := three(t, db)
				post(t, l, transfer("1", "karim", "nadia", 100))
				refused(t, l, Insufficient, transfer("poor", "nadia", "karim", 5000))
				noted := sound(t, l).Hash
				post(t, l, transfer("2", "karim", "nadia", 100))
				if v, err := l.Verify(t.Context(), noted, nil); err != nil || !v.Passed {
					t.Fatal(v, err)
				}
				for _, change := range changes {
					if n, err := db.Exec(t.Context(), change); err != nil || n == 0 {
						t.Fatalf("%s changes %d rows: %v", change, n, err)
					}
				}
				book, err := Reading(t.Context(), db, quiet)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range []*Ledger{l, book} {
					var fault *Fault
					if _, err := l.Verify(t.Context(), noted, nil); !errors.As(err, &fault) {
						t.Errorf("Verify finds %v", err)
					}
				}
			})
		})
	}
}

// TestAnotherMeaning opens a ledger whose units mean something else now.
func TestAnotherMeaning(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := DefaultConfig()
		cfg.Units = []Unit{{Code: "LEAF", Exponent: 2, Name: "Leaf"}}
		l, err := New(t.Context(), cfg, db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		post(t, l, Operation{ID: "1", Kind: Opening, From: "a", Unit: "LEAF"})
		l.Close()
		if _, err := l.Post(t.Context(), nil, opening("b", 0)); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		cfg.Units[0].Exponent = 3
		if _, err := New(t.Context(), cfg, db, slog.New(slog.DiscardHandler)); !errors.Is(err, errUnitChanged) {
			t.Error(err)
		}
		cfg.Units = nil
		if _, err := New(t.Context(), cfg, db, slog.New(slog.DiscardHandler)); !errors.Is(err, errUnitChanged) {
			t.Error(err)
		}
	})
}

// TestBook reads the whole book as an accountant does, with a ledger that cannot post.
func TestBook(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := three(t, db)
		first := post(t, l, transfer("1", "karim", "nadia", 100))[0]
		if _, err := l.Post(t.Context(), nil, transfer("2", "karim", "nadia", MaxAmount)); !errors.Is(err, Insufficient) {
			t.Fatal(err)
		}
		post(t, l, Operation{ID: "3", Kind: Reversal, Of: "1", Amount: 40})
		book, err := Reading(t.Context(), db, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := book.Post(t.Context(), nil, transfer("4", "karim", "nadia", 1)); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		sound(t, book)
		entries, err := book.Journal(t.Context(), first.Number-1, time.Time{}, 10)
		if err != nil || len(entries) != 3 {
			t.Fatal(entries, err)
		}
		if e := entries[0]; e.From != "karim" || e.To != "nadia" || e.Unit != "EUR" || e.FromBalance != 9900 || e.ToBalance != 100 || e.Hash != first.Hash {
			t.Errorf("%+v", e)
		}
		if e := entries[1]; !errors.Is(e.Refused, Insufficient) || e.From != "" {
			t.Errorf("%+v", e)
		}
		if e := entries[2]; e.Of != "1" || e.Kind != Reversal || e.From != "nadia" || e.FromBalance != 60 {
			t.Errorf("%+v", e)
		}
		if until, err := book.Journal(t.Context(), 0, first.Time(), MaxLines); err != nil || until[len(until)-1].ID != "1" {
			t.Error(until, err)
		}
		sum := int64(0)
		for name, after := "", ""; ; after = name {
			page, err := book.Accounts(t.Context(), first.Time(), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				name = a.Name
				sum += a.Balance
				if want, err := book.AccountAt(t.Context(), a.Name, first.Time()); err != nil || want != a {
					t.Errorf("%+v, %+v %v", a, want, err)
				}
			}
			if len(page) < 2 {
				break
			}
		}
		if sum != 0 {
			t.Errorf("all balances are %d", sum)
		}
	})
}
