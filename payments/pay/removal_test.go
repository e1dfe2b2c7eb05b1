package pay

import (
	"context"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// leaves removes somebody's account, and looks for what is over.
func (g *stage) leaves(name string) {
	g.t.Helper()
	for range 2 { // a removal may be tried again
		err := g.s.db.Tx(g.t.Context(), func(ctx context.Context) error { return g.s.Leave(ctx, g.people[name].jid) })
		if err != nil {
			g.t.Fatal(err)
		}
	}
	g.outside[name] = true
}

func TestWhatWasOpenEndsWithAnAccount(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		paid := karim.done(karim.send("nadia", 700, ""))
		dispute := g.id()
		karim.set("<dispute id='" + dispute + "' of='" + paid + "' why='not-received' amount='700'/>")
		given, taken := karim.done(karim.mandate("nadia", 3000, 5000, "week", 90*day)), nadia.done(nadia.mandate("karim", 3000, 5000, "week", 90*day))
		toKarim, ofKarim, again := g.id(), g.id(), g.id()
		nadia.set("<request id='" + toKarim + "' payer='karim@example' amount='500' unit='MAD' for='What we said at the hospital'/>")
		karim.set("<request id='" + ofKarim + "' payer='nadia@example' amount='500' unit='MAD'/>")
		karim.set("<request id='" + again + "' payer='nadia@example' amount='100' unit='MAD' every='day' times='9'/>")
		bill := nadia.set(dinner)
		g.agree("karim")
		for _, name := range []string{"karim", "nadia", "sami"} {
			g.notices(name)
		}
		g.leaves("karim")

		nadia.fails("no-mandate", nadia.take("karim", 100, given)) // before anything was looked for
		nadia.fails("over", nadia.send("karim", 500, ofKarim))
		g.later(0)
		g.attributes(nadia.get("<request id='"+toKarim+"'/>"), "state", "expired")
		g.attributes(nadia.get("<request id='"+ofKarim+"'/>"), "state", "expired")
		g.attributes(nadia.get("<dispute id='"+dispute+"'/>"), "state", "withdrawn")
		for e := range nadia.get("<mandates/>").Children() {
			g.attributes(e, "state", "expired", "left", "0")
		}
		g.attributes(shareOf(nadia.get("<split id='"+splitID+"'/>"), "karim"), "state", "expired")
		g.attributes(shareOf(nadia.get("<split id='"+splitID+"'/>"), "sami"), "state", "open")
		g.wantDebts("nadia", "sami nadia 3333")
		told := g.notices("nadia", "id")
		for _, want := range []string{"request " + toKarim, "request " + ofKarim, "request " + again, "mandate " + given, "mandate " + taken, "dispute " + dispute, "split " + splitID} {
			if !slices.Contains(told, want) {
				t.Errorf("nadia was not told of %s: %q", want, told)
			}
		}
		sami.done(sami.send("nadia", 3333, shareOf(bill, "sami").Attr("request"))) // what others have together goes on
		g.later(10 * day)
		if told := slices.DeleteFunc(g.notices("nadia", "series"), func(one string) bool { return one != "request "+again }); len(told) != 0 {
			t.Errorf("it comes again: %q", told)
		}
		if got := g.notices("karim"); len(got) != 0 {
			t.Errorf("who has the name now was told %q", got)
		}
		wants := "<wallet/> <history/> <requests/> <splits/> <mandates/> <disputes/> <debts§group='" + group + "'§unit='MAD'/> <about/> <lookup§id='" + paid + "'/> <request§id='" + toKarim + "'/> <split§id='" +
			splitID + "'/> <dispute§id='" + dispute + "'/>"
		for ask := range strings.FieldsSeq(wants) {
			karim.refused("over", false, strings.ReplaceAll(ask, "§", " "))
		}
		karim.refused("over", true, "<cancel id='"+again+"'/>")
		nadia.refused("no-payee", true, "<request id='"+g.id()+"' payer='karim@example' amount='500' unit='MAD'/>")
		g.has("karim", 99_300) // it is in the book
	})
}

// TestANameThatWasAskedIsNotInherited is of somebody who never had any money, and was asked for some.
func TestANameThatWasAskedIsNotInherited(t *testing.T) {
	on(t, "nadia", func(t *testing.T, g *stage) {
		lea := &actor{stage: g, name: "lea", jid: xmpp.MustJID("lea@example")}
		g.people["lea"] = lea
		g.people["nadia"].set("<request id='" + g.id() + "' payer='lea@example' amount='500' unit='MAD' for='The doctor'/>")
		g.people["tom"] = &actor{stage: g, name: "tom", jid: xmpp.MustJID("tom@example")}
		g.leaves("lea")
		g.leaves("tom")
		lea.refused("over", false, "<requests/>")
		g.people["tom"].get("<requests/>") // nobody has anything to do with that name
		if got := g.notices("lea"); len(got) != 0 {
			t.Errorf("another lea was told %q", got)
		}
	})
}

