package pay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

const romeo, juliet = "romeo@example", "juliet@example" // administrators

// closed runs a test with a service of closed money.
func closed(t *testing.T, run func(b *bank)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := testConfig()
		cfg.Units[0].Closed = true
		run(openBank(t, db, cfg))
	})
}

func (b *bank) propose(by string, p Proposal) Proposal {
	b.Helper()
	p.Why = "the fair"
	made, err := b.Propose(b.Context(), by, p)
	if err != nil {
		b.Fatal(err)
	}
	return made
}

// is fails unless an error is one of a stanza with a condition.
func (b *bank) is(err error, want *xmpp.Error) {
	b.Helper()
	var wire *xmpp.Error
	if !errors.As(err, &wire) || wire.Condition != want.Condition {
		b.Errorf("%v, not %s", err, want.Condition)
	}
}

// TestFourEyes issues money, pays with it, withdraws it and takes back what was a mistake; nobody does any of that alone.
func TestFourEyes(t *testing.T) {
	closed(t, func(b *bank) {
		karim := b.newDevice("karim")
		p := b.propose(romeo, Proposal{Kind: Issue, Account: "Karim@Example", Unit: "MAD", Amount: 10_000})
		_, err := b.Approve(t.Context(), romeo, p.ID)
		b.is(err, xmpp.NotAllowed)
		b.has(karim.account, "MAD", 0, 0)
		done, err := b.Approve(t.Context(), juliet, p.ID)
		if err != nil || done.State != ProposalDone {
			t.Fatal(done, err)
		}
		_, err = b.Approve(t.Context(), "paris@example", p.ID)
		b.is(err, xmpp.NotAllowed)
		b.has(karim.account, "MAD", 10_000, 0)
		kept, ok, err := b.ledger.Look(t.Context(), p.payment())
		if err != nil || !ok || kept.Number != done.Number || !strings.Contains(string(kept.Data), "proposed-by=romeo@example\napproved-by=juliet@example\n") || !strings.Contains(kept.About, romeo) {
			t.Errorf("%+v %v", kept, err)
		}
		if told := b.told(karim.account); len(told) == 0 || told[len(told)-1].Child(NS, "payment").Attr("payer") != "rail:operator" {
			t.Errorf("karim was told %v", told)
		}
		if e, err := b.ask(karim.account, false, element("history")); err != nil || e.Child(NS, "payment").Attr("payee") != "karim@example" {
			t.Errorf("history: %v, %v", e, err)
		}

		back := karim.intent(intent.Send, romeo, 4000)
		if _, err := karim.pay(back); err != nil {
			t.Fatal(err)
		}
		_, err = b.Propose(t.Context(), juliet, Proposal{Kind: Withdraw, Of: back.ID, Why: "it was paid to somebody else"})
		b.is(err, xmpp.NotAllowed)
		first, second := b.propose(romeo, Proposal{Kind: Withdraw, Of: back.ID}), b.propose(romeo, Proposal{Kind: Withdraw, Of: back.ID})
		if _, err := b.Approve(t.Context(), juliet, first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err = b.Approve(t.Context(), juliet, second.ID); err == nil {
			t.Error("one payment was withdrawn twice")
		}
		b.has(xmpp.MustJID(romeo), "MAD", 0, 0)

		_, err = b.Propose(t.Context(), juliet, Proposal{Kind: Correct, Of: p.payment(), Amount: 5000, Unit: "EUR", Why: "the digits of another unit"})
		b.is(err, xmpp.BadRequest)
		mistake := b.propose(juliet, Proposal{Kind: Correct, Of: p.payment(), Amount: 5000, Unit: "MAD"})
		if _, err := b.Approve(t.Context(), romeo, mistake.ID); err != nil {
			t.Fatal(err)
		}
		b.has(karim.account, "MAD", 1000, 0)
		more := b.propose(juliet, Proposal{Kind: Correct, Of: p.payment()})
		_, err = b.Approve(t.Context(), romeo, more.ID)
		b.is(err, insufficient())
		b.even()
		all, err := b.Circulations(t.Context())
		if err != nil || all[0].Issued != 1000 || !all[0].Closed {
			t.Errorf("%+v %v", all, err)
		}
		log, err := b.Audit(t.Context(), 0, MaxOffice)
		var what []string
		for _, deed := range log {
			what = append(what, deed.Who[:1]+" "+deed.What)
		}
		slices.Reverse(what)
		if want := "r propose-issue, j approve-issue, r propose-withdraw, r propose-withdraw, j approve-withdraw, j refused-withdraw, j propose-correct, r approve-correct, j propose-correct, r refused-correct"; err != nil ||
			strings.Join(what, ", ") != want {
			t.Errorf("%s %v", strings.Join(what, ", "), err)
		}
	})
}

func TestWhatIsNotProposed(t *testing.T) {
	closed(t, func(b *bank) {
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 5000)
		paid := karim.intent(intent.Send, "nadia@example", 1000)
		if _, err := karim.pay(paid); err != nil {
			t.Fatal(err)
		}
		for what, p := range map[string]Proposal{
			"money of a rail":         {Kind: Issue, Account: "karim@example", Unit: "EUR", Amount: 1, Why: "x"},
			"to oneself":              {Kind: Issue, Account: romeo, Unit: "MAD", Amount: 1, Why: "x"},
			"to oneself, in capitals": {Kind: Issue, Account: "Romeo@Example", Unit: "MAD", Amount: 1, Why: "x"},
			"to a device":             {Kind: Issue, Account: "karim@example/phone", Unit: "MAD", Amount: 1, Why: "x"},
			"to elsewhere":            {Kind: Issue, Account: "karim@far.example", Unit: "MAD", Amount: 1, Why: "x"},
			"nothing":                 {Kind: Issue, Account: "karim@example", Unit: "MAD", Why: "x"},
			"too much":                {Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: ledger.MaxAmount + 1, Why: "x"},
			"without a reason":        {Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: 1, Why: " "},
			"a payment between other": {Kind: Correct, Of: paid.ID, Why: "x"},
			"somebody's payment":      {Kind: Withdraw, Of: paid.ID, Why: "x"},
			"no payment":              {Kind: Withdraw, Of: "never", Why: "x"},
			"something else":          {Kind: "take", Of: paid.ID, Why: "x"},
		} {
			if _, err := b.Propose(t.Context(), romeo, p); err == nil {
				t.Errorf("%s was proposed", what)
			}
		}
		b.has(nadia.account, "MAD", 1000, 0)
		p := b.propose(romeo, Proposal{Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: 1})
		if _, err := b.Decline(t.Context(), juliet, p.ID); err != nil {
			t.Fatal(err)
		}
		_, err := b.Approve(t.Context(), juliet, p.ID)
		b.is(err, xmpp.NotAllowed)
		old := b.propose(romeo, Proposal{Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: 1})
		b.later(8 * day)
		_, err = b.Approve(t.Context(), juliet, old.ID)
		b.is(err, xmpp.NotAllowed)
	})
}

