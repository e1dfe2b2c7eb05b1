package pay

import (
	"context"
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
)

// hold is an amount that karim sets aside for the shop.
func (a *actor) hold(payee string, amount int64, life time.Duration) *intent.Intent {
	i := a.intent(intent.Hold, a.name, payee, amount, "")
	i.Until = a.stage.now().Add(life)
	return i
}

// take is a capture of what a hold or a mandate of somebody allows.
func (a *actor) take(payer string, amount int64, of string) *intent.Intent {
	return a.intent(intent.Capture, payer, a.name, amount, of)
}

func TestHoldIsCapturedInPart(t *testing.T) {
	on(t, "karim shop sami", func(t *testing.T, g *stage) {
		karim, shop, sami := g.people["karim"], g.people["shop"], g.people["sami"]
		hold := karim.done(karim.hold("shop", 5000, time.Hour))
		if balance, held := g.balance("karim"); balance != 100_000 || held != 5000 {
			t.Errorf("karim has %d, of which %d is held", balance, held)
		}
		g.attributes(shop.get("<lookup id='"+hold+"'/>"), "state", "held")
		sami.fails("no-mandate", sami.take("karim", 100, hold)) // not for him
		shop.fails("no-mandate", shop.take("sami", 100, hold))  // not his
		shop.fails("exceeds", shop.take("karim", 5001, hold))
		g.notices("karim")
		captured := shop.done(shop.take("karim", 3000, hold))
		shop.fails("over", shop.take("karim", 2000, hold)) // twice
		shop.fails("over", shop.intent(intent.Void, "karim", "shop", 0, hold))
		if balance, held := g.balance("karim"); balance != 97_000 || held != 0 {
			t.Errorf("karim has %d, of which %d is held", balance, held)
		}
		if got := g.notices("karim", "id", "state"); !slices.Equal(got, []string{"payment " + hold + " ended", "payment " + captured + " done"}) {
			t.Errorf("karim was told %q", got)
		}
		g.has("shop", 103_000, "sami", 100_000)
	})
}

func TestHoldIsVoided(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		karim, shop := g.people["karim"], g.people["shop"]
		hold := karim.done(karim.hold("shop", 5000, time.Hour))
		shop.done(shop.intent(intent.Void, "karim", "shop", 0, hold))
		shop.fails("over", shop.take("karim", 100, hold))
		g.attributes(karim.get("<lookup id='"+hold+"'/>"), "state", "ended")
		if balance, held := g.balance("karim"); balance != 100_000 || held != 0 {
			t.Errorf("karim has %d, of which %d is held", balance, held)
		}
		karim.fails("bad-text", karim.hold("shop", 5000, 63*24*time.Hour))
		karim.fails("insufficient", karim.hold("shop", 100_001, time.Hour))
	})
}

func TestExpiredHoldIsNotCaptured(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		karim, shop := g.people["karim"], g.people["shop"]
		hold, other := karim.done(karim.hold("shop", 5000, time.Minute)), karim.done(karim.hold("shop", 700, time.Hour))
		g.mu.Lock()
		g.clock = g.clock.Add(time.Minute) // and nobody has looked for what is over
		g.mu.Unlock()
		shop.fails("over", shop.take("karim", 5000, hold))
		g.notices("shop")
		if err := g.s.sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if balance, held := g.balance("karim"); balance != 100_000 || held != 700 {
			t.Errorf("karim has %d, of which %d is held", balance, held)
		}
		if got := g.notices("shop", "id", "state"); !slices.Equal(got, []string{"payment " + hold + " ended"}) {
			t.Errorf("the shop was told %q", got)
		}
		shop.fails("over", shop.take("karim", 5000, hold))
		shop.done(shop.take("karim", 700, other))
		g.has("karim", 99_300, "shop", 100_700)
	})
}

// mandate lets a payee capture up to amount each time, and total in a period.
func (a *actor) mandate(payee string, amount, total int64, period string, life time.Duration) *intent.Intent {
	i := a.intent(intent.Mandate, a.name, payee, amount, "")
	i.Total, i.Period, i.Until, i.For = total, period, a.stage.now().Add(life), "Electricity"
	return i
}

