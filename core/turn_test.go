package core

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestTurns enters transits between random accounts and ends them in random order: each account is told in the order of entering, and
// nobody is held up for ever.
func TestTurns(t *testing.T) {
	const transits, accounts = 2000, 7
	order := turns{queues: map[int64][]*turn{}}
	var mu sync.Mutex
	told := map[int64][]int{}
	var under sync.WaitGroup
	under.Add(transits)
	for i := range transits {
		transit := &Transit{Sender: &Account{ID: rand.Int64N(accounts)}, Receiver: &Account{ID: rand.Int64N(accounts)}}
		if i%5 == 0 {
			transit.Sender = nil
		}
		var tn *turn
		tn = newTurn(transit, func() {
			go func() {
				defer under.Done()
				mu.Lock()
				for _, account := range tn.each() {
					told[account] = append(told[account], i)
				}
				mu.Unlock()
				order.leave(tn)
			}()
		})
		order.enter(tn)
	}
	under.Wait()
	for account, list := range told {
		for i := range list[1:] {
			if list[i] >= list[i+1] {
				t.Fatalf("account %d is told %d before %d", account, list[i], list[i+1])
			}
		}
	}
	if len(order.queues) != 0 {
		t.Errorf("%d queues are left", len(order.queues))
	}
}
