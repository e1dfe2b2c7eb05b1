package pay

import (
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// modelRequest is a request as one would explain it.
type modelRequest struct {
	id                  string
	payee, payer        *modelPerson
	amount, paid        int64
	partial             bool
	expires             time.Time
	declined, cancelled bool
}

// modelPaid is a payment that was done.
type modelPaid struct {
	id             string
	payer, payee   *modelPerson
	amount, backed int64
}

type modelPerson struct {
	*actor
	balance int64
}

// market is a few people who ask one another for money, and what they should have.
type market struct {
	*stage
	people   []*modelPerson
	requests []*modelRequest
	paid     []*modelPaid
}

func (r *modelRequest) state(now time.Time) string {
	switch {
	case r.paid == r.amount:
		return requestPaid
	case r.declined:
		return requestDeclined
	case r.cancelled:
		return requestCancelled
	case !now.Before(r.expires):
		return requestExpired
	case r.paid > 0:
		return requestPart
	}
	return requestOpen
}

func (r *modelRequest) waits(now time.Time) bool {
	s := r.state(now)
	return s == requestOpen || s == requestPart
}

func (m *market) someone(t *rapid.T) *modelPerson { return rapid.SampledFrom(m.people).Draw(t, "who") }

func (m *market) request(t *rapid.T) *modelRequest {
	if len(m.requests) == 0 {
		t.Skip("nothing is asked for")
	}
	return rapid.SampledFrom(m.requests).Draw(t, "request")
}

// ask makes a request.
func (m *market) ask(t *rapid.T) {
	payee, payer := m.someone(t), m.someone(t)
	r := &modelRequest{id: m.id(), payee: payee, payer: payer, amount: rapid.Int64Range(1, 50_000).Draw(t, "amount"), partial: rapid.Bool().Draw(t, "partial"),
		expires: m.now().Add(time.Duration(rapid.IntRange(1, 48).Draw(t, "hours")) * time.Hour)}
	text := "<request id='" + r.id + "' payer='" + payer.jid.String() + "' amount='" + digits(r.amount) + "' unit='MAD' expires='" + r.expires.Format(timeLayout) + "'"
	if r.partial {
		text += " partial='true'"
	}
	want := ""
	if payee == payer {
		want = "bad-request"
	} else {
		m.requests = append(m.requests, r)
	}
	m.answers(t, payee, text+"/>", want)
}

// answers asks, twice, and wants an answer or a refusal.
func (m *market) answers(t *rapid.T, who *modelPerson, text, want string) {
	for range 2 {
		if _, err := who.actor.ask(true, text); conditionOf(err) != want {
			t.Fatalf("%s asks %s: %v, want %q", who.name, text, err, want)
		}
	}
}

// pay pays a request, or tries to.
func (m *market) pay(t *rapid.T) {
	r, who := m.request(t), m.someone(t)
	if rapid.IntRange(0, 3).Draw(t, "stranger") > 0 {
		who = r.payer
	}
	amount := r.amount - r.paid
	if rapid.Bool().Draw(t, "other") {
		amount = rapid.Int64Range(1, r.amount+1).Draw(t, "amount")
	}
	amount = max(amount, 1)
	left := r.amount - r.paid
	want := ""
	switch {
	case who == r.payee:
		return // nobody pays themselves: such an intent cannot be written
	case who != r.payer:
		want = "item-not-found"
	case !r.waits(m.now()):
		want = "over"
	case amount > left || amount < left && !r.partial:
		want = "exceeds"
	case amount > who.balance:
		want = "insufficient"
	}
	i := who.send(r.payee.name, amount, r.id)
	for range 2 { // its answer was lost the first time
		if _, err := who.hand(i); conditionOf(err) != want {
			t.Fatalf("%s pays %d of %+v: %v, want %q", who.name, amount, r, err, want)
		}
	}
	if want == "" {
		r.paid += amount
		who.balance -= amount
		r.payee.balance += amount
		m.paid = append(m.paid, &modelPaid{id: i.ID, payer: who, payee: r.payee, amount: amount})
	}
}

// back gives a payment back, all or a part, or tries to.
func (m *market) back(t *rapid.T) {
	if len(m.paid) == 0 {
		t.Skip("nothing is paid")
	}
	p := rapid.SampledFrom(m.paid).Draw(t, "payment")
	amount := rapid.Int64Range(1, p.amount+1).Draw(t, "back")
	want := ""
	if amount > p.amount-p.backed {
		want = "exceeds"
	} else if amount > p.payee.balance {
		want = "insufficient"
	}
	i := p.payee.giveBack(p.payer.name, amount, p.id)
	for range 2 {
		if _, err := p.payee.hand(i); conditionOf(err) != want {
			t.Fatalf("%s gives back %d of %+v: %v, want %q", p.payee.name, amount, p, err, want)
		}
	}
	if want == "" {
		p.backed += amount
		p.payee.balance -= amount
		p.payer.balance += amount
	}
}

// end declines or cancels a request, or tries to.
func (m *market) end(t *rapid.T) {
	r, who := m.request(t), m.someone(t)
	what := rapid.SampledFrom([]string{"decline", "cancel"}).Draw(t, "what")
	may, same := r.payer, r.declined
	if what == "cancel" {
		may, same = r.payee, r.cancelled
	}
	want := ""
	switch {
	case who != r.payer && who != r.payee:
		want = "item-not-found"
	case who != may:
		want = "forbidden"
	case same:
	case !r.waits(m.now()):
		want = "over"
	case what == "decline":
		r.declined = true
	default:
		r.cancelled = true
	}
	m.answers(t, who, "<"+what+" id='"+r.id+"'/>", want)
}

// wait lets time pass.
func (m *market) wait(t *rapid.T) {
	d := time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute
	if rapid.Bool().Draw(t, "swept") {
		m.later(d)
		return
	}
	m.mu.Lock()
	m.clock = m.clock.Add(d)
	m.mu.Unlock()
}

// check compares everything.
func (m *market) check(t *rapid.T) {
	for _, p := range m.people {
		if got, _ := m.balance(p.name); got != p.balance {
			t.Fatalf("%s has %d, want %d", p.name, got, p.balance)
		}
	}
	for _, r := range m.requests {
		e := r.payee.get("<request id='" + r.id + "'/>")
		if e.Attr("state") != r.state(m.now()) || e.Attr("paid") != digits(r.paid) {
			t.Fatalf("the request is %s, want %s with %d paid", e, r.state(m.now()), r.paid)
		}
	}
	for _, p := range m.paid {
		if got := p.payer.get("<lookup id='" + p.id + "'/>").Attr("refunded"); got != digits(p.backed) && (got != "" || p.backed != 0) {
			t.Fatalf("%s of a payment is given back, want %d", got, p.backed)
		}
	}
}

// towns is how many markets a model goes through on each database; the long mode (PAY_TOWNS) has as many as it says, and -rapid.checks lets it.
func towns() int {
	if n, err := strconv.Atoi(os.Getenv("PAY_TOWNS")); err == nil {
		return n
	}
	return 25
}

func TestRequestsLikeTheModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g := newStage(t, db)
		town := 0
		rapid.Check(t, func(t *rapid.T) {
			m := &market{stage: g}
			if town++; town > towns() {
				return
			}
			for _, name := range []string{"a", "b", "c"} {
				name += digits(int64(town))
				m.people = append(m.people, &modelPerson{g.enter(name), 100_000})
			}
			t.Repeat(map[string]func(*rapid.T){"ask": m.ask, "pay": m.pay, "pay again": m.pay, "give back": m.back, "end": m.end, "wait": m.wait})
			m.check(t)
		})
	})
}