func TestCaptureAgainstAMandate(t *testing.T) {
	on(t, "karim shop sami", func(t *testing.T, g *stage) {
		karim, shop, sami := g.people["karim"], g.people["shop"], g.people["sami"]
		shop.fails("no-mandate", shop.take("karim", 100, "there-is-no-mandate")) // without one
		mandate := karim.done(karim.mandate("shop", 3000, 5000, "week", 30*24*time.Hour))
		if got := g.notices("shop", "id", "state", "left", "for"); !slices.Equal(got, []string{"mandate " + mandate + " open 3000 Electricity"}) {
			t.Errorf("the shop was told %q", got)
		}
		sami.fails("no-mandate", sami.take("karim", 100, mandate))
		shop.fails("no-mandate", shop.take("sami", 100, mandate))
		shop.fails("exceeds", shop.take("karim", 3001, mandate)) // above it, each time
		shop.done(shop.take("karim", 3000, mandate))
		shop.fails("exceeds", shop.take("karim", 2001, mandate)) // above it, in the period
		shop.done(shop.take("karim", 2000, mandate))
		shop.fails("exceeds", shop.take("karim", 1, mandate))
		g.later(7*24*time.Hour - time.Second)
		shop.fails("exceeds", shop.take("karim", 1, mandate))
		g.later(time.Second)
		shop.done(shop.take("karim", 1000, mandate)) // another week
		g.attributes(karim.get("<mandates/>").First(), "id", mandate, "left", "3000", "state", "open")
		sami.fails("no-mandate", sami.intent(intent.Revoke, "sami", "shop", 0, mandate))
		karim.done(karim.intent(intent.Revoke, "karim", "shop", 0, mandate))
		shop.fails("no-mandate", shop.take("karim", 1, mandate)) // after it was revoked
		karim.fails("over", karim.intent(intent.Revoke, "karim", "shop", 0, mandate))
		g.has("karim", 94_000, "shop", 106_000, "sami", 100_000)
		g.attributes(shop.get("<mandates/>").First(), "state", "revoked", "left", "0")
	})
}

func TestMandateEnds(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		karim, shop := g.people["karim"], g.people["shop"]
		mandate := karim.done(karim.mandate("shop", 3000, 5000, "day", time.Hour))
		single := karim.done(karim.mandate("shop", 3000, 5000, "once", time.Hour))
		shop.done(shop.take("karim", 1000, single))
		shop.fails("exceeds", shop.take("karim", 1000, single)) // it was for once
		g.notices("karim")
		g.later(time.Hour)
		shop.fails("no-mandate", shop.take("karim", 1, mandate))
		if got := g.notices("karim", "state"); !slices.Equal(got, []string{"mandate expired", "mandate expired"}) {
			t.Errorf("karim was told %q", got)
		}
		karim.fails("bad-text", karim.mandate("shop", 3000, 3000, "day", maxMandateLife+time.Hour))
		far := karim.mandate("shop", 3000, 3000, "day", time.Hour)
		far.Payee = "shop@far.example"
		karim.fails("no-payee", far)
		g.has("karim", 99_000)
	})
}

// TestHoldCountsForTheDay has a limit of 100.00 a day: what was set aside counts, until it is free again.
func TestHoldCountsForTheDay(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		g.s.cfg.Units[0].Limits = []Limit{{Level: "basic", Day: 10_000}}
		karim, shop := g.people["karim"], g.people["shop"]
		hold := karim.done(karim.hold("shop", 8000, time.Hour))
		karim.fails("over-limit", karim.send("shop", 2001, ""))
		shop.done(shop.take("karim", 3000, hold))
		karim.fails("over-limit", karim.send("shop", 7001, ""))
		hold = karim.done(karim.hold("shop", 7000, time.Hour))
		karim.fails("over-limit", karim.send("shop", 1, ""))
		shop.done(shop.intent(intent.Void, "karim", "shop", 0, hold))
		karim.done(karim.send("shop", 7000, ""))
		g.has("karim", 90_000, "shop", 110_000)
	})
}

