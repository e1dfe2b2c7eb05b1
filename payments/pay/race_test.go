package pay

import (
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
)

// atOnce hands in intents at the same moment, and gives how many were done and how the others were refused.
func atOnce(g *stage, intents map[*intent.Intent]*actor) (done int, refused map[string]int) {
	refused = map[string]int{}
	var all sync.WaitGroup
	var mu sync.Mutex
	for i, who := range intents {
		all.Go(func() {
			_, err := who.hand(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else {
				refused[conditionOf(err)]++
			}
		})
	}
	all.Wait()
	return done, refused
}

func TestAtOnce(t *testing.T) {
	on(t, "karim nadia sami shop", func(t *testing.T, g *stage) {
		karim, nadia, shop, sami := g.people["karim"], g.people["nadia"], g.people["shop"], g.people["sami"]
		check := func(what string, many int, make func() (*actor, *intent.Intent), wantDone int, wantRefused string) {
			t.Helper()
			intents := map[*intent.Intent]*actor{}
			for range many {
				who, i := make()
				intents[i] = who
			}
			if done, refused := atOnce(g, intents); done != wantDone || refused[wantRefused] != many-wantDone {
				t.Errorf("%s: %d were done, and refused %v", what, done, refused)
			}
		}
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' partial='true'/>")
		check("a request paid by two devices", 2, func() (*actor, *intent.Intent) { return karim, karim.send("nadia", 1000, requestID) }, 1, "over")
		parted := g.id()
		nadia.set("<request id='" + parted + "' payer='karim@example' amount='1000' unit='MAD' partial='true'/>")
		check("parts of a request", 7, func() (*actor, *intent.Intent) { return karim, karim.send("nadia", 300, parted) }, 3, "exceeds")
		made := nadia.set(dinner)
		of := shareOf(made, "karim").Attr("request")
		first := karim
		check("a share paid by two people", 2, func() (*actor, *intent.Intent) {
			who := first
			first = sami
			return who, who.send("nadia", 3334, of)
		}, 1, "item-not-found")
		hold := karim.done(karim.hold("shop", 5000, time.Hour))
		check("a hold captured", 4, func() (*actor, *intent.Intent) { return shop, shop.take("karim", 2000, hold) }, 1, "over")
		mandate := karim.done(karim.mandate("shop", 1000, 2500, "day", time.Hour))
		check("a mandate used", 5, func() (*actor, *intent.Intent) { return shop, shop.take("karim", 1000, mandate) }, 2, "exceeds")
		paid := karim.done(karim.send("nadia", 1000, ""))
		check("a payment given back", 5, func() (*actor, *intent.Intent) { return nadia, nadia.giveBack("karim", 300, paid) }, 3, "exceeds")
		// 1000 and 3 × 300 for requests, 3334 for a share, 2000 and 2 × 1000 taken, 1000 paid and 3 × 300 given back
		g.has("karim", 100_000-1000-900-3334-2000-2000-1000+900, "nadia", 100_000+1000+900+3334+1000-900, "shop", 104_000, "sami", 100_000)
	})
}

// TestIDsThatOthersHaveTaken has somebody who gives payments of theirs the ids of what others are to pay.
func TestIDsThatOthersHaveTaken(t *testing.T) {
	on(t, "karim nadia mallory", func(t *testing.T, g *stage) {
		karim, mallory := g.people["karim"], g.people["mallory"]
		of := g.owes("karim", "nadia", 500)
		_, ids := g.debtsOf("karim")
		for _, id := range []string{of, ids["karim nadia 500"]} {
			i := mallory.send("karim", 1, "")
			i.ID = id
			mallory.done(i)
		}
		karim.done(karim.send("nadia", 200, ids["karim nadia 500"]))
		karim.fails("exceeds", karim.send("nadia", 301, of))
		karim.done(karim.send("nadia", 300, of))
		g.has("karim", 99_502, "nadia", 100_500)
	})
}
