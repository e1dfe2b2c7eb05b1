package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// world is a queue with one worker that notes what it does, and a clock of its own.
type world struct {
	*Jobs
	t    *testing.T
	mu   sync.Mutex
	did  []string
	fail error
}

// read gives the number of a statement.
func (w *world) read(sql string) (n int64) {
	if err := w.db.QueryRow(w.t.Context(), sql).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		jobs, err := New(t.Context(), db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{Jobs: jobs, t: t}
		jobs.Register("note", Worker{Do: w.do, Timeout: time.Minute, MaxAttempts: 3, FirstPause: time.Minute})
		run(t, w)
	})
}

func (w *world) do(_ context.Context, job Job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, job.Name+"="+job.Payload)
	return w.fail
}

func (w *world) enqueue(name string, fail error) error {
	return w.db.Tx(w.t.Context(), func(ctx context.Context) error {
		if err := w.Enqueue(ctx, "note", name, "p"); err != nil {
			return err
		}
		return fail
	})
}

// work does what is due and compares how often the worker was called in all.
func (w *world) work(want int) {
	w.t.Helper()
	if _, err := w.Work(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if len(w.did) != want {
		w.t.Errorf("did %v, want %d", w.did, want)
	}
}

func TestJobIsDoneOnceItIsCommitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.enqueue("refused", errors.New("no")); err == nil {
			t.Error("the transaction did not fail")
		}
		w.work(0)
		for range 2 {
			if err := w.enqueue("a", nil); err != nil {
				t.Fatal(err)
			}
		}
		w.work(1)
		w.work(1)
	})
}

func TestFailedJobIsTriedAgainAndGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := time.Now()
		w.now = func() time.Time { return now }
		w.fail = errors.New("no")
		if err := w.enqueue("a", nil); err != nil {
			t.Fatal(err)
		}
		w.work(1)
		w.work(1) // not due yet
		now = now.Add(time.Minute)
		w.work(2)
		now = now.Add(time.Minute)
		w.work(2) // the pause has doubled
		now = now.Add(time.Minute)
		w.work(3)
		now = now.Add(24 * time.Hour)
		w.work(3)
	})
}

func TestHopelessJobAndUnknownKind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fail = ErrGiveUp
		if err := w.enqueue("a", nil); err != nil {
			t.Fatal(err)
		}
		if err := w.Enqueue(t.Context(), "forgotten", "b", ""); err != nil {
			t.Fatal(err)
		}
		w.work(1)
		if n := w.read("select count(*) from jobs_job"); n != 0 {
			t.Errorf("%v jobs are left", n)
		}
	})
}

func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.enqueue("a", nil); err != nil {
			t.Fatal(err)
		}
		if err := w.Cancel(t.Context(), "note", "a"); err != nil {
			t.Fatal(err)
		}
		w.work(0)
	})
}

func TestPauses(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 40: time.Hour} {
		if got := pauseAfter(time.Second, attempts); got != want {
			t.Errorf("after %d: %v, want %v", attempts, got, want)
		}
	}
}

func TestRunWakes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		did := make(chan struct{})
		w.Register("tell", Worker{Do: func(context.Context, Job) error { close(did); return nil }, Timeout: time.Minute, MaxAttempts: 1, FirstPause: time.Second})
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		if err := w.Enqueue(t.Context(), "tell", "a", ""); err != nil {
			t.Fatal(err)
		}
		<-did
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestAPartOfAJobIsNoFailure goes on with a job more often than it may fail.
func TestAPartOfAJobIsNoFailure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := time.Now()
		w.now = func() time.Time { return now }
		if err := w.enqueue("long", nil); err != nil {
			t.Fatal(err)
		}
		w.fail = fmt.Errorf("half done: %w", Again(0))
		for i := range 5 {
			w.work(i + 1)
		}
		w.fail = Again(time.Minute)
		w.work(6)
		w.work(6)
		now = now.Add(time.Minute)
		w.fail = nil
		w.work(7)
		now = now.Add(time.Hour)
		w.work(7)
	})
}
