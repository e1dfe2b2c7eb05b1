package jobs

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestEnqueuedWhileItIsDone: what makes the job necessary happens once more after the worker has looked, so it must look again.
func TestEnqueuedWhileItIsDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		calls := 0
		w.Register("look", Worker{Timeout: time.Minute, MaxAttempts: 3, FirstPause: time.Minute, Do: func(ctx context.Context, _ Job) error {
			if calls++; calls == 1 {
				return w.Enqueue(ctx, "look", "a", "")
			}
			return nil
		}})
		if err := w.Enqueue(t.Context(), "look", "a", ""); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := w.Work(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.read("select count(*) from jobs_job"); calls != 2 || n != 0 {
			t.Errorf("done %d times, %v jobs are left", calls, n)
		}
	})
}

// TestJobsAreDoneWhileOthersCome: jobs that are enqueued all the time do not put off the doing of those that are there.
func TestJobsAreDoneWhileOthersCome(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		did := make(chan struct{})
		var once sync.Once
		w.Register("quick", Worker{Timeout: time.Minute, MaxAttempts: 1, FirstPause: time.Minute, Do: func(context.Context, Job) error {
			once.Do(func() { close(did) })
			return nil
		}})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for done := false; !done; {
			if err := w.Enqueue(t.Context(), "quick", "a", ""); err != nil {
				t.Fatal(err)
			}
			select {
			case <-did:
				done = true
			default:
			}
		}
		stop()
		running.Wait()
	})
}
