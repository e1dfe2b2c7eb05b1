package pay

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// noted is what was noted, whenever it was.
func (b *bank) noted(want ...Suspicion) {
	b.Helper()
	found, err := b.Suspicions(b.Context(), b.now().Add(time.Hour), 1000)
	for i := range found {
		found[i].At = time.Time{}
	}
	if err != nil || !slices.Equal(found, want) {
		b.Errorf("noted: %+v (%v), want %+v", found, err, want)
	}
}

// undecided is an error of the type wait with one of the protocol's conditions.
func (b *bank) undecided(err error, condition string) {
	b.Helper()
	b.refused(err, condition)
	var wire *xmpp.Error
	if errors.As(err, &wire) && wire.Type != "wait" {
		b.Errorf("%v has the type %s", err, wire.Type)
	}
}

// TestWhatItsPayerDoesVoidsNoPromise has a shop hand in a promise while its payer keeps it from being paid, the payer spoil it, and the shop hand it in again.
func TestWhatItsPayerDoesVoidsNoPromise(t *testing.T) {
	for what, do := range map[string]func(b *bank, karim, offline *device) (undo func() error){
		"frozen": func(b *bank, karim, _ *device) func() error {
			b.freeze(karim.account)
			return func() error { return karim.order(intent.Unfreeze, "") }
		},
		"over-limit": func(b *bank, karim, offline *device) func() error {
			if err := karim.order(intent.AllowOffline, offline.id+" MAD 0"); err != nil {
				b.Error(err)
			}
			return func() error { return karim.order(intent.AllowOffline, offline.id+" MAD 12000") }
		},
		"insufficient": func(b *bank, karim, _ *device) func() error {
			if _, err := karim.pay(karim.intent(intent.Release, "karim@example", 15_000)); err != nil {
				b.Error(err)
			}
			return func() error { _, err := karim.pay(karim.intent(intent.Reserve, "karim@example", 15_000)); return err }
		},
		"stopped": func(b *bank, karim, _ *device) func() error {
			stop := func(stop bool) error { return b.Stop(b.Context(), "admin", karim.account, stop, "a court") }
			if err := stop(true); err != nil {
				b.Error(err)
			}
			return func() error { return stop(false) }
		},
	} {
		t.Run(what, func(t *testing.T) {
			pocket(t, func(b *bank, karim, nadia, offline *device) {
				p := promised(offline, 10_000)
				asked, undo := offline.sign(p), do(b, karim, offline)
				why := what
				if what == "stopped" {
					why = "frozen"
				}
				_, err := b.ask(karim.account, true, asked) // it decides nothing
				b.undecided(err, why)
				b.noted()
				for range 2 {
					_, err = b.ask(nadia.account, true, asked)
					b.undecided(err, why)
				}
				want := Suspicion{Account: "karim@example", Kind: voidPromise, Payment: p.ID, About: why + " nadia@example"}
				if why == "insufficient" {
					want.Kind, want.About = doublePromise, "nadia@example"
				}
				b.noted(want)
				if err := undo(); err != nil {
					t.Fatal(err)
				}
				if _, err = b.ask(nadia.account, true, asked); err != nil {
					t.Errorf("handed in again: %v", err)
				}
				b.has(nadia.account, "MAD", 10_000, 0)
				b.even()
			})
		})
	}
}

