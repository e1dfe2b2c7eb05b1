package pay

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// two is Karim with 1,000.00 MAD and Nadia with none, on both databases.
func two(t *testing.T, run func(b *bank, karim, nadia *device)) {
	each(t, func(b *bank) {
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 100_000)
		run(b, karim, nadia)
		b.even()
	})
}

func TestAReplayedIntentIsTheSamePayment(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		asked := karim.sign(karim.intent(intent.Send, "nadia@example", 1000))
		answers := make([]string, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				answer, err := b.ask(karim.account, true, asked)
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = answer.String()
			})
		}
		all.Wait()
		for _, answer := range answers {
			if answer == "" || answer != answers[0] {
				t.Errorf("%q is another answer than %q", answer, answers[0])
			}
		}
		b.has(nadia.account, "MAD", 1000, 0)
	})
}

func TestAnAlteredIntentIsRefused(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.For = "rice" })
		text, _ := i.Text()
		for was, is := range map[string]string{"amount=1000": "amount=9000", "payee=nadia@example": "payee=thief@example", "unit=MAD": "unit=EUR", "for=rice": "for=gold", "kind=send": "kind=offline", "fee=0": "fee=1"} {
			asked := karim.sign(i)
			asked.Nodes[0].Element.Nodes[0].Text = strings.Replace(text, was, is, 1)
			_, err := b.ask(karim.account, true, asked)
			b.refused(err, "bad-signature")
		}
		b.has(karim.account, "MAD", 100_000, 0)
		if _, err := karim.pay(i); err != nil { // what was forged under its id has not used it up
			t.Error(err)
		}
	})
}

func TestNobodySpendsForAnother(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := nadia.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.Payer, i.Payee = "karim@example", "nadia@example" })
		_, err := nadia.pay(i) // from her own account
		b.refused(err, "bad-signature")
		_, err = b.ask(karim.account, true, nadia.sign(i)) // in a session that she has stolen
		b.refused(err, "no-key")
		i.Key = karim.id // as if Karim's device had signed it
		_, err = b.ask(karim.account, true, nadia.sign(i))
		b.refused(err, "bad-signature")
		second := b.stranger("karim") // a device of his whose key was never added
		_, err = second.pay(second.intent(intent.Send, "nadia@example", 1000))
		b.refused(err, "no-key")
		signed := karim.sign(karim.intent(intent.Send, "nadia@example", 1000)) // from a spoofed address
		for _, from := range []string{"nadia@example", "thief@example"} {
			_, err = b.ask(xmpp.MustJID(from), true, signed)
			b.refused(err, "bad-signature")
		}
		for _, from := range []string{"karim@example.net", "example", "pay.example"} {
			if _, err := b.HandleIQ(t.Context(), xmpp.MustJID(from), true, signed); !errors.Is(err, xmpp.Forbidden) {
				t.Errorf("from %s: %v", from, err)
			}
		}
		b.has(karim.account, "MAD", 100_000, 0)
	})
}

func TestTwoSpendsOfOneBalance(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.fund(nadia.account, "EUR", 500)
		var all sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 16 {
			all.Go(func() {
				_, err := nadia.pay(nadia.intent(intent.Send, "karim@example", 500, func(i *intent.Intent) { i.Unit = "EUR" }))
				if err != nil {
					b.refused(err, "insufficient")
					return
				}
				mu.Lock()
				done++
				mu.Unlock()
			})
		}
		all.Wait()
		if done != 1 {
			t.Errorf("%d payments of one balance", done)
		}
		b.has(karim.account, "EUR", 500, 0)
		b.has(nadia.account, "EUR", 0, 0)
	})
}

func TestAmountsThatAreNone(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		text, _ := karim.intent(intent.Send, "nadia@example", 1000).Text()
		for _, amount := range []string{"0", "-1", "-9223372036854775808", "9007199254740993", "9223372036854775807", "18446744073709551617", "1.5", "1e3", "", "0x10", "٥"} {
			_, err := b.ask(karim.account, true, karim.signText(karim.id, strings.Replace(text, "amount=1000", "amount="+amount, 1)))
			b.refused(err, "bad-text")
		}
		eur := func(i *intent.Intent) { i.Unit = "EUR" }
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", intent.MaxAmount, eur))
		b.refused(err, "insufficient")
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", intent.MaxAmount, eur, func(i *intent.Intent) { i.Fee = intent.MaxAmount }))
		b.refused(err, "fee-changed")
		for range 3 { // what three wallets can hold and one number cannot
			b.fund(karim.account, "EUR", intent.MaxAmount)
		}
		for range 3 {
			if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", intent.MaxAmount, eur)); err != nil {
				t.Fatal(err)
			}
		}
		b.has(karim.account, "EUR", 0, 0)
	})
}

