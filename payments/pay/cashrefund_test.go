package pay

import (
	"context"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// Refund holds what goes back, as a rail does.
func (r *rails) Refund(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error {
	of, err := r.payment(ctx, t.Of)
	if err != nil {
		return err
	}
	came, _, err := r.book.Look(ctx, of.ID)
	if err != nil {
		return err
	}
	_, err = r.book.Post(ctx, also, ledger.Operation{ID: t.ID, Kind: ledger.Hold, From: came.To, To: "rail/momo/MAD", Amount: t.Amount, Unit: t.Unit,
		Expires: time.Now().Add(time.Hour), About: t.About, Data: t.Data})
	return err
}

// broughtIn is a cash-in of 50.00 MAD of somebody.
func (b *bank) broughtIn(who *device) (id string) {
	b.Helper()
	return b.broughtTo(who, WalletAccount("MAD", who.account))
}

// broughtTo is one that went to an account of the ledger: a rail keeps what a wallet does not take.
func (b *bank) broughtTo(who *device, account string) (id string) {
	b.Helper()
	id = fresh()
	if _, err := b.ask(who.account, true, element("cashin", "id", id, "rail", "momo", "amount", "5000", "unit", "MAD", "address", "+212600000000")); err != nil {
		b.Fatal(err)
	}
	b.railed(RailChange{ID: id, State: Done, Moved: 5000}, ledger.Operation{ID: id, Kind: ledger.Transfer, From: "rail/momo/MAD", To: account, Amount: 5000, Unit: "MAD"})
	return id
}

// railed tells of a change, with what it does in the ledger.
func (b *bank) railed(change RailChange, operations ...ledger.Operation) {
	b.Helper()
	also := func(ctx context.Context, records []ledger.Record) error { return b.Railed(ctx, change, records) }
	err := error(nil)
	if len(operations) == 0 {
		err = b.db.Tx(b.Context(), func(ctx context.Context) error { return also(ctx, nil) })
	} else {
		_, err = b.ledger.Post(b.Context(), also, operations...)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// says fails unless a payment has these attributes, as its owner looks it up.
func (b *bank) says(who *device, id string, attributes ...string) {
	b.Helper()
	found, err := b.ask(who.account, false, element("lookup", "id", id))
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < len(attributes); i += 2 {
		if found.Attr(attributes[i]) != attributes[i+1] {
			b.Errorf("%s is %q, not %q: %s", attributes[i], found.Attr(attributes[i]), attributes[i+1], found)
		}
	}
}

func withRail(t *testing.T, run func(b *bank, karim, nadia *device)) {
	two(t, func(b *bank, karim, nadia *device) {
		b.Use(&rails{Service: b.Service, book: b.ledger})
		if _, err := b.ledger.Post(t.Context(), nil, ledger.Operation{ID: "open:rail", Kind: ledger.Opening, From: "rail/momo/MAD", Unit: "MAD", Floor: ledger.Unbounded}); err != nil {
			t.Fatal(err)
		}
		run(b, karim, nadia)
	})
}

// TestACashInGoesBack in two parts, when two administrators say so: the second part is refused by the network, and settled by it later all the same, and taken back at last.
func TestACashInGoesBack(t *testing.T) {
	withRail(t, func(b *bank, _, nadia *device) {
		in := b.broughtIn(nadia)
		first := b.propose(romeo, Proposal{Kind: Refund, Of: in, Amount: 2000})
		if first.Account != "nadia@example" || first.Unit != "MAD" {
			t.Fatalf("%+v", first)
		}
		if _, err := b.Approve(t.Context(), romeo, first.ID); err == nil {
			t.Error("romeo alone has done it")
		}
		done, err := b.Approve(t.Context(), juliet, first.ID)
		if err != nil || done.State != ProposalDone || done.Number == 0 {
			t.Fatal(done, err)
		}
		if w, err := b.ask(nadia.account, false, element("wallet")); err != nil || w.Child(NS, "balance").Attr("held") != "2000" {
			t.Errorf("not held: %v (%v)", w, err)
		}
		b.says(nadia, first.payment(), "kind", "cashrefund", "state", Waiting, "payee", "rail:momo", "of", in, "for", "the fair", "amount", "2000")
		b.says(nadia, in, "refunded", "2000", "state", Done)
		_, err = b.Approve(t.Context(), "paris@example", first.ID)
		b.is(err, xmpp.NotAllowed)
		b.railed(RailChange{ID: first.payment(), State: Done, Moved: 2000}, ledger.Operation{ID: first.payment() + ":1a", Kind: ledger.Capture, Of: first.payment(), Amount: 2000})
		b.says(nadia, first.payment(), "state", Done)
		b.has(nadia.account, "MAD", 3000, 0)

		_, err = b.Propose(t.Context(), romeo, Proposal{Kind: Refund, Of: in, Amount: 3001, Why: "more than came in"})
		b.is(err, exceeds(0))
		second := b.propose(romeo, Proposal{Kind: Refund, Of: in})
		if second.Amount != 3000 {
			t.Fatalf("what is left: %+v", second)
		}
		if _, err := b.Approve(t.Context(), juliet, second.ID); err != nil {
			t.Fatal(err)
		}
		b.railed(RailChange{ID: second.payment(), State: Refused}, ledger.Operation{ID: second.payment() + ":1v", Kind: ledger.Void, Of: second.payment()})
		b.says(nadia, second.payment(), "state", Refused, "why", "rail")
		b.says(nadia, in, "refunded", "2000")
		b.railed(RailChange{ID: second.payment(), State: Done, Moved: 3000}) // it had rejected it
		b.says(nadia, in, "refunded", "5000")
		b.railed(RailChange{ID: second.payment(), State: Done, Moved: 3000, Returned: 3000}) // the card does not exist any more
		b.says(nadia, in, "refunded", "2000")
		b.railed(RailChange{ID: in, State: Done, Moved: 5000, Returned: 1000}) // a chargeback besides
		b.says(nadia, in, "refunded", "3000")

		authority, err := CheckAuthority(t.Context(), b.ledger)
		if err != nil || authority.Others != 0 || authority.Office != 3 { // two were held, one of them was captured
			t.Errorf("%+v %v", authority, err)
		}
	})
}

// TestARefusedCashInIsThere for its owner, and for nobody else.
func TestARefusedCashInIsThere(t *testing.T) {
	withRail(t, func(b *bank, karim, nadia *device) {
		id := fresh()
		if _, err := b.ask(nadia.account, true, element("cashin", "id", id, "rail", "momo", "amount", "5000", "unit", "MAD", "address", "+212600000000")); err != nil {
			t.Fatal(err)
		}
		b.railed(RailChange{ID: id, State: Refused})
		b.says(nadia, id, "state", Refused, "why", "rail")
		if _, err := b.ask(karim.account, false, element("lookup", "id", id)); err == nil {
			t.Error("others see it")
		}
	})
}

// TestWhatIsProposedIsNotProposedTwice: what waits for a second administrator is not left, until it is declined or too old to be approved.
func TestWhatIsProposedIsNotProposedTwice(t *testing.T) {
	withRail(t, func(b *bank, _, nadia *device) {
		in := b.broughtIn(nadia)
		refused := func(amount, left int64) {
			t.Helper()
			_, err := b.Propose(t.Context(), juliet, Proposal{Kind: Refund, Of: in, Amount: amount, Why: "once more"})
			b.is(err, exceeds(left))
		}
		first := b.propose(romeo, Proposal{Kind: Refund, Of: in, Amount: 3000})
		refused(2001, 2000)
		if rest := b.propose(juliet, Proposal{Kind: Refund, Of: in}); rest.Amount != 2000 {
			t.Errorf("the rest is %+v", rest)
		}
		refused(0, 0)
		if _, err := b.Decline(t.Context(), juliet, first.ID); err != nil {
			t.Fatal(err)
		}
		refused(3001, 3000)
		b.Service.now = func() time.Time { return time.Now().Add(proposalLife + time.Minute) } // nobody can approve them any more
		if all := b.propose(romeo, Proposal{Kind: Refund, Of: in}); all.Amount != 5000 {
			t.Errorf("all of it is %+v", all)
		}
	})
}

func TestWhatDoesNotGoBack(t *testing.T) {
	withRail(t, func(b *bank, karim, nadia *device) {
		in := b.broughtIn(nadia)
		waits := fresh()
		if _, err := b.ask(nadia.account, true, element("cashin", "id", waits, "rail", "momo", "amount", "5000", "unit", "MAD", "address", "+212600000000")); err != nil {
			t.Fatal(err)
		}
		for what, p := range map[string]Proposal{
			"what waits":         {Kind: Refund, Of: waits, Why: "x"},
			"what is not there":  {Kind: Refund, Of: fresh(), Why: "x"},
			"another unit":       {Kind: Refund, Of: in, Unit: "EUR", Amount: 1, Why: "x"},
			"less than nothing":  {Kind: Refund, Of: in, Amount: -1, Why: "x"},
			"without any reason": {Kind: Refund, Of: in},
		} {
			if _, err := b.Propose(t.Context(), romeo, p); err == nil {
				t.Errorf("%s was proposed", what)
			}
		}
		if _, err := nadia.pay(nadia.intent("send", "karim@example", 4000)); err != nil {
			t.Fatal(err)
		}
		late := b.propose(romeo, Proposal{Kind: Refund, Of: in})
		if _, err := b.Approve(t.Context(), juliet, late.ID); err == nil {
			t.Error("what was spent went back")
		}
		kept, err := b.Proposals(t.Context(), false, 0, 1)
		if err != nil || kept[0].State != ProposalRefused {
			t.Errorf("%+v %v", kept, err)
		}
		b.has(nadia.account, "MAD", 1000, 0)
		b.says(nadia, in, "state", Done)
		if _, err := b.ask(nadia.account, true, element("cashrefund", "of", in)); err == nil {
			t.Error("its owner has asked for it, which there is no way to")
		}
	})
}

// TestWhatDidNotGoBackIsSaidToBeWhereItIs: in the wallet, or with the operator where the wallet never had it.
func TestWhatDidNotGoBackIsSaidToBeWhereItIs(t *testing.T) {
	withRail(t, func(b *bank, _, nadia *device) {
		kept := "rail/momo/MAD/unclaimed"
		if _, err := b.ledger.Post(t.Context(), nil, ledger.Operation{ID: "open:unclaimed", Kind: ledger.Opening, From: kept, Unit: "MAD"}); err != nil {
			t.Fatal(err)
		}
		for account, want := range map[string]string{WalletAccount("MAD", nadia.account): "50.00\u00a0MAD did not go back (momo): it is in your wallet.", kept: "50.00\u00a0MAD did not go back (momo): the operator still has it."} {
			back := b.propose(romeo, Proposal{Kind: Refund, Of: b.broughtTo(nadia, account)})
			if _, err := b.Approve(t.Context(), juliet, back.ID); err != nil {
				t.Fatal(err)
			}
			b.railed(RailChange{ID: back.payment(), State: Refused}, ledger.Operation{ID: back.payment() + ":1v", Kind: ledger.Void, Of: back.payment()})
			b.told(nadia.account)
			last := ""
			b.net.mu.Lock()
			for _, st := range b.net.sent {
				if st.To == nadia.account {
					last, _, _ = strings.Cut(st.Body(), " https:")
				}
			}
			b.net.mu.Unlock()
			if last != want {
				t.Errorf("she was told %q, not %q", last, want)
			}
		}
	})
}
