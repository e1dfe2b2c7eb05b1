package pay

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// TestManySmallPaymentsAreALargeOne: each is below the amount from which the PIN is asked for anew (500.00), and together they are not.
func TestManySmallPaymentsAreALargeOne(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.later(stepUpLife + time.Second)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 9_999)); err != nil {
					b.refused(err, "step-up")
				}
			})
		}
		all.Wait()
		b.has(nadia.account, "MAD", 5*9_999, 0)
		b.later(time.Hour) // it is no matter of time
		karim.send("nadia@example", 1)
		for kind, payee := range map[intent.Kind]string{intent.Send: "nadia@example", intent.Reserve: "karim@example", intent.Hold: "nadia@example"} {
			_, err := karim.pay(karim.intent(kind, payee, 5_000, func(i *intent.Intent) {
				if kind == intent.Hold {
					i.Until = i.Expires
				}
			}))
			b.refused(err, "step-up")
		}
		karim.send("nadia@example", 1)
		if q, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", "4", "unit", "MAD")); err != nil || q.Attr("stepup") != "true" {
			t.Errorf("%v (%v)", q, err)
		}
		b.fund(karim.account, "EUR", 100_000)
		if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 60_000, func(i *intent.Intent) { i.Unit = "EUR" })); err != nil {
			t.Errorf("another unit: %v", err)
		}
		b.refused(karim.unlock("guess"), "wrong-pin")
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 5_000))
		b.refused(err, "step-up")
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 30_000) // counts for what comes after
		b.later(stepUpLife + time.Second)
		karim.send("nadia@example", 19_990)
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", 10))
		b.refused(err, "step-up")
	})
}

// TestMandatesAndPaymentsAtOnceAreOneSum: those that move money are kept by the ledger and the others are not, and neither gets past the other.
func TestMandatesAndPaymentsAtOnceAreOneSum(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.later(stepUpLife + time.Second)
		var all sync.WaitGroup
		var done atomic.Int64
		for n := range 16 {
			all.Go(func() {
				i := karim.intent(intent.Send, "nadia@example", 9_000)
				if n%2 == 0 {
					i = karim.intent(intent.Mandate, "nadia@example", 1, func(i *intent.Intent) { i.Total, i.Period, i.Until = 9_000, "day", i.Expires })
				}
				if _, err := karim.pay(i); err != nil {
					b.refused(err, "step-up")
					return
				}
				done.Add(1)
			})
		}
		all.Wait()
		if done.Load() != 5 {
			t.Errorf("%d of 90.00 were done below 500.00", done.Load())
		}
	})
}

// TestAMandateIsAsLargeAsItsTotal: one that allows a little each time, and much in a day, is a large one.
func TestAMandateIsAsLargeAsItsTotal(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.later(stepUpLife + time.Second)
		give := func(total int64) error {
			_, err := karim.pay(karim.intent(intent.Mandate, "nadia@example", 1, func(i *intent.Intent) { i.Total, i.Period, i.Until = total, "day", i.Expires.Add(24*time.Hour) }))
			return err
		}
		b.refused(give(50_000), "step-up")
		for range 2 {
			if err := give(24_000); err != nil {
				t.Fatal(err)
			}
		}
		b.refused(give(2_000), "step-up")
	})
}

// TestAPasskeyNeedsNoStep: it verifies its user each time, and its payments do not count for a key with a PIN.
func TestAPasskeyNeedsNoStep(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		lock := b.stranger("karim")
		if _, err := b.ask(karim.account, true, lock.keyElement(passkey)); err != nil {
			t.Fatal(err)
		}
		if err := karim.order(intent.AddKey, lock.id); err != nil {
			t.Fatal(err)
		}
		b.later(stepUpLife + time.Second)
		for range 3 {
			if _, err := b.ask(karim.account, true, lock.passkeyPay(lock.intent(intent.Send, "nadia@example", 20_000), 5)); err != nil {
				t.Fatal(err)
			}
		}
		karim.send("nadia@example", 20_000)
		b.has(nadia.account, "MAD", 80_000, 0)
	})
}