// TestPromisesOfOnePocketAtTheSameInstant has shops hand in more than the pocket holds, all at once: one is paid, and none of the others is refused for good, as the pocket may be filled again.
func TestPromisesOfOnePocketAtTheSameInstant(t *testing.T) {
	const many = 8
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		var refused []*xmpp.Element
		var want []Suspicion
		var all sync.WaitGroup
		var mu sync.Mutex // guards refused and want
		start := make(chan struct{})
		for n := range many {
			p := promised(offline, 10_000)
			asked, who := offline.sign(p), nadia
			if n%4 == 3 {
				who = karim // who hands in what he has promised somebody
			}
			all.Go(func() {
				<-start
				_, err := b.ask(who.account, true, asked)
				if err == nil {
					return
				}
				b.undecided(err, "insufficient")
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, asked)
				if who == nadia {
					want = append(want, Suspicion{Account: "karim@example", Kind: doublePromise, Payment: p.ID, About: "nadia@example"})
				}
			})
		}
		close(start)
		all.Wait()
		if len(refused) != many-1 {
			t.Fatalf("%d of %d were refused", len(refused), many)
		}
		b.has(karim.account, "MAD", 85_000, 5000)
		found, err := b.Suspicions(t.Context(), b.now().Add(time.Hour), 1000)
		if err != nil || len(found) != len(want) {
			t.Errorf("%d noted, want %d (%v)", len(found), len(want), err)
		}
		for _, asked := range refused[:3] {
			if _, err := karim.pay(karim.intent(intent.Reserve, "karim@example", 10_000)); err != nil {
				t.Fatal(err)
			}
			if _, err := b.ask(nadia.account, true, asked); err != nil {
				t.Errorf("handed in again: %v", err)
			}
		}
		b.has(karim.account, "MAD", 55_000, 5000)
		b.has(nadia.account, "MAD", 40_000, 0)
		b.even()
	})
}

// TestAPromiseThatCannotBePaidYetExpires: what was to be asked again has an end.
func TestAPromiseThatCannotBePaidYetExpires(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 10_000)
		asked := offline.sign(p)
		b.freeze(karim.account)
		_, err := b.ask(nadia.account, true, asked)
		b.undecided(err, "frozen")
		b.later(7 * day)
		_, err = b.ask(nadia.account, true, asked)
		b.refused(err, "expired")
		if errors.As(err, new(*xmpp.Error)) && err.(*xmpp.Error).Type == "wait" {
			t.Error(err)
		}
		late := offline.sign(offline.intent(intent.Offline, "nadia@example", 1000))
		b.later(time.Hour)
		_, err = b.ask(nadia.account, true, late) // she is late herself: that is noted of nobody
		b.refused(err, "expired")
		b.noted(Suspicion{Account: "karim@example", Kind: voidPromise, Payment: p.ID, About: "frozen nadia@example"})
	})
}

// TestAKeyThatWasDroppedPromisesNothing: its owner has dropped it because of a thief, perhaps. Nobody can say what it signed before; it is noted.
func TestAKeyThatWasDroppedPromisesNothing(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 10_000)
		asked := offline.sign(p)
		if err := karim.order(intent.DropKey, offline.id); err != nil {
			t.Fatal(err)
		}
		_, err := b.ask(karim.account, true, asked)
		b.refused(err, "no-key")
		b.noted()
		for range 2 {
			_, err = b.ask(nadia.account, true, asked)
			b.refused(err, "no-key")
			if errors.As(err, new(*xmpp.Error)) && err.(*xmpp.Error).Type == "wait" {
				t.Error(err)
			}
		}
		forged := offline.sign(promised(offline, 10_000))
		forged.Child(NS, "signature").Nodes = b.stranger("karim").sign(promised(offline, 10_000)).Child(NS, "signature").Nodes
		_, err = b.ask(nadia.account, true, forged)
		b.refused(err, "no-key")
		b.noted(Suspicion{Account: "karim@example", Kind: voidPromise, Payment: p.ID, About: "no-key nadia@example"})
		b.has(nadia.account, "MAD", 0, 0)
	})
}

// TestAnIDThatWasUsedMeanwhileIsNoted: whoever promised pays something else with the id of the promise.
func TestAnIDThatWasUsedMeanwhileIsNoted(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 10_000)
		if _, err := karim.pay(karim.intent(intent.Send, "soukaina@example", 1, func(i *intent.Intent) { i.ID = p.ID })); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err := b.ask(nadia.account, true, offline.sign(p))
			b.refused(err, "id-taken")
		}
		_, err := b.ask(nadia.account, true, b.stranger("karim").sign(p)) // whoever cannot sign accuses nobody
		b.refused(err, "id-taken")
		b.noted(Suspicion{Account: "karim@example", Kind: voidPromise, Payment: p.ID, About: "id-taken nadia@example"})
	})
}

