package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

const (
	callersAtOnce = 6
	asksOfEach    = 40
	mostAsked     = callersAtOnce * asksOfEach
)

// asking is what a caller asks for under an id: something that is done or refused, or, with no kind, where one account stands.
type asking struct {
	id       int
	kind     Kind
	from, to int
	amount   int64
	of       int    // id of the hold
	seed     uint64 // of the history
}

// answering is what it was told: why it was refused, 0 for done, or where the account stands.
type answering struct {
	why           Reason
	balance, held int64
}

// believed is all that there is to know: where four accounts stand, and what became of each id.
type believed struct {
	balance, held [4]int64
	answered      [mostAsked]bool
	why           [mostAsked]Reason
	ended         [mostAsked]bool
}

// standing is the content of an id: several callers ask for the same under it, at once or later.
func standing(id int, seed uint64) asking {
	random := rand.New(rand.NewPCG(uint64(id), seed))
	in := asking{id: id, from: random.IntN(4), amount: 1 + random.Int64N(250), seed: seed}
	in.to = (in.from + 1 + random.IntN(3)) % 4
	in.kind = []Kind{Transfer, Hold, Hold, Capture, Capture, Void}[random.IntN(6)]
	if in.kind == Capture || in.kind == Void {
		in.amount, in.of = 1+in.amount/2, max(0, id-1-random.IntN(4))
	}
	return in
}

// fourAccounts is what callers may believe: that all they ask is done one after the other, at some moment between asking and the answer, and each id once.
var fourAccounts = porcupine.Model{
	Init: func() any { return believed{balance: [4]int64{500, 500, 500, 500}} },
	Step: func(state, input, output any) (bool, any) {
		b, ok := state.(believed)
		in, ok2 := input.(asking)
		out, ok3 := output.(answering)
		switch {
		case !ok || !ok2 || !ok3:
			return false, state
		case in.kind == 0:
			return b.balance[in.from] == out.balance && b.held[in.from] == out.held, state
		case b.answered[in.id]:
			return b.why[in.id] == out.why, state
		}
		why := b.does(in)
		b.answered[in.id], b.why[in.id] = true, why
		return why == out.why, b
	},
}

// does does what is asked for, or says why not.
func (b *believed) does(in asking) Reason {
	if in.kind == Transfer || in.kind == Hold {
		if b.balance[in.from]-b.held[in.from] < in.amount {
			return Insufficient
		}
		if in.kind == Hold {
			b.held[in.from] += in.amount
			return 0
		}
		b.balance[in.from] -= in.amount
		b.balance[in.to] += in.amount
		return 0
	}
	hold := standing(in.of, in.seed)
	switch {
	case hold.kind != Hold || !b.answered[in.of] || b.why[in.of] != 0:
		return NoTarget
	case b.ended[in.of]:
		return Ended
	case in.kind == Capture && in.amount > hold.amount:
		return Exceeds
	}
	b.ended[in.of] = true
	b.held[hold.from] -= hold.amount
	if in.kind == Capture {
		b.balance[hold.from] -= in.amount
		b.balance[hold.to] += in.amount
	}
	return 0
}

// TestCallersAtOnceSeeOneOrder lets callers move, hold, capture, void and read at once, several of them under the same id; what they saw has to fit into one order
// (github.com/anishathalye/porcupine). LEDGER_HISTORIES is how many histories it tries on each database.
func TestCallersAtOnceSeeOneOrder(t *testing.T) {
	histories := 3
	if text := os.Getenv("LEDGER_HISTORIES"); text != "" {
		var err error
		if histories, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			for n := range histories {
				t.Run(strconv.Itoa(n), func(t *testing.T) { oneOrder(t, storetest.Open(t, engine), uint64(n)) }) // its database goes when it ends
			}
		})
	}
}

func oneOrder(t *testing.T, db *store.DB, seed uint64) {
	l := begin(t, db)
	post(t, l, opening("world", Unbounded))
	for i := range 4 {
		post(t, l, opening(four(i), 0), transfer("in"+four(i), "world", four(i), 500))
	}
	var mu sync.Mutex // guards seen
	var seen []porcupine.Operation
	var newest atomic.Int64
	var all sync.WaitGroup
	ends := time.Now().Add(MaxHolding - time.Hour)
	started := time.Now()
	for caller := range callersAtOnce {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(caller), seed))
			for range asksOfEach {
				in := asking{from: random.IntN(4)}
				switch random.IntN(6) {
				case 0: // where it stands
				case 1, 2: // what another one asks for just now, or has
					in = standing(max(0, int(newest.Load())-1-random.IntN(4)), seed)
				default:
					in = standing(int(newest.Add(1))-1, seed)
				}
				called := time.Since(started)
				out, err := l.asked(t, in, ends)
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
}

func four(i int) string { return "account" + string(rune('a'+i)) }

func (l *Ledger) asked(t *testing.T, in asking, ends time.Time) (answering, error) {
	id := func(n int) string { return fmt.Sprintf("id-%d", n) }
	o := Operation{ID: id(in.id), Kind: in.kind, Amount: in.amount}
	switch in.kind {
	case Transfer, Hold:
		o.From, o.To, o.Unit = four(in.from), four(in.to), "EUR"
		if in.kind == Hold {
			o.Expires = ends
		}
	case Capture:
		o.Of = id(in.of)
	case Void:
		o.Of, o.Amount = id(in.of), 0
	default:
		a, err := l.Account(t.Context(), four(in.from))
		return answering{balance: a.Balance, held: a.Held}, err
	}
	_, err := l.Post(t.Context(), nil, o)
	var refused *Refused
	if errors.As(err, &refused) {
		return answering{why: refused.Reason}, nil
	}
	return answering{}, err
}