// TestWhoWasPaidByAPotLeaves has karim pay sami what nadia owes him. Then sami goes, and karim owes nadia that much less all the same.
func TestWhoWasPaidByAPotLeaves(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		ofKarim, ofNadia := g.owes("karim", "nadia", 700), g.owes("nadia", "sami", 500)
		g.agree("karim", "nadia")
		ids := g.wantDebts("karim", "karim nadia 200", "karim sami 500")
		karim.done(karim.send("sami", 500, ids["karim sami 500"]))
		g.leaves("sami")
		g.later(0)
		g.wantDebts("nadia", "karim nadia 200")
		karim.done(karim.send("nadia", 200, ids["karim nadia 200"]))
		for id, who := range map[string]string{ofKarim: "karim", ofNadia: "nadia"} {
			g.attributes(g.people[who].get("<request id='"+id+"'/>"), "state", "paid")
		}
		g.has("karim", 99_300, "nadia", 100_200, "sami", 100_500)
	})
}

// TestAPromiseOutlivesAnAccount has a shop that was promised money without network, and is back after the customer's account is gone.
func TestAPromiseOutlivesAnAccount(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		promise := func(amount int64) *xmpp.Element {
			return offline.sign(offline.intent(intent.Offline, "nadia@example", amount, func(i *intent.Intent) { i.Expires = i.Expires.Add(6 * day) }))
		}
		first, late := promise(10_000), promise(1000)
		if err := b.Leave(t.Context(), karim.account); err != nil {
			t.Fatal(err)
		}
		b.later(5 * day)
		if err := b.forgetKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ask(nadia.account, true, first); err != nil {
			t.Errorf("the shop gets nothing: %v", err)
		}
		_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 1))
		b.refused(err, "over")
		b.later(4 * day)
		if err := b.forgetKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = b.ask(nadia.account, true, late)
		b.refused(err, "no-key")
		b.has(nadia.account, "MAD", 10_000, 0)
		b.even()
	})
}

// TestAFrozenWalletPromisesNothingWhenItIsGone is of somebody who has frozen their wallet, as a phone of theirs was stolen, and then left.
func TestAFrozenWalletPromisesNothingWhenItIsGone(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		i := offline.intent(intent.Offline, "nadia@example", 10_000)
		stolen := offline.sign(i)
		b.freeze(karim.account)
		if err := b.Leave(t.Context(), karim.account); err != nil {
			t.Fatal(err)
		}
		_, err := b.ask(nadia.account, true, stolen)
		b.refused(err, "no-key")
		b.noted(Suspicion{Account: "karim@example", Kind: voidPromise, Payment: i.ID, About: "no-key nadia@example"})
	})
}

// TestNobodyIsPaidWhoIsRemovedMeanwhile removes a payee between the decision about a payment and what the ledger does.
func TestNobodyIsPaidWhoIsRemovedMeanwhile(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		karim.send("nadia@example", 1)
		given := nadia.intent(intent.Mandate, "karim@example", 1, func(i *intent.Intent) { i.Until, i.Total, i.Period = i.Expires, 1, "day" })
		if _, err := nadia.pay(given); err != nil { // her key works
			t.Fatal(err)
		}
		until := func(i *intent.Intent) { i.Until = i.Expires }
		var decided []*payment
		for _, one := range []*xmpp.Element{karim.sign(karim.intent(intent.Send, "nadia@example", 1000)), karim.sign(karim.intent(intent.Hold, "nadia@example", 1000, until)),
			karim.sign(karim.intent(intent.Mandate, "nadia@example", 1000, until, func(i *intent.Intent) { i.Total, i.Period = 1000, "day" })),
			offline.sign(offline.intent(intent.Offline, "nadia@example", 1000))} {
			p, err := b.readIntent(karim.account, one)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.prove(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if err := b.decide(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			decided = append(decided, p)
		}
		if err := b.db.Tx(t.Context(), func(ctx context.Context) error { return b.Leave(ctx, nadia.account) }); err != nil {
			t.Fatal(err)
		}
		for _, p := range decided {
			b.refused(b.post(t.Context(), p), "no-payee")
		}
		b.has(nadia.account, "MAD", 1, 0)
		b.has(karim.account, "MAD", 84_999, 15_000)
	})
}
