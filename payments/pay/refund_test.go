package pay

import (
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
)

// giveBack is a refund of a payment that somebody has got.
func (a *actor) giveBack(payer string, amount int64, of string) *intent.Intent {
	return a.intent(intent.Refund, a.name, payer, amount, of)
}

func TestRefund(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		paid := karim.done(karim.send("nadia", 5000, ""))
		g.notices("karim")
		nadia.fails("exceeds", nadia.giveBack("karim", 5001, paid))
		nadia.fails("no-payee", nadia.giveBack("sami", 5000, paid))
		sami.fails("item-not-found", sami.giveBack("karim", 5000, paid))
		karim.fails("item-not-found", karim.giveBack("nadia", 5000, paid)) // who has paid takes nothing back
		part := nadia.done(nadia.giveBack("karim", 2000, paid))
		if got := g.notices("karim", "id", "refunded"); !slices.Equal(got, []string{"payment " + paid + " 2000", "payment " + part + " "}) {
			t.Errorf("karim was told %q", got)
		}
		nadia.fails("exceeds", nadia.giveBack("karim", 3001, paid))
		nadia.done(nadia.giveBack("karim", 3000, paid))
		nadia.fails("exceeds", nadia.giveBack("karim", 1, paid))
		nadia.fails("item-not-found", nadia.giveBack("karim", 1, part)) // of a refund
		g.attributes(karim.get("<lookup id='"+paid+"'/>"), "refunded", "5000")
		g.has("karim", 100_000, "nadia", 100_000)
	})
}

// TestRefundOfWhatIsNotThere has a payee who has spent what was paid.
func TestRefundOfWhatIsNotThere(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		paid := karim.done(karim.send("nadia", 5000, ""))
		nadia.done(nadia.send("sami", 105_000, ""))
		nadia.fails("insufficient", nadia.giveBack("karim", 5000, paid))
		g.has("karim", 95_000, "nadia", 0, "sami", 205_000)
		g.attributes(karim.get("<lookup id='"+paid+"'/>"), "refunded", "")
	})
}

func TestRefundOfACapture(t *testing.T) {
	on(t, "karim shop", func(t *testing.T, g *stage) {
		karim, shop := g.people["karim"], g.people["shop"]
		hold := karim.done(karim.hold("shop", 5000, time.Hour))
		shop.fails("item-not-found", shop.giveBack("karim", 100, hold))
		captured := shop.done(shop.take("karim", 3000, hold))
		shop.fails("exceeds", shop.giveBack("karim", 3001, captured)) // above what was captured
		shop.done(shop.giveBack("karim", 3000, captured))
		shop.fails("exceeds", shop.giveBack("karim", 1, captured))
		g.has("karim", 100_000, "shop", 100_000)
	})
}

const disputeID = "a-dispute-of-karim-1"

