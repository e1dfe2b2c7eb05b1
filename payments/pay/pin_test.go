package pay

import (
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
)

// guessAway gives wrong PINs until the key is locked.
func (d *device) guessAway() {
	d.Helper()
	for range 2 {
		for range wrongWaits {
			_ = d.unlock("guess")
		}
		d.later(pinPause)
	}
	if k, err := d.keyOf(d.Context(), d.account, d.id); err != nil || !k.locked(d.now()) {
		d.Fatalf("it is not locked: %+v (%v)", k, err)
	}
}

// TestAStolenSessionTakesNoKeyFromItsOwner: who has it adds a key, gives wrong PINs for that of its owner, and wins nothing by either, however long they wait.
func TestAStolenSessionTakesNoKeyFromItsOwner(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.later(2 * day)
		thief := b.newDevice("karim")
		karim.guessAway()
		second := b.newDevice("karim") // which its owner makes, who cannot use the first one
		b.later(30 * day)
		for _, d := range []*device{thief, second} {
			_ = d.unlock(pin)
			_, err := d.pay(d.intent(intent.Send, "nadia@example", 60_000))
			b.refused(err, "frozen")
			b.refused(d.order(intent.DropKey, karim.id), "frozen")
			b.refused(d.order(intent.Unfreeze, ""), "frozen")
		}
		karim.right() // the session that was stolen has ended
		if err := karim.order(intent.DropKey, thief.id); err != nil {
			t.Fatal(err)
		}
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 60_000)
		b.later(30 * day)
		b.refused(thief.unlock(pin), "no-key")
		second.send("nadia@example", 1)
	})
}

// TestTheOperatorHelpsAgainstAStolenSession, which locks the key of its owner again and again: two say which keys stay.
func TestTheOperatorHelpsAgainstAStolenSession(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		thief := b.newDevice("karim")
		karim.guessAway()
		for _, time := range []time.Duration{lockFirst, 2 * lockFirst} { // whenever it is over
			b.later(time)
			b.refused(karim.unlock("guess"), "wait")
		}
		if p, err := b.Purse(t.Context(), karim.account); err != nil || !p.Shut {
			t.Errorf("the operator sees %+v (%v)", p, err)
		}
		all, err := b.Keys(t.Context(), karim.account)
		at := slices.IndexFunc(all, func(k WalletKey) bool { return k.ID == karim.id })
		if err != nil || len(all) != 2 || all[at].Wrong != 12 || all[at].Locked.Before(b.now()) || all[0].Opens || all[1].Opens {
			t.Errorf("%+v (%v)", all, err)
		}
		b.stay(karim.account, karim.id)
		if all, err = b.Keys(t.Context(), karim.account); err != nil || len(all) != 1 || !all[0].Opens {
			t.Errorf("%+v (%v)", all, err)
		}
		b.refused(thief.unlock(pin), "no-key")
		karim.right()
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "frozen") // whoever knows the PIN opens it
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 1)
	})
}

// TestWrongPINsOfAYear tries one whenever one may be tried.
func TestWrongPINsOfAYear(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		begun, tried := b.now(), 0
		for b.now().Sub(begun) < 365*day {
			k, err := b.keyOf(t.Context(), karim.account, karim.id)
			if err != nil {
				t.Fatal(err)
			}
			if wait := time.UnixMicro(k.waits).Sub(b.now()); wait > 0 {
				b.later(wait)
				continue
			}
			if err := karim.unlock("guess"); conditionOf(err) != "wrong-pin" && conditionOf(err) != "wait" {
				t.Fatal(err)
			}
			tried++
		}
		if tried != 25 {
			t.Errorf("%d were tried", tried)
		}
	})
}

// TestWrongPINsBetweenRightOnes: its owner uses the key, and somebody tries four whenever they have.
func TestWrongPINsBetweenRightOnes(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.cfg.Rates = unhurried().Rates
		tried := 0
		try := func() bool {
			err := karim.unlock("guess")
			if tried++; conditionOf(err) == "wait" {
				return false
			}
			b.refused(err, "wrong-pin")
			return true
		}
		for n := 0; try(); n++ {
			if n%4 == 3 {
				karim.right()
			}
		}
		if tried != wrongAtOnce+1 {
			t.Errorf("%d were tried at once", tried)
		}
		b.refused(karim.unlock(pin), "wait")
		b.later(wrongEvery)
		karim.right()
		karim.send("nadia@example", 1) // the wallet is not frozen because of that
		if try() {
			t.Error("more than one is tried in the time for one")
		}
	})
}
