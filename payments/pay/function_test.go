package pay

import (
	"fmt"
	"slices"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestATip is for a payment, to whom that went, once for each id, and counts as what it is.
func TestATip(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, sami := g.people["karim"], g.people["sami"]
		paid := karim.done(karim.send("nadia", 5000, ""))
		tip := func(who *actor, payee, of string) *intent.Intent {
			return who.intent(intent.Tip, who.name, payee, 500, of)
		}
		karim.fails("over", tip(karim, "sami", paid))          // not to somebody else
		sami.fails("item-not-found", tip(sami, "nadia", paid)) // of whose payment nobody else knows
		karim.fails("item-not-found", tip(karim, "nadia", "no-payment-has-this-id"))
		refused := karim.send("nadia", 1<<40, "")
		karim.fails("insufficient", refused)
		karim.fails("over", tip(karim, "nadia", refused.ID)) // nothing was paid
		g.notices("nadia")
		one := tip(karim, "nadia", paid)
		karim.done(one)
		karim.done(one) // its answer was lost
		if got := g.notices("nadia", "kind", "amount", "of"); !slices.Equal(got, []string{"payment tip 500 " + paid}) {
			t.Errorf("nadia was told %q", got)
		}
		g.has("karim", 94_500, "nadia", 105_500, "sami", 100_000)
	})
}

// TestFeesAreShownAndBooked has a fee schedule for payments from person to person: the quote says it, another one is refused, and it goes to an account of its own.
func TestFeesAreShownAndBooked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := testConfig()
		cfg.Units[0].Fees = append(cfg.Units[0].Fees, Fee{Kind: "send", Fixed: 10, Share: 100, Most: 200})
		b := openBank(t, db, cfg)
		karim, nadia := b.newDevice("karim"), b.newDevice("nadia")
		b.fund(karim.account, "MAD", 40_000)
		fees := int64(0)
		for _, one := range []struct{ amount, fee int64 }{{1, 10}, {1000, 20}, {30_000, 200}} {
			quote, err := b.ask(karim.account, false, element("quote", "kind", "send", "payee", "nadia@example", "amount", digits(one.amount), "unit", "MAD"))
			if err != nil || quote.Attr("fee") != digits(one.fee) {
				t.Fatalf("the fee of %d is %s (%v), want %d", one.amount, quote, err, one.fee)
			}
			other := karim.intent(intent.Send, "nadia@example", one.amount, func(i *intent.Intent) { i.Fee = one.fee - 1 })
			_, err = karim.pay(other)
			b.refused(err, "fee-changed")
			if _, err := karim.pay(karim.intent(intent.Send, "nadia@example", one.amount, func(i *intent.Intent) { i.Fee = one.fee })); err != nil {
				t.Fatal(err)
			}
			fees += one.fee
		}
		a, err := b.stands(t.Context(), FeesAccount("MAD"))
		if err != nil || a.Balance != fees {
			t.Errorf("the account of fees has %d (%v), want %d", a.Balance, err, fees)
		}
		b.has(karim.account, "MAD", 40_000-31_001-fees, 0)
		b.has(nadia.account, "MAD", 31_001, 0)
		b.even()
	})
}

// TestSplitByPartsAndExactly makes bills in the ways that the service tells apart, and computes nothing of: it says them again as they were made.
func TestSplitByPartsAndExactly(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		nadia := g.people["nadia"]
		for way, shares := range map[string]string{
			"shares": "<share jid='karim@example' amount='600' parts='2'/><share jid='sami@example' amount='300' parts='1'/>",
			"exact":  "<share jid='karim@example' amount='899'/><share jid='sami@example' amount='1'/>",
		} {
			id := g.id()
			made := nadia.set(fmt.Sprintf("<split id='%s' total='900' unit='MAD' by='%s'>%s</split>", id, way, shares))
			g.attributes(made, "by", way, "total", "900", "paid", "0")
			g.attributes(nadia.get("<split id='"+id+"'/>"), "by", way)
			if way == "shares" {
				g.attributes(shareOf(made, "karim"), "parts", "2", "amount", "600")
			}
			for name, amount := range map[string]int64{"karim": 899, "sami": 1} {
				who := g.people[name]
				if way == "shares" {
					amount = map[string]int64{"karim": 600, "sami": 300}[name]
				}
				who.done(who.send("nadia", amount, shareOf(made, name).Attr("request")))
			}
			g.attributes(nadia.get("<split id='"+id+"'/>"), "paid", "900")
			nadia.refused("not-acceptable", true, fmt.Sprintf("<split id='%s' total='901' unit='MAD' by='%s'>%s</split>", g.id(), way, shares))
		}
		g.has("nadia", 101_800, "karim", 98_501, "sami", 99_699)
	})
}
