package recent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestReadsOnceAndForgetsTheOldest(t *testing.T) {
	loads := map[int64]int{}
	c := New(4, func(v string) int { return len(v) }, func(_ context.Context, account int64) (string, error) {
		loads[account]++
		return "x", nil
	})
	for _, account := range []int64{1, 2, 1, 3, 1, 2} {
		if v, err := c.Get(t.Context(), account); v != "x" || err != nil {
			t.Fatal(v, err)
		}
	}
	if loads[1] != 1 || loads[2] != 2 || loads[3] != 1 || c.Weight() != 4 {
		t.Fatalf("loads %v, weight %d", loads, c.Weight())
	}
	c.Update(2, func(string) string { return "xyz" })
	if v, _ := c.Get(t.Context(), 2); v != "xyz" || c.Weight() != 4 {
		t.Fatalf("%q, weight %d", v, c.Weight())
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	broken := errors.New("broken")
	c := New(10, nil, func(context.Context, int64) (int, error) { return 0, broken })
	for range 2 {
		if _, err := c.Get(t.Context(), 1); !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	if c.Weight() != 0 {
		t.Fatal(c.Weight())
	}
}

// TestNeverOlderThanAChange has one writer and many readers: a reader that begins after a change was told must see it.
func TestNeverOlderThanAChange(t *testing.T) {
	var truth, told atomic.Int64
	c := New(1, nil, func(context.Context, int64) (int64, error) { return truth.Load(), nil })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for told.Load() < 2000 {
				least := told.Load()
				if v, err := c.Get(t.Context(), 1); err != nil || v < least {
					t.Errorf("got %d after %d was told (%v)", v, least, err)
					return
				}
				if _, err := c.Get(t.Context(), 2); err != nil { // pushes account 1 out
					t.Error(err)
				}
			}
		})
	}
	for i := range int64(2000) {
		truth.Store(i + 1)
		if i%2 == 0 {
			c.Forget(1)
		} else {
			c.Update(1, func(int64) int64 { return i + 1 })
		}
		told.Store(i + 1)
	}
	all.Wait()
}
