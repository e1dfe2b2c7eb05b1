package pay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

const threat = "you will be sorry"

// readsNothing fails if somebody was told some words, or has them in the history.
func (d *device) readsNothing(words string) {
	d.Helper()
	found, err := d.ask(d.account, false, element("history"))
	if err != nil {
		d.Fatal(err)
	}
	if strings.Contains(found.String(), words) {
		d.Errorf("%s has in the history %s", d.account, found)
	}
	d.net.mu.Lock()
	defer d.net.mu.Unlock()
	for _, st := range d.net.sent {
		if st.To == d.account && strings.Contains(string(st.AppendAlone(nil)), words) {
			d.Errorf("%s was told %s", d.account, st.Body())
		}
	}
}

// TestADebtToWhoBlocks is paid without a word.
func TestADebtToWhoBlocks(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		_, err := b.ask(nadia.account, true, element("split", "id", fresh(), "group", "friends@groups.example", "total", "500", "unit", "MAD", "for", "dinner").Add(
			element("share", "jid", "karim@example", "amount", "500")))
		if err != nil {
			t.Fatal(err)
		}
		debts, err := b.ask(karim.account, false, element("debts", "group", "friends@groups.example", "unit", "MAD"))
		if err != nil {
			t.Fatal(err)
		}
		of := debts.First().Attr("id")
		shut()
		pay := func(amount int64, words string) error {
			_, err := karim.pay(karim.intent(intent.Send, "nadia@example", amount, func(i *intent.Intent) { i.Of, i.For = of, words }))
			return err
		}
		b.refused(pay(1, threat), "no-payee")
		b.refused(pay(1, "dinner"), "no-payee") // it is no single request
		b.told(nadia.account)
		nadia.readsNothing(threat)
		if err := pay(500, ""); err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 500, 0)
	})
}

// TestWhatIsTakenFromWhoBlocks is taken, or let go, without a word but those that it was given with.
func TestWhatIsTakenFromWhoBlocks(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		b.fund(nadia.account, "MAD", 10_000)
		give := func(from *device, kind intent.Kind, payee, words string) string {
			i := from.intent(kind, payee, 1000, func(i *intent.Intent) {
				if i.For, i.Until = words, b.now().Add(time.Hour).UTC().Truncate(time.Second); kind == intent.Mandate {
					i.Total, i.Period = 5000, "day"
				}
			})
			if _, err := from.pay(i); err != nil {
				t.Fatal(err)
			}
			return i.ID
		}
		first, second := give(nadia, intent.Hold, "karim@example", "a lamp"), give(nadia, intent.Hold, "karim@example", "a chair")
		milk, bread := give(nadia, intent.Mandate, "karim@example", "milk"), give(karim, intent.Mandate, "nadia@example", "bread")
		shut()
		end := func(kind intent.Kind, of, words string) error {
			_, err := karim.pay(karim.intent(kind, "karim@example", 1000, func(i *intent.Intent) {
				if i.Payer, i.Of, i.For = "nadia@example", of, words; kind == intent.Void {
					i.Amount, i.Unit = 0, ""
				}
			}))
			return err
		}
		revoke := func(words string) error {
			_, err := karim.pay(karim.intent(intent.Revoke, "nadia@example", 0, func(i *intent.Intent) { i.Unit, i.Of, i.For = "", bread, words }))
			return err
		}
		for _, err := range []error{end(intent.Capture, first, threat), end(intent.Void, second, threat), end(intent.Capture, milk, threat), end(intent.Capture, first, "a chair"), revoke(threat)} {
			b.refused(err, "no-payee")
		}
		b.refused(end(intent.Capture, fresh(), threat), "no-mandate")
		b.told(nadia.account)
		nadia.readsNothing(threat)
		if err := errors.Join(end(intent.Capture, first, "a lamp"), end(intent.Void, second, ""), end(intent.Capture, milk, ""), end(intent.Capture, milk, "milk"), revoke("")); err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 7000, 0)
	})
}

// TestWhoBlocksNobodyIsToldWhatItIs: words of a shop are read by who has not shut it out.
func TestWhoBlocksNobodyIsToldWhatItIs(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, _ func()) {
		b.fund(nadia.account, "MAD", 1000)
		hold := nadia.intent(intent.Hold, "karim@example", 1000, func(i *intent.Intent) { i.Until = i.Expires })
		if _, err := nadia.pay(hold); err != nil {
			t.Fatal(err)
		}
		taken := karim.intent(intent.Capture, "karim@example", 900, func(i *intent.Intent) { i.Payer, i.Of, i.For = "nadia@example", hold.ID, "two nights" })
		if _, err := karim.pay(taken); err != nil {
			t.Fatal(err)
		}
		b.says(nadia, taken.ID, "for", "two nights", "state", Done)
	})
}

// TestARefusedCaptureIsWhoseKeySignedIt: nobody writes into the history of somebody by asking for what they never get.
func TestARefusedCaptureIsWhoseKeySignedIt(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := karim.intent(intent.Capture, "karim@example", 1, func(i *intent.Intent) { i.Payer, i.Of, i.For = "nadia@example", fresh(), threat })
		_, err := karim.pay(i)
		b.refused(err, "no-mandate")
		nadia.readsNothing(threat)
		if _, err := b.ask(nadia.account, false, element("lookup", "id", i.ID)); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("she looks it up: %v", err)
		}
		b.says(karim, i.ID, "state", Refused, "why", "no-mandate")
		if found, err := b.ask(karim.account, false, element("history", "state", Refused)); err != nil || found.First() == nil {
			t.Errorf("his history: %v (%v)", found, err)
		}
	})
}

// TestAskedAgainIsAnswered also when whom it was asked blocks who asks since, or is there no more: the first answer may not have come.
func TestAskedAgainIsAnswered(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		asks := []func(id, payer string) *xmpp.Element{
			func(id, payer string) *xmpp.Element {
				return element("request", "id", id, "payer", payer, "amount", "500", "unit", "MAD")
			},
			func(id, payer string) *xmpp.Element {
				return element("request", "id", id, "payer", payer, "amount", "500", "unit", "MAD", "every", "day", "times", "3")
			},
			func(id, payer string) *xmpp.Element {
				return element("split", "id", id, "group", "friends@groups.example", "total", "500", "unit", "MAD").Add(element("share", "jid", payer, "amount", "500"))
			},
		}
		var made []*xmpp.Element
		for _, ask := range asks {
			made = append(made, ask(fresh(), "nadia@example"))
			if _, err := b.ask(karim.account, true, made[len(made)-1]); err != nil {
				t.Fatal(err)
			}
		}
		again := func(when string) {
			for i, one := range made {
				if e, err := b.ask(karim.account, true, one); err != nil || e.Attr("id") != one.Attr("id") {
					t.Errorf("%s, %s again: %v (%v)", when, one.Local, e, err)
				}
				_, err := b.ask(karim.account, true, asks[i](one.Attr("id"), "salma@example"))
				b.refused(err, "id-taken")
				_, err = b.ask(karim.account, true, asks[i](fresh(), "nadia@example"))
				b.refused(err, "no-payee")
			}
		}
		shut()
		again("blocked")
		if err := b.db.Tx(t.Context(), func(ctx context.Context) error { return b.Leave(ctx, nadia.account) }); err != nil {
			t.Fatal(err)
		}
		again("removed")
	})
}