func TestUnitsThatAreNotPaid(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		for unit, why := range map[string]string{"USD": "bad-text", "EUR": "insufficient", "XOF": "over-limit"} {
			_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.Unit = unit }))
			b.refused(err, why)
		}
	})
}

func TestPINsAreNotGuessed(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		for n := range 4 {
			b.refused(karim.unlock("guess"+digits(int64(n))), "wrong-pin")
		}
		b.refused(karim.unlock("guess"), "wait")
		b.refused(karim.unlock(pin), "wait") // also the right one
		b.later(pinPause - time.Second)
		b.refused(karim.unlock(pin), "wait")
		b.later(time.Second)
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		b.later(time.Hour)
		for range 4 {
			b.refused(karim.unlock("guess"), "wrong-pin")
		}
		b.refused(karim.unlock("guess"), "wait")
		b.later(pinPause)
		for range 4 {
			b.refused(karim.unlock("guess"), "wrong-pin")
		}
		b.refused(karim.unlock("guess"), "wait")
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "frozen")
		b.later(lockFirst - time.Second)
		b.refused(karim.unlock(pin), "wait")
		b.later(time.Second)
		karim.right()
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 1)
		found, err := b.Suspicions(t.Context(), b.now(), 10)
		if err != nil || len(found) != 1 || found[0].Kind != "pin-guessing" || found[0].Account != "karim@example" {
			t.Errorf("%+v (%v)", found, err)
		}
		b.refused(nadia.unlock("guess"), "wrong-pin")
	})
}

func TestPINsTriedAtOnceAreCounted(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if err := karim.unlock("guess"); err == nil {
					t.Error("a guess was right")
				}
			})
		}
		all.Wait()
		k, err := b.keyOf(t.Context(), karim.account, karim.id)
		if err != nil || k.wrong != wrongWaits {
			t.Errorf("%+v (%v): more were looked at than is allowed", k, err)
		}
	})
}

func TestAForgedReceiptIsFoundOut(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		answer, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000))
		if err != nil {
			t.Fatal(err)
		}
		text := answer.ChildText(NS, "text")
		signature, _ := b64.DecodeString(answer.ChildText(NS, "signature"))
		if _, err := intent.VerifyReceipt(b.Key(), strings.Replace(text, "amount=1000", "amount=100000", 1), signature); !errors.Is(err, intent.ErrSignature) {
			t.Errorf("another amount: %v", err)
		}
		_, other, _ := ed25519.GenerateKey(nil)
		if _, err := intent.VerifyReceipt(b.Key(), text, intent.SignReceipt(other, text)); !errors.Is(err, intent.ErrSignature) {
			t.Errorf("another key: %v", err)
		}
		about, err := b.ask(karim.account, false, element("about"))
		if err != nil || about.ChildText(NS, "key") != b64.EncodeToString(b.Key()) {
			t.Errorf("%v (%v)", about, err)
		}
	})
}

func TestSplittingDoesNotPassTheLimitOfADay(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.fund(karim.account, "MAD", 900_000)
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 100_001))
		b.refused(err, "over-limit")
		var all sync.WaitGroup
		for range 60 { // 60 times 49.99, at once, where 200.00 are allowed
			all.Go(func() {
				if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", 4_999)); err != nil {
					b.refused(err, "over-limit")
				}
			})
		}
		all.Wait()
		b.has(nadia.account, "MAD", 40*4_999, 0)
		w, err := b.ask(karim.account, false, element("wallet"))
		if err != nil || w.Child(NS, "limit").Attr("left") != digits(200_000-40*4_999) {
			t.Errorf("%v (%v)", w, err)
		}
		b.later(day)
		if err := karim.unlock(pin); err != nil {
			t.Fatal(err)
		}
		karim.send("nadia@example", 4_999)
	})
}

func TestTheFeeCountsForTheLimit(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		b.Use(&rails{})
		_, err := karim.pay(karim.intent(intent.Cashout, "rail:momo:+212600000000", 100_000, func(i *intent.Intent) { i.Fee = 1000 }))
		b.refused(err, "over-limit")
	})
}

