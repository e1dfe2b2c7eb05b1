package jobs

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestSlowJobsHoldUpNoOtherKind: more jobs than are done at once wait for a gateway that does not answer; another kind's are done, and when the
// gateway answers, all of the first are.
func TestSlowJobsHoldUpNoOtherKind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		answer, quick, slow := make(chan struct{}), make(chan struct{}), make(chan string, 2*parallel)
		w.Register("slow", Worker{Timeout: time.Minute, MaxAttempts: 1, FirstPause: time.Minute, Do: func(ctx context.Context, job Job) error {
			<-answer
			slow <- job.Name
			return nil
		}})
		w.Register("quick", Worker{Timeout: time.Minute, MaxAttempts: 1, FirstPause: time.Minute, Do: func(context.Context, Job) error {
			close(quick)
			return nil
		}})
		for i := range 2 * parallel {
			if err := w.Enqueue(t.Context(), "slow", fmt.Sprint(i), ""); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		if err := w.Enqueue(t.Context(), "quick", "a", ""); err != nil {
			t.Fatal(err)
		}
		<-quick
		close(answer)
		did := map[string]bool{}
		for range 2 * parallel {
			name := <-slow
			if did[name] {
				t.Errorf("%s was done twice", name)
			}
			did[name] = true
		}
		stop()
		running.Wait()
	})
}