// TestApprovedOnce has many approve the same at once.
func TestApprovedOnce(t *testing.T) {
	closed(t, func(b *bank) {
		karim := b.newDevice("karim")
		p := b.propose(romeo, Proposal{Kind: Issue, Account: "karim@example", Unit: "MAD", Amount: 100})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { _, _ = b.Approve(t.Context(), fmt.Sprintf("admin%d@example", i), p.ID) }) // one of them does it
		}
		all.Wait()
		b.has(karim.account, "MAD", 100, 0)
	})
}

// TestStopped keeps a wallet from paying whatever its owner signs, and grades it.
func TestStopped(t *testing.T) {
	closed(t, func(b *bank) {
		karim := b.newDevice("karim")
		b.fund(karim.account, "MAD", 5000)
		if err := b.Stop(t.Context(), romeo, karim.account, true, "asked by a court"); err != nil {
			t.Fatal(err)
		}
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "frozen")
		purse, err := b.Purse(t.Context(), karim.account)
		if err != nil || !purse.Stopped || purse.Money[0].Balance != 5000 || purse.Money[0].Transaction != 100_000 {
			t.Errorf("%+v %v", purse, err)
		}
		if err := b.Stop(t.Context(), romeo, karim.account, false, "no more"); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 1)
		if err := b.Grade(t.Context(), romeo, karim.account, "known", "passport seen"); err != nil {
			t.Fatal(err)
		}
		b.is(b.Grade(t.Context(), romeo, karim.account, "duke", ""), xmpp.ItemNotFound)
		if purse, err = b.Purse(t.Context(), karim.account); err != nil || purse.Level != "known" || purse.Stopped {
			t.Errorf("%+v %v", purse, err)
		}
	})
}

// TestWatched finds what the rules look for, and nothing else.
func TestWatched(t *testing.T) {
	closed(t, func(b *bank) {
		karim, nadia, paris := b.newDevice("karim"), b.newDevice("nadia"), b.newDevice("paris")
		b.fund(karim.account, "MAD", 1_000_000)
		b.fund(nadia.account, "MAD", 1_000_000)
		if err := b.SetLevel(t.Context(), nadia.account, "known"); err != nil {
			t.Fatal(err)
		}
		for _, amount := range []int64{90_000, 95_000} {
			if err := karim.unlock(pin); err != nil {
				t.Fatal(err)
			}
			karim.send("nadia@example", amount)
			b.later(time.Minute)
		}
		if all, err := b.Watch(t.Context()); err != nil || len(all) != 0 {
			t.Fatalf("%+v %v", all, err)
		}
		b.later(23 * time.Hour) // another day for the limit, and within 24 hours of the second
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		b.clockless(t, karim, 85_000)
		for i := range strangerDay {
			nadia.send(fmt.Sprintf("stranger%d@example", i), 5)
		}
		for range wrongPINs {
			_ = paris.unlock("not the right one")
		}
		all, err := b.Watch(t.Context())
		var found []string
		for _, one := range all {
			found = append(found, one.Account+" "+one.Kind)
		}
		slices.Sort(found)
		if got := strings.Join(found, ", "); err != nil || got != "karim@example splitting, nadia@example new-payees, paris@example wrong-pins" {
			t.Errorf("%s %v", got, err)
		}
	})
}

// clockless pays once more what is just under the limit; the limit of the day is not what is tried here.
func (b *bank) clockless(t *testing.T, d *device, amount int64) {
	t.Helper()
	if _, err := b.db.Exec(t.Context(), "delete from pay_day"); err != nil {
		t.Fatal(err)
	}
	d.send("nadia@example", amount)
}
