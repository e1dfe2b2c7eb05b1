package pay

import (
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

func (b *bank) freeze(account xmpp.JID) {
	b.Helper()
	if w, err := b.ask(account, true, element("freeze")); err != nil || w.Attr("frozen") == "" {
		b.Fatalf("%v (%v)", w, err)
	}
}

// TestAThiefsKeyDoesNotOpenAFrozenWallet has a stolen session add a key; its owner is told and freezes.
func TestAThiefsKeyDoesNotOpenAFrozenWallet(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		thief := b.newDevice("karim")
		b.freeze(karim.account)
		second := b.newDevice("karim") // added when it is frozen already
		b.later(b.cfg.NewDevice * 2)
		for _, d := range []*device{thief, second} {
			for kind, about := range map[intent.OrderKind]string{intent.Unfreeze: "", intent.DropKey: karim.id, intent.AddKey: second.id, intent.SetLimits: "MAD transaction=1 day=1"} {
				b.refused(d.order(kind, about), "frozen")
			}
		}
		karim.right()
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		_, err := thief.pay(thief.intent(intent.Send, "nadia@example", 1)) // its time begins anew
		b.refused(err, "not-ready")
		b.later(b.cfg.NewDevice / 2)
		b.freeze(karim.account)
		b.refused(thief.order(intent.Unfreeze, ""), "not-ready")
		karim.right()
		if err := karim.order(intent.AddKey, second.id); err != nil { // a key that works allows another
			t.Fatal(err)
		}
		second.right()
		if err := second.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 1)
		second.send("nadia@example", 1)
		b.later(b.cfg.NewDevice)
		thief.send("nadia@example", 1) // nobody has dropped it
	})
}

// TestAThiefsKeyTakesNothingForAFrozenWallet: neither what is held for its owner, nor what a mandate allows them; and it ends nothing.
func TestAThiefsKeyTakesNothingForAFrozenWallet(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		until := func(i *intent.Intent) { i.Until = b.now().Add(10 * day).UTC().Truncate(time.Second) }
		hold := karim.intent(intent.Hold, "nadia@example", 30_000, until)
		mandate := karim.intent(intent.Mandate, "nadia@example", 10_000, until, func(i *intent.Intent) { i.Total, i.Period = 10_000, "day" })
		for _, i := range []*intent.Intent{hold, mandate} {
			if _, err := karim.pay(i); err != nil {
				t.Fatal(err)
			}
		}
		b.later(2 * day)
		thief := b.newDevice("nadia")
		b.freeze(nadia.account)
		b.later(2 * day)
		take := func(by *device, kind intent.Kind, of *intent.Intent) error {
			_, err := by.pay(by.intent(kind, "nadia@example", of.Amount, func(i *intent.Intent) {
				i.Payer, i.Of = "karim@example", of.ID
				if kind == intent.Void {
					i.Amount, i.Unit = 0, ""
				}
			}))
			return err
		}
		b.refused(take(thief, intent.Void, hold), "frozen")
		for _, of := range []*intent.Intent{hold, mandate} {
			b.refused(take(thief, intent.Capture, of), "frozen")
		}
		b.has(nadia.account, "MAD", 0, 0)
		nadia.right()
		for _, of := range []*intent.Intent{hold, mandate} {
			if err := take(nadia, intent.Capture, of); err != nil { // a key that worked before
				t.Error(err)
			}
		}
		b.has(nadia.account, "MAD", 40_000, 0)
	})
}

// TestOnlyTheOperatorOpensAWalletWithoutAnOlderKey lets a wallet go on whose only keys are new ones, once two have said which of them stay.
func TestOnlyTheOperatorOpensAWalletWithoutAnOlderKey(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.freeze(karim.account)
		shut := func(want bool) {
			t.Helper()
			if p, err := b.Purse(t.Context(), karim.account); err != nil || p.Shut != want {
				t.Errorf("the operator sees %+v, %v", p, err)
			}
		}
		if err := b.Stop(t.Context(), romeo, karim.account, false, "asked by phone"); err != nil {
			t.Fatal(err)
		}
		shut(false) // karim opens it
		tablet := b.newDevice("karim")
		b.refused(tablet.order(intent.Unfreeze, ""), "not-ready") // karim's own key opens it
		if err := karim.order(intent.DropKey, karim.id); err != nil {
			t.Fatal(err)
		}
		b.later(b.cfg.NewDevice)
		shut(true)
		if err := tablet.order(intent.Unfreeze, ""); !errors.Is(err, xmpp.PolicyViolation) {
			t.Fatalf("opened by a key that was added since: %v", err)
		}
		if err := b.Stop(t.Context(), romeo, karim.account, false, "passport seen"); !errors.Is(err, xmpp.NotAllowed) {
			t.Fatalf("one opens it for whoever has added a key: %v", err)
		}
		shut(true)
		for _, stop := range []bool{true, false} { // what ends a stop leaves it as it was
			if err := b.Stop(t.Context(), romeo, karim.account, stop, "a court"); err != nil {
				t.Fatal(err)
			}
		}
		shut(true)
		thief := b.newDevice("karim")
		b.stay(karim.account, tablet.id)
		shut(false)
		b.refused(thief.unlock(pin), "no-key")
		_, err := tablet.pay(tablet.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "not-ready")
		b.later(b.cfg.NewDevice)
		tablet.send("nadia@example", 1)
	})
}
