package pay

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
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