// TestAClockThatIsFastLosesNoPromise: the phone that promised is a little ahead.
func TestAClockThatIsFastLosesNoPromise(t *testing.T) {
	pocket(t, func(b *bank, _, nadia, offline *device) {
		soon := offline.sign(offline.intent(intent.Offline, "nadia@example", 1000, func(i *intent.Intent) { i.Expires = b.now().Add(maxAheadOffline + 2*time.Minute).Truncate(time.Second) }))
		never := offline.sign(offline.intent(intent.Offline, "nadia@example", 1000, func(i *intent.Intent) { i.Expires = b.now().Add(3 * maxAheadOffline).Truncate(time.Second) }))
		_, err := b.ask(nadia.account, true, soon)
		b.undecided(err, "bad-text")
		_, err = b.ask(nadia.account, true, never)
		b.refused(err, "bad-text")
		b.later(5 * time.Minute)
		if _, err = b.ask(nadia.account, true, soon); err != nil {
			t.Error(err)
		}
	})
}

// TestNobodyHidesAmongTheirOwnPromises hands in far more promises of an empty pocket than an operator looks at.
func TestNobodyHidesAmongTheirOwnPromises(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		b.freeze(karim.account)
		for range maxNoted + 10 {
			_, err := b.ask(nadia.account, true, offline.sign(promised(offline, 1000)))
			b.undecided(err, "frozen")
		}
		if found, err := b.Suspicions(t.Context(), b.now().Add(time.Hour), 1000); err != nil || len(found) != maxNoted {
			t.Errorf("%d noted (%v)", len(found), err)
		}
	})
}

// TestAShopHandsInWhatItWasPromisedAllDay is a merchant after an outage: all at once, then some again whose answer was lost, and payments of her own meanwhile.
func TestAShopHandsInWhatItWasPromisedAllDay(t *testing.T) {
	const many = 500
	pocket(t, func(b *bank, _, nadia, offline *device) { // whose clock stands: no rate recovers meanwhile
		var all []*xmpp.Element
		for range many {
			asked := offline.sign(promised(offline, 10))
			if _, err := b.ask(nadia.account, true, asked); err != nil {
				t.Fatalf("after %d: %v", len(all), err)
			}
			all = append(all, asked)
		}
		for range 3 {
			for _, asked := range all {
				if _, err := b.ask(nadia.account, true, asked); err != nil {
					t.Fatalf("again: %v", err)
				}
			}
		}
		for range defaultRates().Pay.AtOnce {
			i := nadia.intent(intent.Send, "soukaina@example", 1)
			for range 2 {
				if _, err := nadia.pay(i); err != nil {
					t.Fatalf("a payment of her own: %v", err)
				}
			}
		}
		_, err := nadia.pay(nadia.intent(intent.Send, "soukaina@example", 1))
		b.undecided(err, "wait")
		b.has(nadia.account, "MAD", many*10-int64(defaultRates().Pay.AtOnce), 0)
	})
}

// TestPromisesAreBoundedToo: also those that are never paid, and whatever nobody can read.
func TestPromisesAreBoundedToo(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		b.cfg.Rates.Promise, b.cfg.Rates.Pay = Rate{3, time.Hour}, Rate{3, time.Hour}
		b.freeze(karim.account)
		asked := offline.sign(promised(offline, 10))
		for range 3 {
			_, err := b.ask(nadia.account, true, asked)
			b.undecided(err, "frozen")
		}
		_, err := b.ask(nadia.account, true, asked)
		b.undecided(err, "wait")
		for range 3 {
			_, err := b.ask(nadia.account, true, element("pay"))
			b.refused(err, "bad-text")
		}
		_, err = b.ask(nadia.account, true, element("pay"))
		b.undecided(err, "wait")
	})
}
