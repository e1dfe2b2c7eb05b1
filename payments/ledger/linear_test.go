package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// asking is what a caller asks for: an amount to be moved between two of four accounts, or, with an amount of 0, how much one has.
type asking struct {
	from, to int
	amount   int64
}

// answering is what it was told: whether it was refused, or how much there is.
type answering struct {
	refused bool
	balance int64
}

// fourAccounts is what callers may believe: that all they ask is done one after the other, at some moment between asking and the answer.
var fourAccounts = porcupine.Model{
	Init: func() any { return [4]int64{500, 500, 500, 500} },
	Step: func(state, input, output any) (bool, any) {
		balances, ok := state.([4]int64)
		in, ok2 := input.(asking)
		out, ok3 := output.(answering)
		if !ok || !ok2 || !ok3 {
			return false, state
		}
		if in.amount == 0 {
			return balances[in.from] == out.balance, balances
		}
		if balances[in.from] < in.amount {
			return out.refused, balances
		}
		balances[in.from] -= in.amount
		balances[in.to] += in.amount
		return !out.refused, balances
	},
}

// TestCallersAtOnceSeeOneOrder lets callers move and read at once; what they saw has to fit into one order (github.com/anishathalye/porcupine).
func TestCallersAtOnceSeeOneOrder(t *testing.T) {
	const callers, asks = 6, 40
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := begin(t, db)
		post(t, l, opening("world", Unbounded))
		for i := range 4 {
			post(t, l, opening(four(i), 0), transfer("in"+four(i), "world", four(i), 500))
		}
		var mu sync.Mutex // guards seen
		var seen []porcupine.Operation
		var all sync.WaitGroup
		started := time.Now()
		for caller := range callers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(caller), 7))
				for n := range asks {
					in := asking{from: random.IntN(4)}
					if random.IntN(3) > 0 {
						in.to, in.amount = (in.from+1+random.IntN(3))%4, 1+random.Int64N(400)
					}
					called := time.Since(started)
					out, err := l.asked(t, fmt.Sprintf("c%d-%d", caller, n), in)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					seen = append(seen, porcupine.Operation{ClientId: caller, Input: in, Call: int64(called), Output: out, Return: int64(time.Since(started))})
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if porcupine.CheckOperationsTimeout(fourAccounts, seen, 2*time.Minute) != porcupine.Ok {
			t.Error("what was seen fits into no order")
		}
		sound(t, l)
	})
}

func four(i int) string { return "account" + string(rune('a'+i)) }

func (l *Ledger) asked(t *testing.T, id string, in asking) (answering, error) {
	if in.amount == 0 {
		a, err := l.Account(t.Context(), four(in.from))
		return answering{balance: a.Balance}, err
	}
	_, err := l.Post(t.Context(), nil, transfer(id, four(in.from), four(in.to), in.amount))
	if errors.Is(err, Insufficient) {
		return answering{refused: true}, nil
	}
	return answering{}, err
}
