package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"pgregory.net/rapid"
)

// model is the ledger as one would explain it: maps, and no database.
type model struct {
	accounts map[string]*modelAccount
	asked    map[string]asked // by id
	moved    map[string]*modelMoved
}

type modelAccount struct {
	balance, held, floor int64
	state                State
}

// modelMoved is a transfer, a capture or a hold.
type modelMoved struct {
	kind     Kind
	from, to string
	amount   int64
	ended    bool
	reversed int64
}

type asked struct {
	operation Operation
	why       error
}

func (m *model) copied() *model {
	c := &model{accounts: map[string]*modelAccount{}, asked: m.asked, moved: map[string]*modelMoved{}}
	for name, a := range m.accounts {
		copied := *a
		c.accounts[name] = &copied
	}
	for id, one := range m.moved {
		copied := *one
		c.moved[id] = &copied
	}
	return c
}

// do does a request, all of it or nothing, and says why not. Of what is tried alone it remembers no refusal.
func (m *model) do(try bool, operations ...Operation) error {
	known := 0
	var was error
	for _, o := range operations {
		if before, ok := m.asked[o.ID]; ok {
			if before.operation.content() != o.content() {
				return ErrIDTaken
			}
			known++
			if was == nil || errors.Is(was, Linked) {
				was = before.why
			}
		}
	}
	if known == len(operations) {
		return was
	}
	if known > 0 {
		return ErrIDTaken
	}
	tried := m.copied()
	for i, o := range operations {
		if why := tried.one(o); why != nil {
			if try {
				return why
			}
			for j, o := range operations {
				m.asked[o.ID] = asked{o, Linked}
				if i == j {
					m.asked[o.ID] = asked{o, why}
				}
			}
			return why
		}
	}
	for _, o := range operations {
		m.asked[o.ID] = asked{o, nil}
	}
	m.accounts, m.moved = tried.accounts, tried.moved
	return nil
}

func (m *model) one(o Operation) error {
	switch o.Kind {
	case Opening:
		if m.accounts[o.From] != nil {
			return HasAccount
		}
		m.accounts[o.From] = &modelAccount{floor: o.Floor}
		return nil
	case Setting:
		return m.setting(o)
	case Transfer, Hold:
		return m.move(o)
	case Reversal:
		was := m.moved[o.Of]
		if was == nil || was.kind == Hold {
			return NoTarget
		}
		if was.reversed+o.Amount > was.amount {
			return Exceeds
		}
		was.reversed += o.Amount
		return m.pay(was.to, was.from, o.Amount)
	}
	hold := m.moved[o.Of]
	if hold == nil || hold.kind != Hold {
		return NoTarget
	}
	if hold.ended {
		return Ended
	}
	if o.Amount > hold.amount {
		return Exceeds
	}
	from := m.accounts[hold.from]
	hold.ended = true
	if o.Kind == Void {
		from.held -= hold.amount
		return nil
	}
	if from.state == Frozen {
		return IsFrozen
	}
	if m.accounts[hold.to].state == Closed {
		return IsClosed
	}
	from.held -= hold.amount
	from.balance -= o.Amount
	m.accounts[hold.to].balance += o.Amount
	m.moved[o.ID] = &modelMoved{kind: Capture, from: hold.from, to: hold.to, amount: o.Amount}
	return nil
}

func (m *model) setting(o Operation) error {
	a := m.accounts[o.From]
	switch {
	case a == nil:
		return NoAccount
	case a.state == Closed:
		return IsClosed
	case o.State == Closed && (a.balance != 0 || a.held != 0):
		return NotEmpty
	case o.Floor != Unbounded && a.balance-a.held < o.Floor:
		return Insufficient
	}
	a.state, a.floor = o.State, o.Floor
	return nil
}

func (m *model) move(o Operation) error {
	if m.accounts[o.From] == nil || m.accounts[o.To] == nil {
		return NoAccount
	}
	from := m.accounts[o.From]
	if err := m.pay(o.From, o.To, o.Amount); err != nil {
		return err
	}
	if o.Kind == Hold {
		from.balance += o.Amount
		from.held += o.Amount
		m.accounts[o.To].balance -= o.Amount
	}
	m.moved[o.ID] = &modelMoved{kind: o.Kind, from: o.From, to: o.To, amount: o.Amount}
	return nil
}

func (m *model) pay(fromName, toName string, amount int64) error {
	from, to := m.accounts[fromName], m.accounts[toName]
	switch {
	case from.state == Closed:
		return IsClosed
	case from.state == Frozen:
		return IsFrozen
	case from.floor != Unbounded && from.balance-from.held-amount < from.floor:
		return Insufficient
	case to.state == Closed:
		return IsClosed
	}
	from.balance -= amount
	to.balance += amount
	return nil
}

var (
	names = []string{"a", "b", "c", "d", "world"}
	more  = []string{"e", "f"}
)

