package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
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
	now      int64
}

type modelAccount struct {
	unit                 string
	balance, held, floor int64
	state                State
}

// modelMoved is a transfer, a capture or a hold.
type modelMoved struct {
	kind     Kind
	from, to string
	amount   int64
	expires  int64
	ended    bool
	over     bool // ended because its time was
	reversed int64
}

type asked struct {
	operation Operation
	why       error
}

func (m *model) copied() *model {
	c := &model{accounts: map[string]*modelAccount{}, asked: m.asked, moved: map[string]*modelMoved{}, now: m.now}
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
		return m.open(o)
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
	if hold.over || !hold.ended && hold.expires <= m.now {
		return Expired
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

func (m *model) open(o Operation) error {
	switch {
	case o.Unit != "EUR" && o.Unit != leaf.Code:
		return NoUnit
	case m.accounts[o.From] != nil:
		return HasAccount
	case o.State == Closed:
		return IsClosed
	case o.Floor > 0:
		return Insufficient
	}
	m.accounts[o.From] = &modelAccount{unit: o.Unit, floor: o.Floor, state: o.State}
	return nil
}

// expire ends all holds of which the time is over.
func (m *model) expire() {
	for _, hold := range m.moved {
		if hold.kind == Hold && !hold.ended && hold.expires <= m.now {
			hold.ended, hold.over = true, true
			m.accounts[hold.from].held -= hold.amount
		}
	}
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
	if from.unit != o.Unit || m.accounts[o.To].unit != o.Unit {
		return OtherUnit
	}
	if err := m.pay(o.From, o.To, o.Amount); err != nil {
		return err
	}
	if o.Kind == Hold {
		if ends := o.Expires.UnixMicro(); ends <= m.now || ends > m.now+MaxHolding.Microseconds() {
			return TooFar
		}
		from.balance += o.Amount
		from.held += o.Amount
		m.accounts[o.To].balance -= o.Amount
	}
	m.moved[o.ID] = &modelMoved{kind: o.Kind, from: o.From, to: o.To, amount: o.Amount, expires: expiresMicro(o.Expires)}
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

// names are the accounts that are there from the beginning, by their unit; more are opened, perhaps.
var (
	names = map[string][]string{"EUR": {"a", "b", "c", "d", "world"}, leaf.Code: {"x", "y", "forest"}}
	more  = []string{"e", "f", "z"}
)

// anOperation draws an operation at a time; ids come again now and then, with the same content or another one.
func anOperation(t *rapid.T, n int, now time.Time) Operation {
	kind := rapid.SampledFrom([]Kind{Opening, Setting, Transfer, Transfer, Transfer, Transfer, Hold, Hold, Capture, Capture, Void, Reversal}).Draw(t, "kind")
	number := n
	if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
		number = rapid.IntRange(0, n).Draw(t, "number")
	}
	o := Operation{ID: "o" + strconv.Itoa(number), Kind: kind}
	unit := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", leaf.Code}).Draw(t, "unit")
	name := func(label string) string {
		of := unit
		if rapid.IntRange(0, 15).Draw(t, "elsewhere") == 0 {
			of = leaf.Code
		}
		return rapid.SampledFrom(append(more, names[of]...)).Draw(t, label)
	}
	switch kind {
	case Opening:
		o.From, o.Unit = name("account"), rapid.SampledFrom([]string{unit, unit, unit, "NONE"}).Draw(t, "in")
		o.Floor = rapid.SampledFrom([]int64{0, 0, 0, -100, Unbounded, 1}).Draw(t, "floor")
		o.State = rapid.SampledFrom([]State{Open, Open, Open, Open, Frozen, Closed}).Draw(t, "state")
	case Setting:
		o.From = name("account")
		o.Floor = rapid.SampledFrom([]int64{0, 0, -100, 50, Unbounded}).Draw(t, "floor")
		o.State = rapid.SampledFrom([]State{Open, Open, Open, Frozen, Closed}).Draw(t, "state")
	case Transfer, Hold:
		o.From, o.To, o.Unit, o.Amount = name("from"), name("to"), unit, rapid.Int64Range(1, 300).Draw(t, "amount")
		if o.From == o.To {
			o.To = map[bool]string{true: "a", false: "world"}[o.From == "world"]
		}
		if kind == Hold { // never at a time to which the clock is set
			o.Expires = now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, time.Hour, MaxHolding - time.Hour, MaxHolding, -time.Second}).Draw(t, "expires") + time.Second/2)
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

// history is one that the ledger and the model go through together.
type history struct {
	l    *Ledger
	m    *model
	at   int64 // the clock, in microseconds; it goes on in whole seconds
	last int64 // number of a record
	n    int   // operations drawn
	past [][]Operation
}

// begins opens the first accounts.
func begins(t *testing.T, l *Ledger) *history {
	h := &history{l: l, m: &model{accounts: map[string]*modelAccount{}, asked: map[string]asked{}, moved: map[string]*modelMoved{}}, at: longAgo}
	l.next = func() int64 { h.last = max(h.last+1, h.at); return h.last }
	l.now = func() time.Time { return time.UnixMicro(h.at) }
	for unit, all := range names {
		for _, name := range all {
			o := Operation{ID: "begin-" + name, Kind: Opening, From: name, Unit: unit}
			if name == "world" || name == "forest" {
				o.Floor = Unbounded
			}
			if err := errors.Join(h.m.do(false, o), asError(l.Post(t.Context(), nil, o))); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.pass(t, 0)
	return h
}

// pass lets time pass, and ends what is over.
func (h *history) pass(t *testing.T, d time.Duration) {
	h.at += d.Microseconds()
	h.m.now = h.at
	h.m.expire()
	if err := h.l.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// request draws a new one, or one that was asked before.
func (h *history) request(r *rapid.T) []Operation {
	if len(h.past) > 0 && rapid.IntRange(0, 15).Draw(r, "the same") == 0 {
		return rapid.SampledFrom(h.past).Draw(r, "as")
	}
	operations := make([]Operation, 0, 4)
	ids := map[string]bool{}
	for range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 4}).Draw(r, "linked") {
		o := anOperation(r, h.n, time.UnixMicro(h.at))
		h.n++
		if !ids[o.ID] {
			ids[o.ID] = true
			operations = append(operations, o)
		}
	}
	h.past = append(h.past, operations)
	return operations
}

// likeTheModel plays one history.
func likeTheModel(t *testing.T, r *rapid.T, cfg store.Config) int {
	db, err := store.Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	own := DefaultConfig()
	own.Units = []Unit{leaf}
	l, err := New(t.Context(), own, db, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := begins(t, l)
	for range rapid.IntRange(1, 150).Draw(r, "requests") {
		switch rapid.IntRange(0, 15).Draw(r, "between") {
		case 0, 1: // time passes, and nobody has looked for what is over yet
			h.at += rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 2 * time.Hour, 70 * 24 * time.Hour}).Draw(r, "pause").Microseconds()
			h.m.now = h.at
		case 2, 3:
			h.pass(t, rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Hour}).Draw(r, "pass"))
		case 4: // as after a start
			l.known.clear()
		}
		operations := h.request(r)
		try, post := rapid.IntRange(0, 3).Draw(r, "try") == 0, l.Post
		if try {
			post = l.Try
		}
		want := h.m.do(try, operations...)
		_, got := post(t.Context(), nil, operations...)
		if !errors.Is(got, want) || want == nil && got != nil {
			r.Fatalf("%+v: %v, the model %v", operations, got, want)
		}
		if rapid.IntRange(0, 7).Draw(r, "look") == 0 {
			if err := alike(t, l, h.m); err != nil {
				r.Fatalf("after %+v: %v", operations, err)
			}
		}
	}
	h.pass(t, 2*MaxHolding)
	if err := alike(t, l, h.m); err != nil {
		r.Fatal(err)
	}
	if _, err := l.Verify(t.Context(), [32]byte{}, nil); err != nil {
		r.Fatal(err)
	}
	for name, a := range h.m.accounts {
		if a.held != 0 {
			r.Fatalf("%s holds %d after all time", name, a.held)
		}
	}
	return h.n
}

func asError(_ []Record, err error) error { return err }

// alike looks whether all accounts stand as in the model, and whether all balances together are nothing.
func alike(t *testing.T, l *Ledger, m *model) error {
	sums := map[string]int64{}
	for _, name := range slices.Concat(more, names["EUR"], names[leaf.Code]) {
		a, err := l.Account(t.Context(), name)
		want := m.accounts[name]
		if want == nil {
			if !errors.Is(err, NoAccount) {
				return fmt.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || a.Balance != want.balance || a.Held != want.held || a.Floor != want.floor || a.State != want.state || a.Unit != want.unit {
			return fmt.Errorf("%s: %+v (%w), the model %+v", name, a, err, *want)
		}
		if a.Floor != Unbounded && a.Balance-a.Held < a.Floor {
			return fmt.Errorf("%s is below its floor: %+v", name, a)
		}
		sums[a.Unit] += a.Balance
	}
	for unit, sum := range sums {
		if sum != 0 {
			return fmt.Errorf("all balances of %s are %d", unit, sum)
		}
	}
	return nil
}