func TestDispute(t *testing.T) {
	on(t, "karim nadia sami", func(t *testing.T, g *stage) {
		karim, nadia, sami := g.people["karim"], g.people["nadia"], g.people["sami"]
		paid := karim.done(karim.send("nadia", 5000, ""))
		ask := "<dispute id='" + disputeID + "' of='" + paid + "' why='not-received' amount='5000'>No fish came.\nI waited.</dispute>"
		sami.refused("item-not-found", true, ask) // a stranger
		nadia.refused("item-not-found", true, ask)
		karim.refused("exceeds", true, strings.Replace(ask, "5000", "5001", 1))
		karim.refused("bad-request", true, strings.Replace(ask, "not-received", "because", 1))
		karim.refused("item-not-found", true, strings.Replace(ask, paid, "there-is-no-payment", 1))
		g.attributes(karim.set(ask), "state", "open", "payer", "karim@example", "payee", "nadia@example", "refunded", "0")
		karim.set(ask) // its answer was lost
		karim.refused("conflict", true, strings.Replace(ask, disputeID, disputeID+"-2", 1))
		g.notices("nadia")
		show := "<evidence dispute='" + disputeID + "' hash='" + strings.Repeat("ab", 32) + "' address='aesgcm://files.example/1.jpg#0011' name='boat.jpg' size='4096'>The boat was empty</evidence>"
		sami.refused("item-not-found", true, show)
		sami.refused("item-not-found", false, "<dispute id='"+disputeID+"'/>")
		sami.refused("item-not-found", true, "<settle dispute='"+disputeID+"' by='withdraw'/>")
		karim.refused("bad-request", true, strings.Replace(show, "aesgcm:", "file:", 1))
		karim.refused("bad-request", true, strings.Replace(show, "hash='"+strings.Repeat("ab", 32)+"'", "", 1)) // it could not be checked
		karim.refused("bad-request", true, strings.Replace(show, "abab", "xyxy", 1))
		karim.set(show)
		karim.set(show) // its answer was lost
		nadia.set("<evidence dispute='" + disputeID + "'>It was on the quay</evidence>")
		now := nadia.get("<dispute id='" + disputeID + "'/>")
		if n := len(slices.Collect(now.Children())); n != 2 || now.Text() != "No fish came.\nI waited." {
			t.Errorf("the dispute is %s", now)
		}
		g.attributes(now.Child(NS, "evidence"), "by", "karim@example", "name", "boat.jpg", "size", "4096", "hash", strings.Repeat("ab", 32), "address", "aesgcm://files.example/1.jpg#0011")
		if cases, err := g.s.Cases(t.Context(), true, 0, 10); err != nil || len(cases) != 1 || len(cases[0].Evidence) != 2 || cases[0].Evidence[0].Address != "aesgcm://files.example/1.jpg#0011" || cases[0].Evidence[0].Name != "boat.jpg" {
			t.Errorf("the operator sees %+v, %v", cases, err)
		}
		nadia.refused("forbidden", true, "<settle dispute='"+disputeID+"' by='reject'/>")
		karim.refused("forbidden", true, "<settle dispute='"+disputeID+"' by='refund'/>")
		nadia.refused("not-allowed", true, "<settle dispute='"+disputeID+"' by='refund'/>") // nothing is debited without an intent
		g.notices("karim")
		nadia.done(nadia.giveBack("karim", 3000, paid))
		g.attributes(karim.get("<dispute id='"+disputeID+"'/>"), "state", "open", "refunded", "3000")
		nadia.done(nadia.giveBack("karim", 2000, paid))
		g.attributes(karim.get("<disputes/>").First(), "state", "refunded", "refunded", "5000")
		karim.refused("over", true, strings.Replace(show, "empty", "gone", 1))
		karim.refused("over", true, "<settle dispute='"+disputeID+"' by='withdraw'/>")
		if got := g.notices("karim", "state"); !slices.Equal(got, []string{"payment done", "dispute open", "payment done", "payment done", "dispute refunded", "payment done"}) {
			t.Errorf("karim was told %q", got)
		}
		g.has("karim", 100_000, "nadia", 100_000)
	})
}

func TestDisputeIsWithdrawn(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		paid := karim.done(karim.send("nadia", 5000, ""))
		ask := "<dispute id='" + disputeID + "' of='" + paid + "' why='other' amount='100'/>"
		karim.set(ask)
		nadia.refused("forbidden", true, "<settle dispute='"+disputeID+"' by='withdraw'/>")
		karim.set("<settle dispute='" + disputeID + "' by='withdraw'/>")
		g.attributes(karim.set("<settle dispute='"+disputeID+"' by='withdraw'/>"), "state", "withdrawn")
		karim.set(strings.Replace(ask, disputeID, disputeID+"-2", 1)) // another one may follow
		for n := range maxEvidence {
			karim.set("<evidence dispute='" + disputeID + "-2'>" + digits(int64(n)) + "</evidence>")
		}
		karim.refused("policy-violation", true, "<evidence dispute='"+disputeID+"-2'>one more</evidence>")
		old := karim.done(karim.send("nadia", 100, ""))
		g.later(disputeWithin + time.Hour)
		karim.refused("over", true, "<dispute id='"+disputeID+"-3' of='"+old+"' why='other' amount='100'/>")
	})
}