func TestAnIntentExpires(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		i := karim.intent(intent.Send, "nadia@example", 1000)
		b.later(10 * time.Minute)
		_, err := karim.pay(i)
		b.refused(err, "expired")
		far := karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.Expires = i.Expires.Add(6 * time.Minute) })
		_, err = karim.pay(far)
		b.refused(err, "bad-text")
		b.has(karim.account, "MAD", 100_000, 0)
	})
}

func TestAnIDIsUsedOnce(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := karim.intent(intent.Send, "nadia@example", 1000)
		if _, err := karim.pay(i); err != nil {
			t.Fatal(err)
		}
		i.Amount = 2000
		_, err := karim.pay(i)
		b.refused(err, "id-taken")
		other := nadia.intent(intent.Send, "karim@example", 1, func(o *intent.Intent) { o.ID = i.ID })
		_, err = nadia.pay(other)
		b.refused(err, "id-taken")
		b.has(nadia.account, "MAD", 1000, 0)
	})
}

func TestWhatWasRefusedStaysRefused(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		i := nadia.intent(intent.Send, "karim@example", 500)
		asked := nadia.sign(i)
		_, err := b.ask(nadia.account, true, asked)
		b.refused(err, "insufficient")
		b.fund(nadia.account, "MAD", 1000)
		for _, again := range []*xmpp.Element{asked, nadia.sign(i)} { // as it was, and signed anew
			_, err = b.ask(nadia.account, true, again)
			b.refused(err, "insufficient")
		}
		found, err := b.ask(nadia.account, false, element("lookup", "id", i.ID))
		if err != nil || found.Attr("state") != Refused || found.Attr("why") != "insufficient" {
			t.Errorf("%v (%v)", found, err)
		}
		if _, err := b.ask(karim.account, false, element("lookup", "id", i.ID)); !errors.Is(err, xmpp.ItemNotFound) {
			t.Errorf("the payee sees what was refused: %v", err)
		}
		b.has(nadia.account, "MAD", 1000, 0)
	})
}

func TestPayeesThatAreNone(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		for _, payee := range []string{"nadia@example.net", "nadia@pay.example"} {
			_, err := karim.pay(karim.intent(intent.Send, payee, 1000))
			b.refused(err, "no-payee")
		}
		for _, payee := range []string{"Nadia@example", "nadia@example/phone", "example", "nadia@EXAMPLE", "@", "nаdia@example "} {
			_, err := karim.pay(karim.intent(intent.Send, payee, 1000))
			b.refused(err, "bad-text")
		}
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1000, func(i *intent.Intent) { i.Service = "pay.example.net" }))
		b.refused(err, "bad-text")
	})
}

func TestAMandateDoesNotPassTheLimitsOfItsPayer(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.fund(karim.account, "MAD", 900_000)
		m := karim.intent(intent.Mandate, "nadia@example", 500_000, func(i *intent.Intent) { i.Total, i.Period, i.Until = 900_000, "day", i.Expires.Add(24*time.Hour) })
		if _, err := karim.pay(m); err != nil {
			t.Fatal(err)
		}
		take := func(amount int64) error {
			_, err := nadia.pay(nadia.intent(intent.Capture, "nadia@example", amount, func(i *intent.Intent) { i.Payer, i.Of = "karim@example", m.ID }))
			return err
		}
		b.refused(take(100_001), "over-limit")
		for range 2 {
			if err := take(100_000); err != nil {
				t.Fatal(err)
			}
		}
		err := take(1)
		b.refused(err, "over-limit")
		if strings.Contains(err.(*xmpp.Error).Element().String(), "left") {
			t.Error("the payee is told what the payer may still spend")
		}
		_, err = karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "over-limit")
	})
}

