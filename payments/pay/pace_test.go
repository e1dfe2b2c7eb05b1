package pay

import (
	"errors"
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// TestNobodyIsFlooded asks and cancels in a loop, of which somebody is told each time.
func TestNobodyIsFlooded(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		ask := func() error {
			_, err := nadia.ask(true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD'/>")
			return err
		}
		for n := range asksAtOnce / 2 {
			id := g.id()
			nadia.set("<request id='" + id + "' payer='karim@example' amount='1' unit='MAD'/>")
			if nadia.set("<cancel id='" + id + "'/>"); n%10 == 0 {
				nadia.get("<request id='" + id + "'/>") // to look is not bounded
			}
		}
		if err := ask(); !errors.Is(err, xmpp.ResourceConstraint) || conditionOf(err) != "wait" {
			t.Fatalf("after %d: %v", asksAtOnce, err)
		}
		if n := len(g.notices("karim")); n != asksAtOnce {
			t.Errorf("karim was told %d times", n)
		}
		nadia.done(nadia.send("karim", 1, "")) // who has signed may pay
		karim.set("<request id='" + g.id() + "' payer='nadia@example' amount='1' unit='MAD'/>")
		g.later(askPace)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		if err := ask(); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("a second one after %v: %v", askPace, err)
		}
	})
}

// TestRecurringRequestsAreBounded lets the first ones of many expire at once, so that only their later turns are left.
func TestRecurringRequestsAreBounded(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.s.asking = newPace(10 * maxWaiting)
		soon := g.now().Add(time.Second).Format(timeLayout)
		ask := func(more string) error {
			_, err := nadia.ask(true, "<request id='"+g.id()+"' payer='karim@example' amount='1' unit='MAD' "+more+"/>")
			return err
		}
		daily := "every='day' times='120' expires='" + soon + "'"
		for range maxWaiting {
			if err := ask(daily); err != nil {
				t.Fatal(err)
			}
		}
		if err := ask(daily); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("above the limit: %v", err)
		}
		g.later(time.Minute)
		if err := ask(""); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("requests that come again have no place: %v", err)
		}
		karim.get("<requests/>")
	})
}

// TestATurnAboveTheLimitIsLeftOut has as many requests waiting as may wait when the next turn comes.
func TestATurnAboveTheLimitIsLeftOut(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.s.asking = newPace(10 * maxWaiting)
		nadia.set("<request id='" + requestID + "' payer='karim@example' amount='1' unit='MAD' every='day' times='4'/>")
		var last string
		for range maxWaiting - 1 {
			last = g.id()
			nadia.set("<request id='" + last + "' payer='karim@example' amount='1' unit='MAD'/>")
		}
		turns := func() (all []string) {
			for e := range karim.get("<requests max='5'/>").Children() {
				if e.Attr("series") != "" {
					all = append(all, e.Attr("turn"))
				}
			}
			return all
		}
		g.later(day)
		if got := turns(); len(got) != 0 {
			t.Fatalf("turns %q above the limit", got)
		}
		nadia.set("<cancel id='" + last + "'/>")
		g.later(day)
		if got := turns(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("turns %q", got)
		}
		g.later(day)
		if got := turns(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("turns %q", got)
		}
	})
}
