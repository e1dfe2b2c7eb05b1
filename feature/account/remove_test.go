package account

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// diary stands in for a feature with data that has no limit, two rows for each piece, and some that goes at once.
type diary struct {
	pages, cards map[int64]int
	fail         error
}

func keepDiary(a *Accounts, s *core.Server) *diary {
	d := &diary{pages: map[int64]int{}, cards: map[int64]int{}}
	a.OnRemovePiece(func(_ context.Context, account *core.Account) (bool, error) {
		d.pages[account.ID] = max(0, d.pages[account.ID]-2)
		return d.pages[account.ID] > 0, d.fail
	})
	s.OnRemove(func(_ context.Context, account *core.Account) error {
		if d.pages[account.ID] > 2 {
			return errors.New("too much for one transaction")
		}
		d.pages[account.ID], d.cards[account.ID] = 0, 0
		return d.fail
	})
	return d
}

func create(t *testing.T, a *Accounts, name string) *core.Account {
	t.Helper()
	account, err := a.Create(t.Context(), name, "wherefore art", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// rows is how many rows an account has left in the tables of this package.
func rows(t *testing.T, db *store.DB, account *core.Account) (n int) {
	t.Helper()
	err := db.QueryRow(t.Context(), `select (select count(*) from account where id = $1) + (select count(*) from account_credential where account = $1)`, account.ID).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// early has the database forget the pauses of the jobs.
func early(t *testing.T, db *store.DB) {
	t.Helper()
	if _, err := db.Exec(t.Context(), `update jobs_job set due = 0`); err != nil {
		t.Fatal(err)
	}
}

// due lets the pause of a removal pass.
func (a *Accounts) due(t *testing.T) {
	t.Helper()
	early(t, a.db)
	for id, at := range a.emptied.accounts {
		a.emptied.accounts[id] = at.Add(-sweepAfter)
	}
}

func TestRemovalIsCertainAtOnceAndDoneInPieces(t *testing.T) { storetest.Each(t, testRemoval) }

func testRemoval(t *testing.T, db *store.DB) {
	a, server := open(t, db)
	a.cfg.NameRest = 0
	d := keepDiary(a, server)
	romeo, juliet := create(t, a, "romeo"), create(t, a, "juliet")
	d.pages[romeo.ID], d.cards[romeo.ID], d.pages[juliet.ID] = 100, 1, 100
	told := 0
	if err := a.Remove(t.Context(), romeo, func() { told++ }); err != nil || told != 1 {
		t.Fatalf("told %d times, %v", told, err)
	}
	if err := a.Remove(t.Context(), romeo, nil); !errors.Is(err, core.ErrNoAccount) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := a.Account(t.Context(), romeo.JID); !errors.Is(err, core.ErrNoAccount) {
		t.Errorf("marked and still found: %v", err)
	}
	if d.pages[romeo.ID] != 100 {
		t.Error("whoever removes an account waits for its data")
	}
	if _, err := a.Create(t.Context(), "romeo", "wherefore art", false, nil); !errors.Is(err, ErrResting) {
		t.Errorf("the name is given away before all is gone: %v", err)
	}
	a.work(t)
	if d.pages[romeo.ID] != 0 || d.cards[romeo.ID] != 0 || d.pages[juliet.ID] != 100 {
		t.Errorf("left %+v", d)
	}
	d.cards[romeo.ID], d.pages[romeo.ID] = 1, 7 // by somebody who had found it before
	a.work(t)
	if _, err := a.Create(t.Context(), "romeo", "wherefore art", false, nil); !errors.Is(err, ErrResting) || d.cards[romeo.ID] != 1 {
		t.Errorf("swept before its time, left %+v: %v", d, err)
	}
	early(t, db) // as if its pause could not be noted
	a.work(t)
	if rows(t, db, romeo) != 1 || d.cards[romeo.ID] != 1 {
		t.Errorf("swept before its time, left %+v and %d rows", d, rows(t, db, romeo))
	}
	a.work(t)
	a.due(t)
	a.work(t)
	if d.cards[romeo.ID] != 0 || d.pages[romeo.ID] != 0 || rows(t, db, romeo) != 0 {
		t.Errorf("left %+v and %d rows", d, rows(t, db, romeo))
	}
	again := create(t, a, "romeo")
	a.due(t)
	a.work(t)
	if again.ID == romeo.ID || rows(t, db, again) != 1+len(hashes) || len(a.emptied.accounts) != 0 {
		t.Errorf("the new account has %d rows; remembered are %v", rows(t, db, again), a.emptied.accounts)
	}
}

func TestRemovalGoesOnAfterARestart(t *testing.T) { storetest.Each(t, testRestart) }

func testRestart(t *testing.T, db *store.DB) {
	a, server := open(t, db)
	d := keepDiary(a, server)
	romeo := create(t, a, "romeo")
	d.pages[romeo.ID], d.fail = 5, errors.New("the power is out")
	if err := a.Remove(t.Context(), romeo, nil); err != nil {
		t.Fatal(err)
	}
	a.work(t)
	if rows(t, db, romeo) == 0 {
		t.Fatal("gone though its data is not")
	}
	// Another process opens the database.
	a, server = open(t, db)
	d = keepDiary(a, server)
	d.pages[romeo.ID], d.cards[romeo.ID] = 5, 1
	if err := a.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.due(t)
	a.work(t)
	if d.pages[romeo.ID] != 0 || d.cards[romeo.ID] != 0 || rows(t, db, romeo) != 0 {
		t.Errorf("left %+v and %d rows", d, rows(t, db, romeo)) // nobody from before writes any more: there is nothing to wait for
	}
	if _, err := a.Create(t.Context(), "romeo", "wherefore art", false, nil); !errors.Is(err, ErrResting) {
		t.Errorf("name of a removed account: %v", err)
	}
}

// TestRunTakesUpWhatNoJobGoesOnWith has an import broken off by a crash, and a removal of a version that had no jobs for it. What this process
// is at itself is left alone.
func TestRunTakesUpWhatNoJobGoesOnWith(t *testing.T) { storetest.Each(t, testTakeUp) }

func testTakeUp(t *testing.T, db *store.DB) {
	a, _ := open(t, db)
	half, _, err := a.begin(t.Context(), "romeo", "")
	if err != nil {
		t.Fatal(err)
	}
	old := create(t, a, "juliet")
	if _, err := db.Exec(t.Context(), `update account set removing = true where id = $1`, old.ID); err != nil {
		t.Fatal(err)
	}
	a, _ = open(t, db)
	own, _, err := a.begin(t.Context(), "mercutio", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.work(t)
	a.due(t)
	a.work(t)
	if rows(t, db, half) != 0 || rows(t, db, old) != 0 || rows(t, db, own) != 1 {
		t.Errorf("left %d, %d and %d rows", rows(t, db, half), rows(t, db, old), rows(t, db, own))
	}
	if _, err := a.Create(t.Context(), "romeo", "wherefore art", false, nil); err != nil {
		t.Errorf("the name of an account that never was: %v", err)
	}
	if _, err := a.Create(t.Context(), "juliet", "wherefore art", false, nil); !errors.Is(err, ErrResting) {
		t.Errorf("the name of a removed account: %v", err)
	}
}

// told hands each record of a log to the test, which goes on when that is done.
type told struct {
	slog.Handler
	fn func(r slog.Record)
}

func (h told) Enabled(context.Context, slog.Level) bool { return true }

func (h told) Handle(_ context.Context, r slog.Record) error {
	h.fn(r)
	return nil
}

// TestRunOutlastsAnOutage has the database refuse twice what Run asks: first to say what is left, then to take it up.
func TestRunOutlastsAnOutage(t *testing.T) {
	db := memory(t)
	a, _ := open(t, db)
	romeo := create(t, a, "romeo")
	change := func(sql string) {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Error(err)
		}
	}
	change(`update account set removing = true`)
	a, _ = open(t, db)
	a.retryPause = time.Millisecond
	refused := 0
	a.log = slog.New(told{fn: func(slog.Record) {
		switch refused++; refused {
		case 1:
			change(`alter table away rename to account`)
			change(`alter table jobs_job rename to away`)
		case 2:
			change(`alter table away rename to jobs_job`)
		}
	}})
	change(`alter table account rename to away`)
	if err := a.Run(t.Context()); err != nil || refused != 2 {
		t.Fatalf("refused %d times, %v", refused, err)
	}
	a.work(t)
	a.due(t)
	a.work(t)
	if n := rows(t, db, romeo); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestRunEndsDuringAnOutage(t *testing.T) {
	db := memory(t)
	a, _ := open(t, db)
	if _, err := db.Exec(t.Context(), `alter table account rename to away`); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	a.log = slog.New(told{fn: func(slog.Record) { stop() }})
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestFinishRemovalWaitsForTheData(t *testing.T) {
	db := memory(t)
	a, server := open(t, db)
	d := keepDiary(a, server)
	romeo := create(t, a, "romeo")
	d.pages[romeo.ID], d.cards[romeo.ID] = 1000, 1
	if err := a.Remove(t.Context(), romeo, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.FinishRemoval(t.Context(), romeo); err != nil || d.pages[romeo.ID] != 0 || d.cards[romeo.ID] != 0 {
		t.Errorf("left %+v, %v", d, err)
	}
	juliet := create(t, a, "juliet")
	d.pages[juliet.ID] = 1000
	if err := a.FinishRemoval(t.Context(), juliet); err != nil || rows(t, db, romeo) != 1 || d.pages[juliet.ID] != 1000 {
		t.Errorf("%v, %d rows, %d pages", err, rows(t, db, romeo), d.pages[juliet.ID])
	}
	if all, _, err := a.Count(t.Context()); err != nil || all != 1 {
		t.Errorf("%d accounts, %v", all, err)
	}
}

// TestOneAttemptAtARemovalIsShort has more data than one attempt deletes: other jobs have their turn between.
func TestOneAttemptAtARemovalIsShort(t *testing.T) {
	a, server := open(t, memory(t))
	d := keepDiary(a, server)
	romeo := create(t, a, "romeo")
	d.pages[romeo.ID] = 6
	if more, err := a.removePieces(t.Context(), romeo, -time.Second); !more || err != nil || d.pages[romeo.ID] != 4 {
		t.Errorf("more: %v, %v, left %d", more, err, d.pages[romeo.ID])
	}
}