func TestWhoeverWritesToTheBookIsFoundOut(t *testing.T) {
	each(t, func(b *bank) {
		karim := b.newDevice("karim")
		b.newDevice("nadia")
		b.fund(karim.account, "MAD", 100_000)
		i := karim.intent(intent.Send, "nadia@example", 1000)
		if _, err := karim.pay(i); err != nil {
			t.Fatal(err)
		}
		kept, _, err := b.ledger.Look(t.Context(), i.ID)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Signed != 1 || a.Others != 0 {
			t.Errorf("%+v (%v)", a, err)
		}
		altered := strings.Replace(string(kept.Data), "amount=1000", "amount=9000", 1)
		for id, data := range map[string]string{"no intent": "", "an intent that was used": string(kept.Data), "an altered one": altered, i.ID + ":fee": "", i.ID + ":1:fee": "", "of " + i.ID: string(kept.Data)} {
			o := ledger.Operation{ID: strings.ReplaceAll(id, " ", "-"), Kind: ledger.Transfer, From: WalletAccount("MAD", karim.account), To: WalletAccount("MAD", xmpp.MustJID("nadia@example")), Amount: 1000, Unit: "MAD", Data: []byte(data)}
			if _, err := b.ledger.Post(t.Context(), nil, o); err != nil {
				t.Fatal(err)
			}
		}
		undone := karim.sign(karim.intent(intent.Send, "nadia@example", 1000)) // signed, and never handed in
		stolen, err := intent.Parse(undone.ChildText(NS, "intent"))
		if err != nil {
			t.Fatal(err)
		}
		signature, err := b64.DecodeString(undone.ChildText(NS, "signature"))
		if err != nil {
			t.Fatal(err)
		}
		to := WalletAccount("MAD", xmpp.MustJID("thief@example"))
		evidence := intent.Evidence{Text: undone.ChildText(NS, "intent"), Public: karim.point(), Signature: signature}.Bytes()
		if _, err := b.ledger.Post(t.Context(), nil, ledger.Operation{ID: "open-thief", Kind: ledger.Opening, From: to, Unit: "MAD"},
			ledger.Operation{ID: stolen.ID, Kind: ledger.Transfer, From: WalletAccount("MAD", karim.account), To: to, Amount: 1000, Unit: "MAD", Data: evidence}); err != nil {
			t.Fatal(err)
		}
		if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Signed != 1 || a.Others != 7 || len(a.Unsigned) != 7 {
			t.Errorf("%d signed, %d not (%v)", a.Signed, a.Others, err)
		}
	})
}

// TestACashOutThatTookLongIsSigned: what a rail books later for it belongs to the intent beside the first hold; what goes to another account does not.
func TestACashOutThatTookLongIsSigned(t *testing.T) {
	each(t, func(b *bank) {
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 100_000)
		b.fund(nadia.account, "MAD", 1)
		i := karim.intent(intent.Cashout, "rail:try:+212600000001", 1000)
		asked := karim.sign(i)
		signature, err := b64.DecodeString(asked.ChildText(NS, "signature"))
		if err != nil {
			t.Fatal(err)
		}
		from, rail := WalletAccount("MAD", karim.account), "rail/try/MAD"
		until := b.now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		hold := ledger.Operation{ID: i.ID, Kind: ledger.Hold, From: from, To: rail, Amount: 1000, Unit: "MAD", Expires: until,
			Data: intent.Evidence{Text: asked.ChildText(NS, "intent"), Public: karim.point(), Signature: signature}.Bytes()}
		renewed := ledger.Operation{ID: i.ID + ":5h0", Kind: ledger.Hold, From: from, To: rail, Amount: 1000, Unit: "MAD", Expires: until}
		for _, o := range []ledger.Operation{{ID: "open-rail", Kind: ledger.Opening, From: rail, Unit: "MAD"}, hold, {ID: i.ID + ":5v0", Kind: ledger.Void, Of: i.ID}, renewed,
			{ID: i.ID + ":6as", Kind: ledger.Capture, Of: renewed.ID, Amount: 1000}, {ID: i.ID + ":7rs", Kind: ledger.Reversal, Of: i.ID + ":6as", Amount: 1000},
			{ID: i.ID + ":7ds", Kind: ledger.Transfer, From: from, To: rail, Amount: 1000, Unit: "MAD"}} {
			if _, err := b.ledger.Post(t.Context(), nil, o); err != nil {
				t.Fatal(o.ID, err)
			}
		}
		if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Others != 0 {
			t.Errorf("%d not signed, the first %+v (%v)", a.Others, a.Unsigned, err)
		}
		if _, err := b.ledger.Post(t.Context(), nil, ledger.Operation{ID: i.ID + ":8ds", Kind: ledger.Transfer, From: from, To: WalletAccount("MAD", nadia.account), Amount: 1000, Unit: "MAD"}); err != nil {
			t.Fatal(err)
		}
		if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Others != 1 {
			t.Errorf("%d not signed (%v)", a.Others, err)
		}
	})
}

