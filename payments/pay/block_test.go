package pay

import (
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// blocked is Karim and Nadia, who blocks Karim when shut is called, and Salma who blocks nobody.
func blocked(t *testing.T, run func(b *bank, karim, nadia, salma *device, shut func())) {
	two(t, func(b *bank, karim, nadia *device) {
		know := people{names: map[string]string{"karim@example": "Karim", "nadia@example": "Nadia", "salma@example": ""}}
		b.Know(know)
		run(b, karim, nadia, b.newDevice("salma"), func() {
			know.blocks = []string{"nadia@example karim@example"}
			b.Know(know)
		})
	})
}

// request asks for money, and is the id of the request.
func (d *device) request(payer, about string, more ...string) (id string, err error) {
	id = fresh()
	_, err = d.ask(d.account, true, element("request", append([]string{"id", id, "payer", payer, "amount", "500", "unit", "MAD", "for", about}, more...)...))
	return id, err
}

// TestABlockIsAnAddressThatIsNotThere: whoever is blocked gets the very answers that they get about nobody.
func TestABlockIsAnAddressThatIsNotThere(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		before := len(b.told(nadia.account))
		shut()
		until := func(i *intent.Intent) { i.Until = i.Expires }
		asks := map[string]func(payee string) error{
			"send": func(payee string) error { _, err := karim.pay(karim.intent(intent.Send, payee, 1)); return err },
			"hold": func(payee string) error { _, err := karim.pay(karim.intent(intent.Hold, payee, 1, until)); return err },
			"mandate": func(payee string) error {
				_, err := karim.pay(karim.intent(intent.Mandate, payee, 1, until, func(i *intent.Intent) { i.Total, i.Period = 1, "day" }))
				return err
			},
			"request": func(payee string) error { _, err := karim.request(payee, ""); return err },
			"split": func(payee string) error {
				_, err := b.ask(karim.account, true, element("split", "id", fresh(), "group", "friends@groups.example", "total", "2", "unit", "MAD").Add(
					element("share", "jid", "salma@example", "amount", "1"), element("share", "jid", payee, "amount", "1")))
				return err
			},
			"quote": func(payee string) error {
				_, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", payee, "amount", "1", "unit", "MAD"))
				return err
			},
		}
		for name, ask := range asks {
			var about [2]string
			for i, payee := range []string{"nadia@example", "nobody@example"} {
				err := ask(payee)
				b.refused(err, "no-payee")
				var wire *xmpp.Error
				if errors.As(err, &wire) {
					about[i] = wire.Element().String()
				}
			}
			if about[0] != about[1] && name != "request" && name != "split" { // these name who it is
				t.Errorf("%s: %s, and about nobody %s", name, about[0], about[1])
			}
		}
		if now := len(b.told(nadia.account)); now != before {
			t.Errorf("she was told %d times of it", now-before)
		}
		b.fund(nadia.account, "MAD", 1000)
		nadia.send("karim@example", 100) // she may write to him, and pay him
		if _, err := nadia.request("karim@example", ""); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatWhoBlocksHasAskedForIsPaid: a block is no way to be owed less, and none to say something to who blocks.
func TestWhatWhoBlocksHasAskedForIsPaid(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		paid := karim.intent(intent.Send, "nadia@example", 100, func(i *intent.Intent) { i.For = "eggs" })
		if _, err := karim.pay(paid); err != nil {
			t.Fatal(err)
		}
		first, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		shut()
		second, err := nadia.request("karim@example", "bread")
		if err != nil {
			t.Fatal(err)
		}
		pay := func(of, words string) error {
			_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 500, func(i *intent.Intent) { i.Of, i.For = of, words }))
			return err
		}
		b.refused(pay(first, "you will be sorry"), "no-payee")
		if err := errors.Join(pay(first, "bread"), pay(second, "")); err != nil {
			t.Error(err)
		}
		tip := karim.intent(intent.Tip, "nadia@example", 1, func(i *intent.Intent) { i.Of = paid.ID })
		_, err = karim.pay(tip)
		b.refused(err, "no-payee")
		third, err := nadia.request("karim@example", "milk")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", "500", "unit", "MAD", "of", third)); err != nil {
			t.Errorf("what she asks for costs: %v", err)
		}
		until := b.now().Add(time.Hour).UTC().Truncate(time.Second)
		hold, err := nadia.request("karim@example", "a deposit", "kind", "hold", "until", intent.FormatTime(until))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []struct{ words, why string }{{"you will be sorry", "no-payee"}, {"a deposit", ""}} {
			_, err := karim.pay(karim.intent(intent.Hold, "nadia@example", 500, func(i *intent.Intent) { i.Of, i.For, i.Until = hold, one.words, until }))
			if conditionOf(err) != one.why {
				t.Errorf("a hold with %q: %v", one.words, err)
			}
		}
		b.has(nadia.account, "MAD", 1100, 0)
	})
}