// anOperation draws an operation; ids come again now and then, with the same content or another one.
func anOperation(t *rapid.T, n int) Operation {
	kind := rapid.SampledFrom([]Kind{Opening, Setting, Transfer, Transfer, Transfer, Transfer, Hold, Hold, Capture, Capture, Void, Reversal}).Draw(t, "kind")
	number := n
	if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
		number = rapid.IntRange(0, n).Draw(t, "number")
	}
	o := Operation{ID: "o" + strconv.Itoa(number), Kind: kind}
	name := func(label string) string { return rapid.SampledFrom(names).Draw(t, label) }
	switch kind {
	case Opening:
		o.From, o.Unit = name("account"), "EUR"
		if rapid.Bool().Draw(t, "new") {
			o.From = rapid.SampledFrom(more).Draw(t, "called")
		}
		o.Floor = rapid.SampledFrom([]int64{0, 0, -100, Unbounded}).Draw(t, "floor")
	case Setting:
		o.From = name("account")
		o.Floor = rapid.SampledFrom([]int64{0, 0, -100, 50, Unbounded}).Draw(t, "floor")
		o.State = rapid.SampledFrom([]State{Open, Open, Open, Frozen, Closed}).Draw(t, "state")
	case Transfer, Hold:
		o.From, o.To, o.Unit, o.Amount = name("from"), name("to"), "EUR", rapid.Int64Range(1, 300).Draw(t, "amount")
		if o.From == o.To {
			o.To = map[bool]string{true: "a", false: "world"}[o.From == "world"]
		}
		if kind == Hold {
			o.Expires = farAway
		}
	default:
		o.Of = "o" + strconv.Itoa(max(0, number-rapid.IntRange(1, 12).Draw(t, "of")))
		if kind != Void {
			o.Amount = rapid.Int64Range(1, 300).Draw(t, "amount")
		}
	}
	return o
}

var quiet = slog.New(slog.DiscardHandler)

var farAway = time.Now().Add(24 * time.Hour)

// TestLikeTheModel asks the ledger and the model the same, and looks whether they answer and stand alike; Verify looks at each step again. LEDGER_OPERATIONS is about how many
// operations it tries on each database.
func TestLikeTheModel(t *testing.T) {
	wanted := 3_000
	if text := os.Getenv("LEDGER_OPERATIONS"); text != "" {
		var err error
		if wanted, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			done := 0
			for done < wanted && !t.Failed() {
				t.Run(strconv.Itoa(done), func(t *testing.T) { // its databases go when it ends
					rapid.Check(t, func(r *rapid.T) { done += likeTheModel(t, r, storetest.Config(t, engine)) })
				})
			}
			t.Logf("%d operations", done)
		})
	}
}

// likeTheModel plays one history.
func likeTheModel(t *testing.T, r *rapid.T, cfg store.Config) int {
	db, err := store.Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := New(t.Context(), DefaultConfig(), db, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &model{accounts: map[string]*modelAccount{}, asked: map[string]asked{}, moved: map[string]*modelMoved{}}
	for _, name := range names {
		o := Operation{ID: "begin-" + name, Kind: Opening, From: name, Unit: "EUR"}
		if name == "world" {
			o.Floor = Unbounded
		}
		if err := errors.Join(m.do(false, o), asError(l.Post(t.Context(), nil, o))); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for range rapid.IntRange(1, 150).Draw(r, "requests") {
		operations := make([]Operation, 0, 4)
		ids := map[string]bool{}
		for range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 4}).Draw(r, "linked") {
			o := anOperation(r, n)
			n++
			if !ids[o.ID] {
				ids[o.ID] = true
				operations = append(operations, o)
			}
		}
		try, post := rapid.IntRange(0, 3).Draw(r, "try") == 0, l.Post
		if try {
			post = l.Try
		}
		want := m.do(try, operations...)
		_, got := post(t.Context(), nil, operations...)
		if !errors.Is(got, want) || want == nil && got != nil {
			r.Fatalf("%+v: %v, the model %v", operations, got, want)
		}
		if rapid.IntRange(0, 7).Draw(r, "look") == 0 {
			if err := alike(t, l, m); err != nil {
				r.Fatalf("after %+v: %v", operations, err)
			}
		}
	}
	if err := alike(t, l, m); err != nil {
		r.Fatal(err)
	}
	if _, err := l.Verify(t.Context(), [32]byte{}, nil); err != nil {
		r.Fatal(err)
	}
	return n
}

func asError(_ []Record, err error) error { return err }

// alike looks whether all accounts stand as in the model, and whether all balances together are nothing.
func alike(t *testing.T, l *Ledger, m *model) error {
	var sum int64
	for _, name := range append(more, names...) {
		a, err := l.Account(t.Context(), name)
		want := m.accounts[name]
		if want == nil {
			if !errors.Is(err, NoAccount) {
				return fmt.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || a.Balance != want.balance || a.Held != want.held || a.Floor != want.floor || a.State != want.state {
			return fmt.Errorf("%s: %+v (%w), the model %+v", name, a, err, *want)
		}
		if a.Floor != Unbounded && a.Balance-a.Held < a.Floor {
			return fmt.Errorf("%s is below its floor: %+v", name, a)
		}
		sum += a.Balance
	}
	if sum != 0 {
		return fmt.Errorf("all balances are %d", sum)
	}
	return nil
}
