package pay

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
)

// promised is a payment without network, as it was shown in a shop; back is what takes it back.
func promised(offline *device, amount int64) *intent.Intent {
	return offline.intent(intent.Offline, "nadia@example", amount, func(i *intent.Intent) { i.Expires = i.Expires.Add(6 * day) })
}

func back(d *device, of string, changes ...func(i *intent.Intent)) *intent.Intent {
	return d.intent(intent.Revoke, d.account.String(), 0, append([]func(i *intent.Intent){func(i *intent.Intent) { i.Unit, i.Of = "", of }}, changes...)...)
}

func TestAPromiseIsTakenBackBeforeItIsHandedIn(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 10_000)
		i := back(offline, p.ID, func(i *intent.Intent) { i.Expires = i.Expires.Add(6 * day) }) // signed without network, too
		answer, err := offline.pay(i)
		if err != nil {
			t.Fatal(err)
		}
		if r := b.receipt(answer); r.State != intent.Ended || r.Of != p.ID || r.Amount != 0 {
			t.Errorf("%+v", r)
		}
		again, err := offline.pay(i)
		if err != nil || again.String() != answer.String() {
			t.Errorf("%v (%v)", again, err)
		}
		for _, who := range []*device{nadia, karim, nadia} {
			_, err := b.ask(who.account, true, offline.sign(p))
			b.refused(err, "taken-back")
		}
		b.has(karim.account, "MAD", 85_000, 15_000)
		b.has(nadia.account, "MAD", 0, 0)
		_, err = karim.pay(back(karim, p.ID)) // it is refused under its id by now
		b.refused(err, "over")
		b.noted(Suspicion{Account: "karim@example", Kind: voidPromise, Payment: p.ID, About: "taken-back nadia@example"}) // it was shown to somebody, who was back twice
	})
}

// TestTakingsBackAreCounted has Karim promise the same money to many, and go online before all of them.
func TestTakingsBackAreCounted(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		for n := range takenTimes {
			found, err := b.Watch(t.Context())
			if err != nil || len(found) != 0 {
				t.Fatalf("after %d: %+v (%v)", n, found, err)
			}
			if _, err := offline.pay(back(offline, promised(offline, 10_000).ID)); err != nil {
				t.Fatal(err)
			}
		}
		found, err := b.Watch(t.Context())
		if err != nil || len(found) != 1 || found[0].Kind != takesBacks || found[0].Account != "karim@example" || found[0].About != strconv.Itoa(takenTimes) || found[0].At.IsZero() {
			t.Errorf("%+v (%v)", found, err)
		}
		b.later(watched + time.Hour)
		if found, err := b.Watch(t.Context()); err != nil || len(found) != 0 {
			t.Errorf("later: %+v (%v)", found, err)
		}
	})
}

func TestAPromiseThatWasHandedInIsNotTakenBack(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 10_000)
		answer, err := b.ask(nadia.account, true, offline.sign(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []*device{offline, karim} {
			_, err := who.pay(back(who, p.ID))
			b.refused(err, "over")
		}
		again, err := b.ask(karim.account, true, offline.sign(p))
		if err != nil || again.String() != answer.String() {
			t.Errorf("%v (%v)", again, err)
		}
		b.has(nadia.account, "MAD", 10_000, 0)
	})
}

func TestAPromiseIsPaidOrTakenBackAtOnce(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		paid := int64(0)
		for range 12 {
			p := promised(offline, 1000)
			asked, taken := offline.sign(p), []*intent.Intent{back(offline, p.ID), back(karim, p.ID)}
			var handedIn, backs error
			var others error
			var all sync.WaitGroup
			start := make(chan struct{})
			all.Go(func() { <-start; _, handedIn = b.ask(nadia.account, true, asked) })
			all.Go(func() { <-start; _, backs = offline.pay(taken[0]) })
			all.Go(func() { <-start; _, others = karim.pay(taken[1]) })
			close(start)
			all.Wait()
			done := 0
			for _, err := range []error{handedIn, backs, others} {
				if err == nil {
					done++
				}
			}
			if done != 1 {
				t.Fatalf("%d of these were done: paid %v, taken back %v and %v", done, handedIn, backs, others)
			}
			if handedIn == nil {
				paid++
			} else {
				b.refused(handedIn, "taken-back")
			}
		}
		b.has(nadia.account, "MAD", paid*1000, 0)
		b.has(karim.account, "MAD", 85_000, 15_000-paid*1000)
	})
}

func TestNobodyElseTakesAPromiseBack(t *testing.T) {
	pocket(t, func(b *bank, karim, nadia, offline *device) {
		p := promised(offline, 1000)
		if _, err := nadia.pay(back(nadia, p.ID)); err != nil { // a promise of her own would be meant
			t.Fatal(err)
		}
		stranger := b.stranger("karim")
		_, err := stranger.pay(back(stranger, p.ID))
		b.refused(err, "no-key")
		if _, err := b.ask(stranger.account, true, stranger.keyElement(offlineKey)); err != nil { // a stolen session adds a key: it has no cap
			t.Fatal(err)
		}
		_, err = stranger.pay(back(stranger, p.ID))
		b.refused(err, "no-key")
		_, err = offline.pay(offline.intent(intent.Revoke, "nadia@example", 0, func(i *intent.Intent) { i.Unit, i.Of = "", p.ID })) // a mandate is none of its business
		b.refused(err, "no-key")
		if _, err := b.ask(nadia.account, true, offline.sign(p)); err != nil {
			t.Errorf("a promise that nobody took back: %v", err)
		}
		b.has(nadia.account, "MAD", 1000, 0)
	})
}