// asksTerms asks somebody for a hold or a mandate instead of money; more are its terms.
func (a *actor) asksTerms(payer string, amount int64, more string) string {
	id := a.stage.id()
	a.set("<request id='" + id + "' payer='" + payer + "@example' amount='" + digits(amount) + "' unit='MAD' for='Electricity' " + more + "/>")
	return id
}

func TestAMandateIsAskedFor(t *testing.T) {
	on(t, "karim shop sami", func(t *testing.T, g *stage) {
		karim, shop, sami := g.people["karim"], g.people["shop"], g.people["sami"]
		until := g.now().Add(30 * 24 * time.Hour)
		terms := "kind='mandate' total='5000' period='month' until='" + intent.FormatTime(until) + "'"
		asked := shop.asksTerms("karim", 3000, terms)
		if got := g.notices("karim", "id", "kind", "total", "period", "state"); !slices.Equal(got, []string{"request " + asked + " mandate 5000 month open"}) {
			t.Errorf("karim was told %q", got)
		}
		give := func(who *actor, amount, total int64, period string, life time.Duration) *intent.Intent {
			i := who.mandate("shop", amount, total, period, life)
			i.Of = asked
			return i
		}
		const month = 30 * 24 * time.Hour
		karim.fails("not-acceptable", karim.send("shop", 3000, asked)) // it asks for no money
		sami.fails("item-not-found", give(sami, 3000, 5000, "month", month))
		karim.fails("exceeds", give(karim, 3001, 5000, "month", month)) // more than was asked for
		karim.fails("exceeds", give(karim, 3000, 5001, "month", month))
		karim.fails("not-acceptable", give(karim, 3000, 5000, "day", month))
		karim.fails("not-acceptable", give(karim, 3000, 5000, "month", month+time.Hour))
		g.notices("shop")
		mandate := karim.done(give(karim, 2000, 4000, "month", month)) // less is allowed
		if got := g.notices("shop", "id", "state", "amount", "request"); !slices.Equal(got, []string{"request " + asked + " paid 3000 ", "mandate " + mandate + " open 2000 " + asked}) {
			t.Errorf("the shop was told %q", got)
		}
		karim.fails("over", give(karim, 2000, 4000, "month", month)) // once
		g.has("karim", 100_000, "shop", 100_000)
		taken := shop.done(shop.take("karim", 1500, mandate))
		g.attributes(shop.get("<mandates/>").First(), "id", mandate, "taken", "1500", "left", "2000", "request", asked)
		if got := shop.get("<history of='" + mandate + "'/>"); got.First().Attr("id") != taken {
			t.Errorf("what was taken by it is %v", got)
		}
		shop.refused("bad-request", true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD' kind='mandate' total='1' period='month'/>")
		shop.refused("bad-request", true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD' partial='true' "+terms+"/>")
	})
}

func TestAHoldIsAskedFor(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		karim, shop := g.people["karim"], g.people["shop"]
		asked := shop.asksTerms("karim", 5000, "kind='hold' until='"+intent.FormatTime(g.now().Add(24*time.Hour))+"'")
		other := karim.hold("shop", 4000, time.Hour)
		other.Of = asked
		karim.fails("not-acceptable", other) // another amount
		hold := karim.hold("shop", 5000, 24*time.Hour)
		hold.Of = asked
		id := karim.done(hold)
		g.attributes(shop.get("<request id='"+asked+"'/>"), "state", "paid", "kind", "hold")
		if got := shop.get("<history state='held'/>"); got.First().Attr("id") != id || got.First().Attr("until") == "" {
			t.Errorf("what is held is %v", got)
		}
		declined := shop.asksTerms("karim", 5000, "kind='hold' until='"+intent.FormatTime(g.now().Add(24*time.Hour))+"'")
		karim.set("<decline id='" + declined + "'/>")
		hold = karim.hold("shop", 5000, time.Hour)
		hold.Of = declined
		karim.fails("over", hold)
	})
}