// TestARefundToWhoBlocks gives back what is theirs, and says nothing with it.
func TestARefundToWhoBlocks(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, _ *device, shut func()) {
		b.fund(nadia.account, "MAD", 1000)
		bought := nadia.intent(intent.Send, "karim@example", 1000, func(i *intent.Intent) { i.For = "a lamp" })
		if _, err := nadia.pay(bought); err != nil {
			t.Fatal(err)
		}
		shut()
		back := func(amount int64, words string) error {
			_, err := karim.pay(karim.intent(intent.Refund, "nadia@example", amount, func(i *intent.Intent) { i.Of, i.For = bought.ID, words }))
			return err
		}
		b.refused(back(1, "you will be sorry"), "no-payee")
		if err := errors.Join(back(400, ""), back(600, "a lamp")); err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 1000, 0)
	})
}

// TestAPromiseToWhoBlocksIsHandedInByThem: who is blocked cannot spoil what they have promised by handing it in themselves.
func TestAPromiseToWhoBlocksIsHandedInByThem(t *testing.T) {
	pocket(t, func(b *bank, _, nadia, offline *device) {
		know := people{names: map[string]string{"nadia@example": "", "karim@example": ""}, blocks: []string{"nadia@example karim@example"}}
		b.Know(know)
		promised := offline.sign(offline.intent(intent.Offline, "nadia@example", 1000))
		for range 2 {
			_, err := b.ask(offline.account, true, promised)
			b.refused(err, "no-payee")
		}
		if _, err := b.ask(nadia.account, true, promised); err != nil {
			t.Error(err)
		}
		b.has(nadia.account, "MAD", 1000, 0)
	})
}

// TestWhoBlocksIsNotReminded: neither by a word, nor by a request that comes again.
func TestWhoBlocksIsNotReminded(t *testing.T) {
	blocked(t, func(b *bank, karim, nadia, salma *device, shut func()) {
		once, err := karim.request("nadia@example", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := karim.request("nadia@example", "", "every", "day", "times", "3"); err != nil {
			t.Fatal(err)
		}
		bill := fresh()
		_, err = b.ask(karim.account, true, element("split", "id", bill, "group", "friends@groups.example", "total", "2", "unit", "MAD").Add(
			element("share", "jid", "salma@example", "amount", "1"), element("share", "jid", "nadia@example", "amount", "1")))
		if err != nil {
			t.Fatal(err)
		}
		shut()
		before, others := len(b.told(nadia.account)), len(b.told(salma.account))
		_, err = b.ask(karim.account, true, element("remind", "id", once))
		b.refused(err, "no-payee")
		if _, err := b.ask(karim.account, true, element("remind", "id", bill)); err != nil { // Salma is
			t.Error(err)
		}
		b.later(25 * time.Hour)
		if err := b.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := len(b.told(nadia.account)); now != before {
			t.Errorf("she was told %d times", now-before)
		}
		if now := len(b.told(salma.account)); now != others+1 {
			t.Errorf("the other was told %d times", now-others)
		}
		_, err = b.ask(karim.account, true, element("remind", "id", bill)) // the only one who might be reminded may be tomorrow
		if err != nil {
			t.Error(err)
		}
	})
}