// TestWhatOneIntentAllowsIsAddedUp: parts of a cash-out are each no more than it, and together are; what a network has given back may be taken again.
func TestWhatOneIntentAllowsIsAddedUp(t *testing.T) {
	each(t, func(b *bank) {
		karim := b.newDevice("karim")
		b.fund(karim.account, "MAD", 100_000)
		i := karim.intent(intent.Cashout, "rail:try:+212600000001", 1000, func(i *intent.Intent) { i.Fee = 110 })
		asked := karim.sign(i)
		signature, err := b64.DecodeString(asked.ChildText(NS, "signature"))
		if err != nil {
			t.Fatal(err)
		}
		from, rail, fees := WalletAccount("MAD", karim.account), "rail/try/MAD", FeesAccount("MAD")
		until := b.now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		evidence := intent.Evidence{Text: asked.ChildText(NS, "intent"), Public: karim.point(), Signature: signature}.Bytes()
		take := func(id, to string, amount int64) ledger.Operation {
			return ledger.Operation{ID: i.ID + id, Kind: ledger.Transfer, From: from, To: to, Amount: amount, Unit: "MAD"}
		}
		for _, step := range []struct {
			o      ledger.Operation
			others int64
		}{
			{ledger.Operation{ID: "open-rail", Kind: ledger.Opening, From: rail, Unit: "MAD"}, 0},
			{ledger.Operation{ID: i.ID, Kind: ledger.Hold, From: from, To: rail, Amount: 1000, Unit: "MAD", Expires: until, Data: evidence}, 0},
			{ledger.Operation{ID: i.ID + ":fee", Kind: ledger.Hold, From: from, To: fees, Amount: 110, Unit: "MAD", Expires: until}, 0},
			{ledger.Operation{ID: i.ID + ":1a", Kind: ledger.Capture, Of: i.ID, Amount: 600}, 0},
			{ledger.Operation{ID: i.ID + ":1af", Kind: ledger.Capture, Of: i.ID + ":fee", Amount: 110}, 0},
			{take(":2d", rail, 400), 0},
			{take(":3d", rail, 1), 1},
			{take(":3:fee", fees, 1), 2},
			{ledger.Operation{ID: i.ID + ":4r", Kind: ledger.Reversal, Of: i.ID + ":1a", Amount: 600}, 2},
			{take(":5s", rail, 600), 2},
			{take(":6s", rail, 1), 3},
		} {
			if _, err := b.ledger.Post(t.Context(), nil, step.o); err != nil {
				t.Fatal(step.o.ID, err)
			}
			if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Others != step.others {
				t.Fatalf("after %s: %d not signed, want %d (%v)", step.o.ID, a.Others, step.others, err)
			}
		}
	})
}

// TestAMandateIsNoDebit: who has the signed text of one cannot book it as a payment.
func TestAMandateIsNoDebit(t *testing.T) {
	each(t, func(b *bank) {
		karim := b.newDevice("karim")
		b.newDevice("nadia")
		b.fund(karim.account, "MAD", 1000)
		asked := karim.sign(karim.intent(intent.Mandate, "nadia@example", 1000, func(i *intent.Intent) { i.Total, i.Period, i.Until = 1000, "day", i.Expires.Add(time.Hour) }))
		signature, err := b64.DecodeString(asked.ChildText(NS, "signature"))
		if err != nil {
			t.Fatal(err)
		}
		given, err := intent.Parse(asked.ChildText(NS, "intent"))
		if err != nil {
			t.Fatal(err)
		}
		to := WalletAccount("MAD", xmpp.MustJID("nadia@example"))
		if err := b.open(t.Context(), "MAD", to); err != nil {
			t.Fatal(err)
		}
		_, err = b.ledger.Post(t.Context(), nil, ledger.Operation{ID: given.ID, Kind: ledger.Transfer, From: WalletAccount("MAD", karim.account), To: to, Amount: 1000, Unit: "MAD",
			Data: intent.Evidence{Text: asked.ChildText(NS, "intent"), Public: karim.point(), Signature: signature}.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := CheckAuthority(t.Context(), b.ledger); err != nil || a.Others != 1 {
			t.Errorf("%+v (%v)", a, err)
		}
	})
}