// TestAKeyIsNoWayAroundAStep: whoever can make a key sign that was opened a while ago, at a device that nobody watches, gets nothing larger by what it orders.
func TestAKeyIsNoWayAroundAStep(t *testing.T) {
	pocket(t, func(b *bank, karim, _, offline *device) {
		if err := karim.order(intent.SetLimits, "MAD transaction=500 day=800"); err != nil {
			t.Fatal(err)
		}
		thief := b.newDevice("karim") // who has a key of their own, and its PIN
		b.later(stepUpLife + time.Second)
		raises := []struct {
			kind  intent.OrderKind
			about string
		}{{intent.AddKey, thief.id}, {intent.AllowOffline, offline.id + " MAD 20000"}, {intent.AllowOffline, offline.id + " MAD 1"}, {intent.Unfreeze, ""}, {intent.SetLimits, "MAD transaction=501 day=800"},
			{intent.SetLimits, "MAD transaction=500 day=801"}, {intent.SetLimits, "MAD transaction=0 day=800"}, {intent.SetLimits, "EUR transaction=0 day=0"}}
		for _, one := range raises[:len(raises)-1] {
			b.refused(karim.order(one.kind, one.about), "step-up")
		}
		if _, err := b.ask(karim.account, true, thief.allowedBy(karim)); err != nil { // it is there already, and waits as it did
			t.Fatal(err)
		}
		_, err := b.ask(karim.account, true, b.stranger("karim").allowedBy(karim))
		b.refused(err, "step-up")
		_, err = thief.pay(thief.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "not-ready")
		for _, lower := range []string{"MAD transaction=400 day=700", "MAD transaction=400 day=700", "EUR transaction=5 day=5"} {
			if err := karim.order(intent.SetLimits, lower); err != nil {
				t.Errorf("%s: %v", lower, err)
			}
		}
		karim.right()
		for _, one := range raises {
			if err := karim.order(one.kind, one.about); err != nil {
				t.Errorf("%s %s: %v", one.kind, one.about, err)
			}
		}
		b.later(stepUpLife + time.Second)
		if err := karim.order(intent.DropKey, thief.id); err != nil { // which takes something away, and that has no time
			t.Error(err)
		}
	})
}

// allowedBy is what adds a device's key with the order of another one.
func (d *device) allowedBy(other *device) *xmpp.Element {
	e := d.keyElement(pinKey)
	for c := range other.orderElement("order", intent.AddKey, d.id).Children() {
		e.Add(c)
	}
	return e
}

// TestANewKeyHasShownNoPIN: that it was made a moment ago says nothing of who signs with it.
func TestANewKeyHasShownNoPIN(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		tablet := b.stranger("karim")
		if _, err := b.ask(karim.account, true, tablet.allowedBy(karim)); err != nil {
			t.Fatal(err)
		}
		_, err := tablet.pay(tablet.intent(intent.Send, "nadia@example", 60_000))
		b.refused(err, "step-up")
		tablet.right()
		tablet.send("nadia@example", 60_000)
	})
}

// TestARefundWeighsAsAPaymentDoes.
func TestARefundWeighsAsAPaymentDoes(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		paid := karim.send("nadia@example", 60_000)
		b.later(stepUpLife + time.Second)
		back := func(amount int64) error {
			_, err := nadia.pay(nadia.intent(intent.Refund, "karim@example", amount, func(i *intent.Intent) { i.Of = paid.ID }))
			return err
		}
		b.refused(back(50_000), "step-up")
		for range 2 {
			if err := back(20_000); err != nil {
				t.Fatal(err)
			}
		}
		b.refused(back(10_000), "step-up")
		nadia.right()
		if err := back(20_000); err != nil {
			t.Fatal(err)
		}
		b.has(karim.account, "MAD", 100_000, 0)
	})
}
